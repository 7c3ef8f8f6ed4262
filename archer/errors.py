"""Every error that Archer raises on purpose, one class per reaction of the caller.

    ArcherError
     ├── InvalidInputError                 the caller sends something else           422
     │    ├── InvalidSubmissionError
     │    ├── InvalidQueryError
     │    ├── InvalidSettingsError         (never over HTTP: `archer serve` stops)
     │    └── InvalidClusterConfigError    (likewise: the file that ARCHER_CONFIG names)
     ├── MalformedRequestError             the caller repairs the request itself     400, 413, 415
     ├── NotFoundError                     the caller looks elsewhere                404
     ├── ConflictError                     the caller reads the job again            409
     │    ├── IdempotencyKeyReusedError
     │    ├── JobAlreadyFinishedError
     │    └── StaleJobError                somebody else changed the job first
     ├── QueueFullError                    the caller waits, then sends it again     429
     ├── NotAuthenticatedError             the caller says who it is                 401
     ├── NotAllowedError                   the caller asks somebody who may          403
     ├── StoreUnavailableError             the caller tries again later              503
     │    └── StoreNotOpenedError          (never over HTTP: `archer serve` stops)
     ├── IllegalMoveError                  a defect of ours                          500
     ├── FencedOutError                    this worker stops acting: its lease is another's
     ├── BackendUnavailableError           this worker tries again later
     ├── LaunchRefusedError                the attempt can never start: the job fails with the diagnosis
     └── CannotServeError                  `archer serve` stops with this sentence

    try:
        service.kill(job_id, actor="api:ada")
    except archer.NotFoundError:
        ...
    except archer.ArcherError as error:
        print(error.code, error)

Messages are for people: lower case, no full stop, the value and the fix named. `code` is for programs and never changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing wrong with an input, with everything needed to put it right."""

    path: str
    """Where, as a dotted path from the document's root: `driver.memory`, `conf.spark.master`."""

    value: str
    """What was given, as JSON text cut at 200 characters; `absent` when nothing was given."""

    allowed: str
    """What is allowed there."""

    fix: str
    """What to do."""

    def __str__(self) -> str:
        return f"`{self.path}` must be {self.allowed}, got {self.value}; {self.fix}"


class ArcherError(Exception):
    """Base of all of them."""

    code: str = "archer-error"
    """For programs; never changes."""


class InvalidInputError(ArcherError):
    """An input breaks one or more rules; all of them are in `problems`."""

    code = "invalid-input"

    def __init__(self, problems: Sequence[Problem], *, file: str | None = None) -> None:
        self.problems = tuple(problems)
        self.file = file
        """The file that holds them; None for a request, options or variables."""
        super().__init__("\n".join(str(problem) for problem in self.problems))


class InvalidSubmissionError(InvalidInputError):
    """The submission can't be run as it is."""

    code = "invalid-submission"


class InvalidQueryError(InvalidInputError):
    """A query parameter is unknown to the list, events or logs call."""

    code = "invalid-query"


class InvalidSettingsError(InvalidInputError):
    """`ARCHER_…` variables or flags of `archer serve` break a rule."""

    code = "invalid-settings"


class InvalidClusterConfigError(InvalidInputError):
    """`archer.yaml` can't be used; `problems` holds everything that is wrong with it."""

    code = "invalid-cluster-config"


class MalformedRequestError(ArcherError):
    """The request can't be read at all; `status` is HTTP's word for how."""

    def __init__(self, message: str, *, code: str, status: int = 400) -> None:
        self.code = code
        self.status = status
        super().__init__(message)


class NotFoundError(ArcherError):
    """No such job or attempt."""

    code = "not-found"

    def __init__(self, kind: str, key: str) -> None:
        self.kind = kind
        self.key = key
        super().__init__(f"no {kind} {key!r}; list what there is with `archer list`")


class ConflictError(ArcherError):
    """The request is fine, the job's present state forbids it."""

    code = "conflict"


class IdempotencyKeyReusedError(ConflictError):
    """The key came before, with another body."""

    code = "idempotency-key-reused"

    def __init__(self, key: str, job_id: str) -> None:
        super().__init__(
            f"idempotency key {key!r} was used for job {job_id} with another body; send the same body again, or a new key"
        )


class JobAlreadyFinishedError(ConflictError):
    """There is nothing left to kill."""

    code = "job-already-finished"

    def __init__(self, job_id: str, state: str) -> None:
        self.state = state
        super().__init__(f"job {job_id} already ended {state}; there is nothing to kill")


class StaleJobError(ConflictError):
    """The job is no longer in the version on which the change was decided; read it and decide again."""

    code = "stale-job"


class QueueFullError(ArcherError):
    """As many jobs wait in the queue, or of the user, as may."""

    code = "queue-full"

    def __init__(self, what: str, most: int, *, retry_after_seconds: int = 30) -> None:
        super().__init__(f"{what} has {most} waiting jobs, as many as may wait; send it again when some have started")
        self.retry_after_seconds = retry_after_seconds


class NotAuthenticatedError(ArcherError):
    """Nobody, or nobody we know, asks."""

    code = "not-authenticated"


class NotAllowedError(ArcherError):
    """Somebody we know asks for what they may not do."""

    code = "not-allowed"


class StoreUnavailableError(ArcherError):
    """The database can't take or give data just now; nothing of the failed call was written."""

    code = "store-unavailable"

    def __init__(self, why: str, *, retry_after_seconds: int = 5) -> None:
        self.why = why
        self.retry_after_seconds = retry_after_seconds
        super().__init__(self.sentence())

    def sentence(self) -> str:
        """For people."""
        return f"the job store is unavailable ({self.why}); nothing was written, try again"


class StoreNotOpenedError(StoreUnavailableError):
    """The database could not be opened or brought to this version's tables."""

    code = "store-not-opened"

    def __init__(
        self,
        place: str,
        why: str,
        *,
        fix: str = "free or repair it, or choose another place with --data, then start again",
    ) -> None:
        self.place = place
        self.fix = fix
        super().__init__(why)

    def sentence(self) -> str:
        return f"can't use the database {self.place} ({self.why}); {self.fix}"


class IllegalMoveError(ArcherError):
    """A state change that the table in `archer.model` doesn't list."""

    code = "illegal-move"


class FencedOutError(ArcherError):
    """A newer epoch of the lease exists, so whatever this worker decided may be outdated."""

    code = "fenced-out"


class BackendUnavailableError(ArcherError):
    """The place where jobs run can't be reached just now, or can't do it just now."""

    code = "backend-unavailable"

    def __init__(self, message: str = "", *, retry_after_seconds: float | None = None, refused: bool = False) -> None:
        self.retry_after_seconds = retry_after_seconds
        """How long it asks to wait; None when it doesn't say."""
        self.refused = refused
        """It answered that nothing was done (429, a full quota): it is there, and what was asked for certainly isn't."""
        super().__init__(message)


class LaunchRefusedError(ArcherError):
    """The attempt can never start, however often it is tried."""

    code = "launch-refused"

    def __init__(self, summary: str, resolution: str, detail: str = "", *, category: str = "submit-error") -> None:
        self.summary = summary
        self.resolution = resolution
        self.detail = detail
        self.category = category
        """A word of `archer.model.Category`: a quota that is used up now may have room later."""
        super().__init__(f"{summary}; {resolution}")


class CannotServeError(ArcherError):
    """`archer serve` can't start as asked: the door isn't local, the port is taken, the data folder is another's."""

    code = "cannot-serve"
