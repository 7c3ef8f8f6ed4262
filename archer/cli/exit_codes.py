"""The exit codes of `archer`, a contract that scripts and schedulers rely on."""

from enum import IntEnum

from archer.client_errors import JobNotFoundError, ServerUnavailableError, WaitTimeoutError
from archer.errors import ArcherError, BackendUnavailableError, NotFoundError, StoreUnavailableError


class ExitCode(IntEnum):
    """What a command's end means."""

    SUCCESS = 0
    JOB_FAILED = 1
    BAD_INPUT = 2
    NOT_FOUND = 3
    UNAVAILABLE = 4
    TIMEOUT = 5
    INTERRUPTED = 130
    READER_GONE = 141


MEANINGS = {
    ExitCode.SUCCESS: "success; with --wait and `wait`: every job SUCCEEDED",
    ExitCode.JOB_FAILED: "a job that was waited for ended FAILED or CANCELLED",
    ExitCode.BAD_INPUT: "bad input: options, a submission, or a request that the job's state or your roles forbid",
    ExitCode.NOT_FOUND: "no such job or attempt",
    ExitCode.UNAVAILABLE: "the server, or its database, does not answer",
    ExitCode.TIMEOUT: "the time given for waiting was up; the jobs go on",
    ExitCode.INTERRUPTED: "stopped by Ctrl-C; the jobs go on",
    ExitCode.READER_GONE: "the reader of standard output went away",
}
"""One sentence per code, for --help and the reference."""


def exit_code_of(error: ArcherError) -> ExitCode:
    """The code for an error; whatever has no kind of its own is an input that somebody can change."""
    if isinstance(error, WaitTimeoutError):
        return ExitCode.TIMEOUT
    if isinstance(error, JobNotFoundError | NotFoundError):
        return ExitCode.NOT_FOUND
    if isinstance(error, ServerUnavailableError | StoreUnavailableError | BackendUnavailableError):
        return ExitCode.UNAVAILABLE
    return ExitCode.BAD_INPUT
