"""Every error ends in the documented code."""

import pytest

from archer.cli.exit_codes import MEANINGS, ExitCode, exit_code_of
from archer.client_errors import JobNotFoundError, RequestRefusedError, ServerUnavailableError, WaitTimeoutError
from archer.errors import ArcherError, CannotServeError, InvalidSettingsError, StoreUnavailableError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RequestRefusedError("no"), 2),
        (InvalidSettingsError([]), 2),
        (CannotServeError("the port is taken"), 2),
        (JobNotFoundError("no job"), 3),
        (ServerUnavailableError("away"), 4),
        (StoreUnavailableError("disk full"), 4),
        (WaitTimeoutError("late", []), 5),
    ],
)
def test_errors_have_their_code(error: ArcherError, code: int) -> None:
    assert exit_code_of(error) == code


def test_every_code_is_explained() -> None:
    assert set(MEANINGS) == set(ExitCode)
