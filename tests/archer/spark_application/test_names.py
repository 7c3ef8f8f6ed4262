"""Labels and annotations within Kubernetes' limits, and nobody else's keys."""

import json

import pytest

from archer.backends.kubernetes import names as backend_names
from archer.spark_application import names
from k8s_manifests import labels as chart_labels
from k8s_manifests.priority_classes import ALLOW_PREEMPTION

LONG = "root.organisation-number-one.project-number-two.team-number-three.tier1"


def test_a_path_that_fits_a_label_is_the_label() -> None:
    assert names.label_value("root.ads.ctr.tier2") == "root.ads.ctr.tier2"
    assert names.label_value("a" * 63) == "a" * 63


def test_a_longer_path_keeps_its_start_and_stays_apart_from_others() -> None:
    values = {names.label_value(f"{LONG}{number}") for number in range(50)}

    assert len(values) == 50
    assert all(names.is_label_value(value) and len(value) <= 63 for value in values)
    assert all(value.startswith("root.organisation-number-one.") for value in values)


@pytest.mark.parametrize("key", ["owner", "example.com/owner", "a.b_c-d"])
def test_a_jobs_own_labels_are_free(key: str) -> None:
    assert names.is_label_key(key)
    assert names.owner_of_label(key) is None


@pytest.mark.parametrize(
    "key",
    [
        "archer.moka.dev/job-id",
        "moka.dev/team",
        "yunikorn.apache.org/queue",
        "sparkoperator.k8s.io/app-name",
        "app.kubernetes.io/name",
        "kubernetes.io/arch",
        "spark-role",
        "spark-app-selector",
        "queue",
        "applicationId",
    ],
)
def test_keys_that_somebody_acts_on_are_not(key: str) -> None:
    assert names.owner_of_label(key)


@pytest.mark.parametrize("key", ["a/b/c", "Example.com/x", "-a", "a-", "/x", "x" * 64, ""])
def test_what_kubernetes_refuses_is_no_key(key: str) -> None:
    assert not names.is_label_key(key)


@pytest.mark.parametrize(
    ("user", "told"),
    [("ada@example.com", "ada@example.com"), ("Ada Lovelace", "Ada_Lovelace"), ("7up", "_7up"), (None, "team-ads")],
)
def test_yunikorn_is_told_whose_driver_it_is(user: str | None, told: str) -> None:
    assert json.loads(names.user_info(user, "ads")) == {"user": told, "groups": ["ads"]}


def test_words_that_several_packages_write_are_the_same() -> None:
    assert names.FINALIZER == backend_names.FINALIZER
    assert (names.JOB_ID, names.ATTEMPT) == (backend_names.JOB_LABEL, backend_names.ATTEMPT_LABEL)
    assert names.DRIVER_CONTAINER == backend_names.DRIVER_CONTAINER
    assert names.EXECUTOR_CONTAINER == backend_names.EXECUTOR_CONTAINER
    assert names.SAFE_TO_EVICT == chart_labels.SAFE_TO_EVICT
    assert names.ALLOW_PREEMPTION == ALLOW_PREEMPTION
