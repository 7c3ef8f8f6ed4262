"""Static tokens: made once, shown once, kept as a digest, known again by it.

A secret is `archer_<id>_<32 random bytes in base 62>`: the prefix lets scanners find one that leaked, the id lets people
revoke it. A secret of 256 random bits needs no slow hash: SHA-256 can't be searched for it. A look-up is remembered for
`CACHE_SECONDS`, so that not each request reads the database; a revoked token works so long at most, on each server.
"""

import hashlib
import hmac
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime
from threading import Lock
from typing import Final

from archer.auth.identity import Identity, Proof
from archer.clock import Clock
from archer.errors import NotAuthenticatedError
from archer.store.interface import Store, Token

CACHE_SECONDS: Final = 5.0
"""How long a look-up is believed: the longest time that a revoked token goes on working."""

_CACHED: Final = 4096
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_BYTES: Final = 32
_DIGITS: Final = 43
# of base 62 for 32 bytes
_ID_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz234567"
_ID_LENGTH: Final = 10
_SECRET: Final = re.compile(rf"archer_([{_ID_ALPHABET}]{{{_ID_LENGTH}}})_[0-9A-Za-z]{{{_DIGITS}}}")

_UNKNOWN: Final = "the token is not known, has expired or was revoked; ask an admin of this server for a new one"
# the same for all: a guess is told nothing


def new_token(
    *, subject: str, roles: Sequence[str], created_at: datetime, expires_at: datetime | None
) -> tuple[str, Token]:
    """A fresh secret, and the record of it without the secret."""
    token_id = "".join(secrets.choice(_ID_ALPHABET) for _ in range(_ID_LENGTH))
    secret = f"archer_{token_id}_{_base62(secrets.token_bytes(_RANDOM_BYTES))}"
    token = Token(
        id=token_id,
        digest=digest_of(secret),
        subject=subject,
        roles=tuple(dict.fromkeys(roles)),
        created_at=created_at,
        expires_at=expires_at,
    )
    return secret, token


def digest_of(secret: str) -> str:
    """SHA-256, hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _base62(data: bytes) -> str:
    number = int.from_bytes(data)
    digits = []
    for _ in range(_DIGITS):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


class TokenBook:
    """Knows tokens again. Safe to use from many threads."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        cache_seconds: float = CACHE_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._clock = clock
        self._cache_seconds = cache_seconds
        self._monotonic = monotonic
        self._lock = Lock()
        self._seen: OrderedDict[str, tuple[float, Token]] = OrderedDict()

    def identity(self, secret: str, proof: Proof = Proof.TOKEN) -> Identity:
        """Whom a secret stands for.

        Raises NotAuthenticatedError, and StoreUnavailableError when the database must be asked and can't.
        """
        match = _SECRET.fullmatch(secret)
        if match is None:
            raise NotAuthenticatedError(_UNKNOWN)
        digest = digest_of(secret)
        token = self._token(digest)
        # a database may compare digests as it likes: what it found is compared again, in constant time
        if token is None or not hmac.compare_digest(token.digest, digest):
            raise NotAuthenticatedError(_UNKNOWN)
        now = self._clock.now()
        expired = token.expires_at is not None and token.expires_at <= now
        if expired or token.revoked_at is not None:
            raise NotAuthenticatedError(_UNKNOWN)
        return Identity(subject=token.subject, roles=frozenset(token.roles), proof=proof)

    def remembers(self, secret: str) -> bool:
        """Whether `identity` answers without the database, now and during the next second."""
        digest, now = digest_of(secret), self._monotonic()
        with self._lock:
            read_at, token = self._seen.get(digest, (0.0, None))
        return token is not None and now - read_at < self._cache_seconds - 1

    def forget(self, token_id: str) -> None:
        """On this server a token that was just revoked ends at once."""
        with self._lock:
            for digest in [digest for digest, (_, token) in self._seen.items() if token.id == token_id]:
                del self._seen[digest]

    def _token(self, digest: str) -> Token | None:
        now = self._monotonic()
        with self._lock:
            read_at, token = self._seen.get(digest, (0.0, None))
        if token is not None and now - read_at < self._cache_seconds:
            return token
        token = self._store.token(digest)
        with self._lock:
            self._seen.pop(digest, None)
            if token is not None:
                # `now` was before the look: what it found is never believed longer than said. Unknown ones aren't kept:
                # a token works as soon as it was made, and guesses don't push others out
                self._seen[digest] = (now, token)
                if len(self._seen) > _CACHED:
                    self._seen.popitem(last=False)
        return token
