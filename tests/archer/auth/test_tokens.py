"""Tokens: what a secret looks like, what is kept of it, how it is compared, and for how long a look-up is believed."""

from __future__ import annotations

import hashlib
import hmac
import math
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from archer.auth.identity import Proof
from archer.auth.tokens import CACHE_SECONDS, TokenBook, new_token
from archer.errors import NotAuthenticatedError, StoreUnavailableError
from archer.store.connection import Database
from archer.store.interface import Token
from archer.store.sql import SqlStore
from testbed.archer_fakes import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(tmp_path: Path, migrated_database: Path, clock: FakeClock) -> Iterator[SqlStore]:
    shutil.copy(migrated_database, tmp_path / "archer.db")
    made = SqlStore(Database(f"sqlite:///{tmp_path / 'archer.db'}"), clock)
    yield made
    made.close()


class Ticks:
    """A clock that only goes when it is told to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def add(store: SqlStore, clock: FakeClock, subject: str = "ada", **changes: object) -> tuple[str, Token]:
    secret, token = new_token(subject=subject, roles=["viewer"], created_at=clock.now(), expires_at=None)
    token = replace(token, **changes)  # type: ignore[arg-type]  # the tests below name fields of Token
    store.add_token(token)
    return secret, token


def test_a_secret_has_a_prefix_an_id_and_256_random_bits(clock: FakeClock) -> None:
    made = [new_token(subject="ada", roles=["viewer"], created_at=clock.now(), expires_at=None) for _ in range(200)]

    assert all(re.fullmatch(rf"archer_{token.id}_[0-9A-Za-z]{{43}}", secret) for secret, token in made)
    assert len({secret for secret, _ in made}) == len({token.id for _, token in made}) == 200
    # 43 digits of base 62 hold 32 bytes, 42 would not
    assert 62**42 < 2**256 < 62**43
    # every digit is met, first ones too: nothing of the randomness is cut off
    assert len(set("".join(secret[-42:] for secret, _ in made))) == 62
    assert math.log2(len({secret.rsplit("_", 1)[1][0] for secret, _ in made})) > 2


def test_only_the_digest_is_kept(clock: FakeClock) -> None:
    secret, token = new_token(subject="ada", roles=["viewer"], created_at=clock.now(), expires_at=None)

    assert token.digest == hashlib.sha256(secret.encode()).hexdigest()
    assert secret.rsplit("_", 1)[1] not in repr(token)


def test_a_secret_stands_for_its_subject_with_its_roles(store: SqlStore, clock: FakeClock) -> None:
    secret, _ = add(store, clock, roles=("operator", "submitter:root.etl"))

    found = TokenBook(store, clock).identity(secret)

    assert (found.subject, found.roles, found.proof) == (
        "ada",
        frozenset({"operator", "submitter:root.etl"}),
        Proof.TOKEN,
    )


def test_what_the_database_found_is_compared_in_constant_time(
    store: SqlStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, token = add(store, clock)
    compared, real = [], hmac.compare_digest

    def compare(first: str, second: str) -> bool:
        compared.append((first, second))
        return real(first, second)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    TokenBook(store, clock).identity(secret)

    assert compared == [(token.digest, token.digest)]


def test_a_database_that_finds_another_row_opens_nothing(
    store: SqlStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, _ = add(store, clock)
    _, other = add(store, clock, subject="admin")
    monkeypatch.setattr(store, "token", lambda _digest: other)

    with pytest.raises(NotAuthenticatedError):
        TokenBook(store, clock).identity(secret)


@pytest.mark.parametrize("ended", ["expired", "revoked", "unknown", "garbage"])
def test_the_reason_of_a_refusal_tells_a_guess_nothing(store: SqlStore, clock: FakeClock, ended: str) -> None:
    secret, token = add(store, clock, expires_at=clock.now() + timedelta(seconds=60))
    if ended == "expired":
        clock.advance(60)
    elif ended == "revoked":
        store.revoke_token(token.id, at=clock.now())
    else:
        secret = {"unknown": f"{secret[:-5]}AAAAA", "garbage": "garbage"}[ended]

    with pytest.raises(NotAuthenticatedError) as refused:
        TokenBook(store, clock).identity(secret)

    assert str(refused.value).startswith("the token is not known, has expired or was revoked")


def test_many_requests_read_the_database_once_in_a_while(
    store: SqlStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, _ = add(store, clock)
    ticks, real = Ticks(), store.token
    looks: list[str] = []

    def look(digest: str) -> Token | None:
        looks.append(digest)
        return real(digest)

    monkeypatch.setattr(store, "token", look)
    book = TokenBook(store, clock, monotonic=ticks)

    for _ in range(1000):
        book.identity(secret)
    assert len(looks) == 1
    ticks.now += CACHE_SECONDS
    book.identity(secret)
    assert len(looks) == 2


def test_what_is_said_to_be_remembered_is_answered_without_the_database(
    store: SqlStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, _ = add(store, clock)
    ticks = Ticks()
    book = TokenBook(store, clock, monotonic=ticks)
    assert not book.remembers(secret)

    book.identity(secret)
    ticks.now += CACHE_SECONDS - 1.1
    assert book.remembers(secret)
    ticks.now += 0.9
    monkeypatch.setattr(store, "token", lambda _digest: pytest.fail("the database was asked"))
    assert book.identity(secret).subject
    assert not book.remembers(secret)
    assert not book.remembers("archer_guess")


def test_a_token_revoked_elsewhere_works_for_some_seconds_and_no_longer(store: SqlStore, clock: FakeClock) -> None:
    secret, token = add(store, clock)
    ticks = Ticks()
    book = TokenBook(store, clock, monotonic=ticks)
    book.identity(secret)

    store.revoke_token(token.id, at=clock.now())

    ticks.now += CACHE_SECONDS - 0.1
    book.identity(secret)
    ticks.now += 0.1
    with pytest.raises(NotAuthenticatedError):
        book.identity(secret)
    assert CACHE_SECONDS <= 10


def test_a_token_works_as_soon_as_it_was_made(store: SqlStore, clock: FakeClock) -> None:
    secret, token = new_token(subject="ada", roles=["viewer"], created_at=clock.now(), expires_at=None)
    book = TokenBook(store, clock)
    with pytest.raises(NotAuthenticatedError):
        book.identity(secret)

    store.add_token(token)

    assert book.identity(secret).subject == "ada"


def test_a_database_that_is_away_is_no_refusal(
    store: SqlStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, _ = add(store, clock)
    ticks = Ticks()
    book = TokenBook(store, clock, monotonic=ticks)
    book.identity(secret)

    def away(_digest: str) -> Token:
        raise StoreUnavailableError("locked")

    monkeypatch.setattr(store, "token", away)
    book.identity(secret)
    ticks.now += CACHE_SECONDS
    with pytest.raises(StoreUnavailableError):
        book.identity(secret)
