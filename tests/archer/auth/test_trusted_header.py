"""Headers of a proxy: believed from it alone, never from whoever sends the same."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

import pytest

from archer.auth.identity import Identity
from archer.auth.trusted_header import TrustedHeaders
from archer.errors import NotAuthenticatedError

if TYPE_CHECKING:
    from archer.auth.trusted_header import Headers

TRUSTED = TrustedHeaders(
    proxies=[ipaddress.ip_network("10.9.0.0/16"), ipaddress.ip_network("fd00::7")],
    user_header="X-Forwarded-User",
    groups_header="X-Forwarded-Groups",
)
ADA: Headers = [(b"x-forwarded-user", b"ada"), (b"X-Forwarded-Groups", b"etl, night watch,,")]


@pytest.mark.parametrize("peer", ["10.9.0.1", "10.9.255.255", "fd00::7", "::ffff:10.9.0.1"])
def test_a_trusted_proxy_says_who_asks(peer: str) -> None:
    found = TRUSTED.identity(peer, ADA)

    assert isinstance(found, Identity)
    assert (found.subject, found.groups, found.roles) == ("ada", frozenset({"etl", "night watch"}), frozenset())


@pytest.mark.parametrize(
    "peer", ["10.8.255.255", "10.10.0.0", "127.0.0.1", "fd00::8", "::ffff:10.8.0.1", "", None, "x"]
)
def test_from_anybody_else_the_same_headers_mean_nothing(peer: str | None) -> None:
    forwarded: Headers = [*ADA, (b"x-forwarded-for", b"10.9.0.1"), (b"forwarded", b"for=10.9.0.1")]

    with pytest.raises(NotAuthenticatedError):
        TRUSTED.identity(peer, forwarded)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"x-forwarded-groups", b"admins")],
        [(b"x-forwarded-user", b"")],
        [(b"x-forwarded-user", b"  ")],
        [(b"x-forwarded-user", b"a\x00b")],
        [(b"x-forwarded-user", b"\xff")],
        [(b"x-forwarded-user", b"a" * 129)],
        [(b"x_forwarded_user", b"ada")],
        [*ADA, (b"x-forwarded-user", b"root")],
        [*ADA, (b"X-FORWARDED-GROUPS", b"admins")],
    ],
    ids=str,
)
def test_a_proxy_that_names_nobody_or_two_is_not_believed(headers: Headers) -> None:
    with pytest.raises(NotAuthenticatedError):
        TRUSTED.identity("10.9.0.1", headers)


def test_names_beyond_ascii_are_read_as_utf_8() -> None:
    assert TRUSTED.identity("10.9.0.1", [(b"x-forwarded-user", "zoë".encode())]).subject == "zoë"
