"""What can go wrong between Archer and an API server, told apart by what the caller can do about it.

`ApiError` is an answer, so the caller knows what happened. `ClusterUnreachableError` is none: a write may or may not have been done.
"""

from collections.abc import Mapping
from typing import Any, Final, Self

from archer.errors import BackendUnavailableError, InvalidInputError

_WORDS: Final = 2000
"""Letters of a server's message that are kept; an admission webhook may answer with a whole manifest."""


class ApiError(Exception):
    """The API server answered with something else than what was asked for."""

    def __init__(
        self,
        status: int,
        reason: str,
        message: str,
        retry_after: float | None = None,
        details: Mapping[str, Any] | None = None,
        *,
        server: str = "",
    ) -> None:
        self.status = status
        """HTTP's number; in a watch, that of the ERROR event."""
        self.reason = reason
        """As Kubernetes names it: NotFound, AlreadyExists, Conflict, Forbidden, Invalid, Expired, …; may be empty."""
        self.message = " ".join(message.split())[:_WORDS]
        """The server's own words, on one line."""
        self.retry_after = retry_after
        """Seconds that the server asks to wait; None when it doesn't say."""
        self.details = dict(details or {})
        self.server = server
        super().__init__(self._sentence())

    @classmethod
    def of(
        cls, status: int, told: Mapping[str, Any], *, server: str, words: str = "", retry_after: str | None = None
    ) -> Self:
        """From the `Status` that a server sent; `words` and `retry_after` are what else came with it."""
        details = told.get("details") or {}
        return cls(
            status,
            str(told.get("reason") or ""),
            str(told.get("message") or words),
            _seconds(retry_after, details.get("retryAfterSeconds")),
            details,
            server=server,
        )

    def _sentence(self) -> str:
        who = self.server or "the API server"
        said = self.message or self.reason or "no reason given"
        match self.status:
            case 401:
                return (
                    f"{who} does not know who asks: {said}; renew the credential, or give its identity an access entry"
                )
            case 403:
                return (
                    f"{who} refuses: {said}; give that identity the right by a role and its binding, or ask as another"
                )
        return f"{who} answers {' '.join(filter(None, (str(self.status), self.reason)))}: {said}"

    @property
    def not_found(self) -> bool:
        """There is no such object, or no such kind."""
        return self.status == 404

    @property
    def already_exists(self) -> bool:
        """The name of a create is taken."""
        return self.status == 409 and self.reason == "AlreadyExists"

    @property
    def expired(self) -> bool:
        """The history that a watch or a page needs is gone: list again."""
        return self.status == 410

    @property
    def too_new(self) -> bool:
        """The server is behind the resource version asked for, as after a restore from a backup: list again."""
        causes = self.details.get("causes") or ()
        return any(isinstance(each, Mapping) and each.get("reason") == "ResourceVersionTooLarge" for each in causes)

    @property
    def overloaded(self) -> bool:
        """Nothing was done; the same call may succeed later."""
        return self.status in {429, 503}


class ClusterUnreachableError(BackendUnavailableError):
    """No answer: no connection, no trust, no credential, or silence. What was sent may or may not have been done."""

    code = "cluster-unreachable"


class InvalidAccessError(InvalidInputError):
    """A kubeconfig, or what stands in for one, can't be used; `problems` holds everything that is wrong with it."""

    code = "invalid-cluster-access"


def _seconds(*given: Any) -> float | None:
    """Return the first that is a number of seconds."""
    for each in given:
        try:
            if each is not None and float(each) > 0:
                return float(each)
        except (TypeError, ValueError):
            continue
    return None
