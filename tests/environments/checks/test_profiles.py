"""Profiles by themselves. Refusals in full are in `cases/service.yaml`."""

from collections.abc import Callable

import pytest

from environments.checks import profiles
from environments.model import Environment

Make = Callable[..., Environment]
AT = ("profiles", 0)


@pytest.mark.parametrize(
    "key",
    [
        "spark.eventLog.dir",
        "spark.submit.deployMode",
        "spark.master",
        "spark.kubernetes.authenticate.driver.serviceAccountName",
        "spark.kubernetes.driver.annotation.yunikorn.apache.org/allow-preemption",
    ],
)
def test_what_archer_sets_is_refused(key: str, environment: Make) -> None:
    made = environment("staging", {"profiles.0.conf": {key: "x"}})

    assert len(list(profiles.conf(made, AT, made.profiles[0]))) == 1


@pytest.mark.parametrize(
    "key",
    [
        "spark.sql.shuffle.partitions",
        "spark.dynamicAllocation.executorIdleTimeout",
        "spark.uix.port",
        "spark.kubernetes.driver.annotation.example.com/owner",
    ],
)
def test_other_settings_are_allowed(key: str, environment: Make) -> None:
    made = environment("staging", {"profiles.0.conf": {key: "x"}})

    assert list(profiles.conf(made, AT, made.profiles[0])) == []


def test_every_key_that_archer_refuses_in_a_submission_is_refused_in_a_profile_and_no_other() -> None:
    """Two lists, because neither package may import the other."""
    from archer.reserved import RESERVED_CONF, RESERVED_ON_KUBERNETES

    assert {*RESERVED_CONF, *RESERVED_ON_KUBERNETES} == set(profiles.DENIED)


def test_profiles_are_read_as_archer_reads_them() -> None:
    """Stated twice for the same reason: what stands for a parameter, and how small a heap may be."""
    from archer.profile_views import PLACEHOLDER
    from archer.submission import MIN_HEAP_MIB

    assert profiles.PLACEHOLDER.pattern == PLACEHOLDER.pattern
    assert profiles.LEAST_HEAP_MIB == MIN_HEAP_MIB
