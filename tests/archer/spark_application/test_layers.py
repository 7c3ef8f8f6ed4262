"""platform < environment < team < profile < job, and where each value comes from."""

from typing import Any

import pytest

from archer.spark_application import explain
from archer.spark_application.layers import Layer, layered, values_of
from archer.tenancy import Tenancy
from testbed import spark_application_samples as samples
from testbed.spark_application_samples import DOCUMENT, job, lab

ORDER = ["platform", "environment", "team", "profile", "job"]
KEY = "spark.sql.adaptive.enabled"


def explained(changes: dict[str, Any] | None = None, rung: float = 1.0, **fields: Any) -> dict[str, Any]:
    config = lab(**(changes or {}))
    admission = Tenancy(config).admit(job(**fields))
    assert not admission.problems
    return explain(
        admission.submission, config=config, cluster=config.clusters[0], lent=admission.profiled.lent, rung=rung
    )


def test_there_are_these_layers_in_this_order() -> None:
    assert [layer.value for layer in Layer] == ORDER


@pytest.mark.parametrize("highest", range(len(ORDER)))
def test_a_higher_layer_wins_and_covers_all_below(highest: int) -> None:
    """`spark.sql.adaptive.enabled` is a value of the platform; each further layer says its own."""
    said = ORDER[: highest + 1]
    profile = {**DOCUMENT["profiles"][0], "conf": {KEY: "profile"} if "profile" in said else {}}
    changes = {
        "conf": {KEY: "environment"} if "environment" in said else {},
        "teams": [{**DOCUMENT["teams"][0], "conf": {KEY: "team"} if "team" in said else {}}],
        "profiles": [profile],
    }
    own: dict[str, Any] = {"conf": {KEY: "job"}} if "job" in said else {}

    setting = explained(changes, profile="daily", parameters={"day": "1"}, **own)["conf"][KEY]

    assert setting["layer"] == ORDER[highest]
    # the profile's value was never the job's once the job has its own
    covered = [each["layer"] for each in setting["overrode"]]
    assert covered == [layer for layer in said[:-1] if not (layer == "profile" and "job" in said)]


def test_what_a_job_says_as_its_profile_does_stays_the_profiles_in_a_stored_job() -> None:
    """A stored job is its profile's and its own values in one; the profile as it is now tells them apart."""
    conf = samples.built("profile-with-parameters").conf

    assert conf["spark.app.day"].layer is Layer.PROFILE
    assert conf["spark.app.day"].value == "2026-11-23"
    assert values_of(conf) == samples.manifest("profile-with-parameters")["spec"]["sparkConf"]


def test_sizes_tell_their_origin_too() -> None:
    sizes = explained(profile="daily", parameters={"day": "1"}, executor={"cores": 2})["sizes"]

    assert sizes["executor"]["origins"] == {
        "cores": "job",
        "memory": "profile",
        "memory_overhead": "platform",
        "instances": "profile",
    }
    assert sizes["driver"]["origins"]["cores"] == "profile"


def test_a_value_that_climbed_says_by_how_much() -> None:
    conf = {"spark.memory.offHeap.enabled": "true", "spark.memory.offHeap.size": "1g"}

    found = explained(rung=2.0, conf=conf)

    assert found["conf"]["spark.memory.offHeap.size"] == {
        "value": "2048m",
        "layer": "job",
        "overrode": [],
        "memory_rung": 2.0,
    }
    assert found["sizes"]["executor"]["off_heap_mib"] == 2048


def test_layers_are_told_from_the_lowest_on_and_sorted_by_key() -> None:
    found = layered([(Layer.PLATFORM, {"b": "1", "a": "1"}), (Layer.TEAM, {"a": "2"}), (Layer.JOB, {"a": "3"})])

    assert list(found) == ["a", "b"]
    assert found["a"].overrode == ((Layer.PLATFORM, "1"), (Layer.TEAM, "2"))
