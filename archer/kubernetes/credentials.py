"""Who Archer is to an API server: a token, wherever it comes from, renewed before it ends and when it was refused."""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from archer.kubernetes.errors import ClusterUnreachableError

_REREAD_SECONDS: Final = 60.0
"""How long a token of a file is kept: kubelet writes a new one long before the old one ends."""
_AT_ONCE_SECONDS: Final = 5.0
"""Threads whose token was refused together need one new token, and a server that refuses all must not cost one per call."""


class Credentials(ABC):
    """Gives the token to send. Safe to use from many threads."""

    @abstractmethod
    def token(self, *, refused: bool = False) -> str:
        """Return the token; a new one when the last was `refused`. Raises ClusterUnreachableError."""


@dataclass(frozen=True)
class FixedToken(Credentials):
    """A token that somebody wrote down; it can't be renewed."""

    value: str = field(repr=False)

    def token(self, *, refused: bool = False) -> str:  # noqa: ARG002  # there is no other one
        return self.value


class RenewedToken(Credentials):
    """A token that a function makes, kept until shortly before its end."""

    def __init__(
        self, make: Callable[[], tuple[str, float | None]], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`make` returns a token and the seconds for which it is to be kept; None for as long as it is accepted."""
        self._make = make
        self._clock = clock
        self._lock = threading.Lock()
        self._value: str | None = None
        self._made = 0.0
        self._keep: float | None = None

    def token(self, *, refused: bool = False) -> str:
        with self._lock:
            age = self._clock() - self._made
            over = self._keep is not None and age >= self._keep
            if self._value is None or over or (refused and age >= _AT_ONCE_SECONDS):
                self._value, self._keep = self._make()
                self._made = self._clock()
            return self._value


def file_token(file: Path) -> RenewedToken:
    """Return the token of a file that somebody else keeps fresh, as kubelet does for a service account."""

    def read() -> tuple[str, float]:
        try:
            value = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ClusterUnreachableError(f"can't read the token file {file}: {error}; put a token there") from error
        if not value:
            raise ClusterUnreachableError(f"the token file {file} is empty; put a token there")
        return value, _REREAD_SECONDS

    return RenewedToken(read)
