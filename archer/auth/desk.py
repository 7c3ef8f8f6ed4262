"""Makes, lists and revokes tokens. Whether somebody may is asked before; this does it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from archer.auth.identity import grant_problems
from archer.auth.tokens import TokenBook, new_token
from archer.clock import Clock
from archer.errors import InvalidInputError, Problem
from archer.problems import shown
from archer.store.interface import Store, Token

LONGEST_DAYS = 3650
"""Of a token that expires."""


@dataclass(frozen=True, kw_only=True)
class NewSecret:
    """A token just made. The secret is nowhere else."""

    secret: str
    token: Token


class TokenDesk:
    """Where tokens are made and ended."""

    def __init__(self, store: Store, clock: Clock, book: TokenBook | None = None) -> None:
        self._store = store
        self._clock = clock
        self._book = book

    def create(self, *, subject: str, roles: Sequence[str], expires_in_seconds: float | None) -> NewSecret:
        """A new token. Raises InvalidInputError with all that is wrong with the grant."""
        problems = grant_problems(subject, list(roles))
        if expires_in_seconds is not None and not 1 <= expires_in_seconds <= LONGEST_DAYS * 86400:
            allowed = f"1 second to {LONGEST_DAYS} days, or absent for a token that does not expire"
            value = shown(expires_in_seconds)
            problems.append(Problem(path="expires_in_seconds", value=value, allowed=allowed, fix="give such a time"))
        if problems:
            raise InvalidInputError(problems)
        now = self._clock.now()
        expires_at = None if expires_in_seconds is None else now + timedelta(seconds=round(expires_in_seconds))
        secret, token = new_token(subject=subject, roles=roles, created_at=now, expires_at=expires_at)
        self._store.add_token(token)
        return NewSecret(secret=secret, token=token)

    def tokens(self) -> Sequence[Token]:
        """All of them, ended ones included."""
        return self._store.tokens()

    def revoke(self, token_id: str) -> None:
        """End a token; a second time changes nothing. Raises NotFoundError."""
        self._store.revoke_token(token_id, at=self._clock.now())
        if self._book is not None:
            self._book.forget(token_id)
