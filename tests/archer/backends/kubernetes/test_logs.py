"""The end of a driver's log, for the diagnosis: when it is waited for, and when there is none."""

import pytest

from archer.backends.kubernetes import logs, names
from archer.backends.kubernetes.logs import LogLostError
from archer.errors import BackendUnavailableError
from archer.kubernetes.errors import ApiError
from testbed import spark_manifests as made
from testbed.fake_kubernetes import FakeKubernetes

PATH = f"{names.pods(made.NAMESPACE, f'{made.NAME}-driver')}/log"


def test_a_tail_is_the_end_of_a_long_log(api: FakeKubernetes) -> None:
    api.logs[PATH] = b"x" * 100 + b"\n" + b"y" * logs.TAIL_BYTES

    assert logs.read_tail(api.client, made.NAMESPACE, made.NAME) == "y" * logs.TAIL_BYTES


@pytest.mark.parametrize("status", [400, 404])
def test_what_never_ran_or_is_gone_has_no_log(api: FakeKubernetes, status: int) -> None:
    api.faults["GET", PATH] = [ApiError(status, "NotFound", "there is none")]

    assert logs.read_tail(api.client, made.NAMESPACE, made.NAME) == ""


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (ApiError(429, "TooManyRequests", "slow down"), BackendUnavailableError),
        (ApiError(500, "InternalError", "dial tcp: connection refused"), LogLostError),
    ],
)
def test_a_log_is_waited_for_only_while_it_can_still_be_had(
    api: FakeKubernetes, error: ApiError, raised: type[Exception]
) -> None:
    api.faults["GET", PATH] = [error]

    with pytest.raises(raised, match=error.message):
        logs.read_tail(api.client, made.NAMESPACE, made.NAME)
