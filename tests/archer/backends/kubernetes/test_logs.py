"""The end of a driver's log, for the diagnosis: when it is waited for, and when there is none."""

import pytest

from archer.backends.kubernetes import logs, names
from archer.errors import BackendUnavailableError
from archer.kubernetes.errors import ApiError
from testbed import spark_manifests as made
from testbed.fake_kubernetes import FakeKubernetes

PATH = f"{names.pods(made.NAMESPACE, f'{made.NAME}-driver')}/log"


def test_a_tail_is_the_end_of_a_long_log(api: FakeKubernetes) -> None:
    api.logs[PATH] = b"x" * 100 + b"\n" + b"y" * logs.TAIL_BYTES

    assert logs.read_tail(api.client, made.NAMESPACE, made.NAME) == "y" * logs.TAIL_BYTES


@pytest.mark.parametrize(
    ("error", "waits"),
    [
        (ApiError(429, "TooManyRequests", "slow down"), True),
        (ApiError(404, "NotFound", "gone"), False),
        (ApiError(500, "InternalError", "no kubelet"), False),
    ],
)
def test_a_verdict_waits_for_a_log_only_while_it_can_still_be_had(
    api: FakeKubernetes, error: ApiError, waits: bool
) -> None:
    api.faults["GET", PATH] = [error]

    if waits:
        with pytest.raises(BackendUnavailableError):
            logs.read_tail(api.client, made.NAMESPACE, made.NAME)
    else:
        assert logs.read_tail(api.client, made.NAMESPACE, made.NAME) == ""
