"""Tokens of the door."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from archer.errors import ConflictError, NotFoundError
from archer.store.interface import Token

if TYPE_CHECKING:
    from tests.archer.store.conftest import StoreKit


def make(kit: StoreKit, name: str) -> Token:
    now = kit.clock.now()
    roles = ("viewer", "submitter:root.etl")
    return Token(
        id=name, digest=name * 8, subject="ada", roles=roles, created_at=now, expires_at=now + timedelta(days=90)
    )


def test_a_token_is_found_by_its_digest_and_listed_by_its_name(kit: StoreKit) -> None:
    second, first = make(kit, "two"), replace(make(kit, "one"), expires_at=None)
    kit.store.add_token(second)
    kit.store.add_token(first)

    assert kit.store.token(second.digest) == second
    assert kit.store.token("unknown") is None
    assert list(kit.store.tokens()) == [first, second]


def test_a_name_or_a_secret_that_is_taken_is_refused(kit: StoreKit) -> None:
    known = make(kit, "one")
    kit.store.add_token(known)

    for taken in (replace(known, digest="new"), replace(known, id="new")):
        with pytest.raises(ConflictError):
            kit.store.add_token(taken)
    assert list(kit.store.tokens()) == [known]


def test_a_revoked_token_is_still_found_and_keeps_the_first_moment(kit: StoreKit) -> None:
    kit.store.add_token(make(kit, "one"))
    first = kit.clock.now()
    kit.store.revoke_token("one", at=first)
    kit.clock.advance(5)
    kit.store.revoke_token("one", at=kit.clock.now())

    found = kit.store.token("one" * 8)
    assert found is not None
    assert found.revoked_at == first
    with pytest.raises(NotFoundError):
        kit.store.revoke_token("two", at=first)
