"""Creating an application: done once however often it is tried, and each refusal told apart by who can do something."""

from typing import Any

import pytest

from archer.backends.kubernetes import names
from archer.backends.kubernetes.launching import launch
from archer.errors import BackendUnavailableError, LaunchRefusedError
from archer.kubernetes.errors import ApiError
from testbed import spark_manifests as made
from testbed.fake_kubernetes import FakeKubernetes

COLLECTION = names.applications(made.NAMESPACE)


def spec() -> dict[str, Any]:
    return {**made.application(), "metadata": {**made.application()["metadata"], "uid": "mine"}}


def test_a_launch_gives_the_uid_and_a_second_one_the_same(api: FakeKubernetes) -> None:
    assert launch(api.client, made.NAME, spec()) == launch(api.client, made.NAME, spec()) == "mine"
    assert len(api.objects) == 1


@pytest.mark.parametrize("labels", [{}, {names.JOB_LABEL: "j-another", names.ATTEMPT_LABEL: "1"}])
def test_a_name_that_is_somebody_elses_is_refused(api: FakeKubernetes, labels: dict[str, str]) -> None:
    other = spec()
    other["metadata"]["labels"] = labels
    api.create(COLLECTION, other)

    with pytest.raises(LaunchRefusedError, match="somebody else's"):
        launch(api.client, made.NAME, spec())


def test_a_name_that_is_freed_meanwhile_is_tried_again(api: FakeKubernetes) -> None:
    api.faults["POST", COLLECTION] = [ApiError(409, "AlreadyExists", "taken")]

    with pytest.raises(BackendUnavailableError):
        launch(api.client, made.NAME, spec())


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_the_api_server_calls_invalid_can_never_start(api: FakeKubernetes, status: int) -> None:
    api.faults["POST", COLLECTION] = [ApiError(status, "Invalid", "spec.type: Unsupported value")]

    with pytest.raises(LaunchRefusedError, match=r"spec\.type") as refused:
        launch(api.client, made.NAME, spec())
    assert refused.value.category == "submit-error"


@pytest.mark.parametrize(
    ("error", "refused", "after"),
    [
        (ApiError(403, "Forbidden", "exceeded quota: team, requested: count/sparkapplications=1"), True, None),
        (ApiError(403, "Forbidden", "User archer cannot create"), True, None),
        (ApiError(404, "NotFound", "namespaces spark-ads not found"), True, None),
        (ApiError(429, "TooManyRequests", "slow down", 7.0), True, 7.0),
        (ApiError(500, "InternalError", "etcd"), False, None),
        (ApiError(503, "ServiceUnavailable", "away", 2.0), False, 2.0),
    ],
)
def test_what_may_go_well_later_is_no_jobs_fault(
    api: FakeKubernetes, error: ApiError, refused: bool, after: float | None
) -> None:
    api.faults["POST", COLLECTION] = [error]

    with pytest.raises(BackendUnavailableError) as told:
        launch(api.client, made.NAME, spec())
    assert (told.value.refused, told.value.retry_after_seconds) == (refused, after)


@pytest.mark.parametrize(
    "error",
    [
        ApiError(403, "Forbidden", "exceeded quota: team, requested: count/sparkapplications=1"),
        ApiError(422, "Invalid", "spec.type: Unsupported value"),
        ApiError(500, "InternalError", "failed calling webhook"),
    ],
)
def test_what_an_earlier_create_made_is_found_although_a_second_one_is_refused(
    api: FakeKubernetes, error: ApiError
) -> None:
    # done, and its answer was lost
    api.create(COLLECTION, spec())
    api.faults["POST", COLLECTION] = [error]

    assert launch(api.client, made.NAME, spec()) == "mine"


def test_nothing_is_refused_for_good_before_it_is_known_that_it_is_not_there(api: FakeKubernetes) -> None:
    api.faults["POST", COLLECTION] = [ApiError(422, "Invalid", "spec.type: Unsupported value")]
    api.faults["GET", names.applications(made.NAMESPACE, made.NAME)] = [ApiError(500, "InternalError", "etcd")]

    with pytest.raises(BackendUnavailableError):
        launch(api.client, made.NAME, spec())
