"""Whether profiles have a place, against what Archer says at its door. Refusals in full are in `cases/profiles.yaml`."""

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from archer import profiles as archer_profiles
from archer.cluster_config import ClusterConfig, parse_cluster_config
from archer.spark_application.checks import check
from archer.submission import Submission
from environments import environment_names, load
from environments.checks import profile_places
from environments.model import Environment
from environments.service import Profile
from k8s_manifests import archer_config, to_yaml

Make = Callable[..., Environment]
Answers = dict[tuple[str, str, str], bool]
"""By profile, cluster and team: whether such a job can run."""

AT = ("profiles", 0)
FILE = Path(__file__).parents[1] / "cases" / "profiles.yaml"
CASES: list[dict[str, Any]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))


def _here(environment: Environment) -> Answers:
    return {
        (profile.name, cluster.name, team.name): profile_places.runs_on(environment, profile, cluster, team)
        for profile, cluster, team in product(environment.profiles, environment.clusters, environment.teams)
    }


def _at_the_door(environment: Environment) -> Answers:
    """Archer's answers to a JVM job that says nothing but the profile."""
    config = parse_cluster_config(to_yaml(archer_config(environment)))
    return {
        (profile.name, cluster.name, team.name): not check(
            _job(config, profile.name, team.name), config=config, cluster=cluster
        )
        for profile, cluster, team in product(config.profiles, config.clusters, config.teams)
    }


def _job(config: ClusterConfig, profile: str, team: str) -> Submission:
    application = {"file": "s3a://bucket/job.jar", "main_class": "com.example.Job"}
    job = {"name": "job", "application": application, "profile": profile, "team": team, "user": "ada@example.com"}
    view = config.profile(profile)
    assert view is not None
    profiled = archer_profiles.apply(view, Submission.model_validate(job))
    assert not profiled.problems
    return profiled.submission


@pytest.mark.parametrize("name", environment_names())
def test_a_shipped_profile_runs_where_archer_takes_it_and_nowhere_else(name: str) -> None:
    environment = load(name)

    assert _here(environment) == _at_the_door(environment)


@pytest.mark.parametrize("name", environment_names())
def test_archer_takes_every_shipped_profile_on_some_cluster(name: str) -> None:
    environment = load(name)
    door = _at_the_door(environment)

    taken = {profile for (profile, _, _), takes in door.items() if takes}
    assert taken == {profile.name for profile in environment.profiles}


def test_prods_profiles_run_where_its_file_means_them_to() -> None:
    runs = {(profile, cluster) for (profile, cluster, _), takes in _at_the_door(load("prod")).items() if takes}

    assert ("x86-native", "batch") in runs
    assert ("x86-native", "adhoc") not in runs
    assert {("small", "batch"), ("small", "adhoc"), ("heavy-shuffle", "batch")} <= runs


def _of_sizes(name: str) -> Iterator[Profile]:
    """Profiles around every border: cores, memory, number, image."""
    sizes = [(1, "1g"), (7, "49g"), (15, "50g"), (15, "98g"), (16, "99g"), (31, "198g"), (32, "24g")]
    versions = [None, "3.5.6"]
    for number, (driver, executor, instances, version) in enumerate(product(sizes, sizes, [1, 60], versions)):
        yield Profile.model_validate(
            {
                "name": f"{name}-{number}",
                "spark_version": version,
                "driver": {"cores": driver[0], "memory": driver[1]},
                "executor": {"cores": executor[0], "memory": executor[1], "instances": instances},
            }
        )


@pytest.mark.parametrize("name", ["staging", "prod"])
def test_profiles_of_all_sizes_run_where_archer_takes_them_and_nowhere_else(name: str) -> None:
    shipped = load(name)
    images = load("prod").spark
    environment = shipped.model_copy(update={"profiles": tuple(_of_sizes("size")), "spark": images})

    here = _here(environment)

    assert here == _at_the_door(environment)
    assert set(here.values()) == {True, False}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_archer_refuses_everywhere_what_a_case_refuses(case: dict[str, Any], environment: Make) -> None:
    made = environment(case["base"], case["set"], duplicate=case.get("duplicate"))
    refused = {problem["path"].split("[")[1].split("]")[0] for problem in case["problems"]}

    door = _at_the_door(made)

    assert refused <= {profile for profile, _, _ in door}
    assert [key for key, takes in door.items() if takes and key[0] in refused] == []


@pytest.mark.parametrize(
    ("cores", "memory", "fits"),
    [
        (15, "24g", True),
        (16, "24g", False),
        (1, "98g", True),
        (1, "100g", False),
        (1, "65536m", True),
        (1, "1t", False),
    ],
)
def test_an_executor_fits_the_largest_node(cores: int, memory: str, *, fits: bool, environment: Make) -> None:
    made = environment("staging", {"profiles.0.executor": {"cores": cores, "memory": memory}})

    assert (list(profile_places.fits_a_node(made, AT, made.profiles[0])) == []) is fits


def test_a_pool_that_another_check_refuses_is_not_told_again(environment: Make) -> None:
    """A type that nobody knows may be the one that a profile needs."""
    image = {"version": "3.5.6", "image": "registry.example.com/spark:3.5.6", "architectures": ["amd64"]}
    changes = {"spark": {"images": [image]}, "profiles.0.spark_version": "3.5.6"}
    typo = environment("staging", {**changes, "clusters.0.pools.1.instance_types": ["m8i.4xlrage"]})
    right = environment("staging", {**changes, "clusters.0.pools.1.instance_types": ["m8i.4xlarge"]})
    wrong = environment("staging", changes)

    found = [list(profile_places.runs_somewhere(made, AT, made.profiles[0])) for made in (typo, right, wrong)]

    assert [len(each) for each in found] == [0, 0, 1]


def test_a_pool_for_drivers_of_the_images_architecture_makes_room(environment: Make) -> None:
    case = CASES[0]
    pool = {
        "of": "clusters.0.pools.1",
        "to": "clusters.0.pools",
        "changes": {"name": "x86", "instance_types": ["m8i.4xlarge"]},
    }

    broken = environment(case["base"], case["set"])
    mended = environment(case["base"], case["set"], duplicate=pool)

    assert len(list(profile_places.runs_somewhere(broken, AT, broken.profiles[0]))) == 1
    assert list(profile_places.runs_somewhere(mended, AT, mended.profiles[0])) == []
    assert all(takes for (profile, _, _), takes in _at_the_door(mended).items() if profile == "standard")
