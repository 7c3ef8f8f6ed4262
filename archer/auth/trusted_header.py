"""Identities from a proxy in front: it has asked who somebody is, and says so in headers.

Anybody can send a header, so only those of a peer in `trusted_proxies` are read; from others they mean nothing. The peer
is the other end of the TCP connection, never what `X-Forwarded-For` says. Each header may come once: a proxy that adds
its own beside the client's would leave two, and it can't be told which is whose.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from archer.auth.identity import Identity, Proof, is_subject
from archer.errors import NotAuthenticatedError

Headers = Sequence[tuple[bytes, bytes]]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, kw_only=True)
class TrustedHeaders:
    """Which peers are believed, and which headers of theirs."""

    proxies: Sequence[Network]
    user_header: str
    groups_header: str

    def trusts(self, peer: str | None) -> bool:
        """Whether the other end of the connection is one of the proxies."""
        try:
            address = ipaddress.ip_address(peer or "")
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self.proxies if network.version == address.version)

    def identity(self, peer: str | None, headers: Headers) -> Identity:
        """Whom the proxy names, with the groups it says, and no role yet. Raises NotAuthenticatedError."""
        if not self.trusts(peer):
            raise NotAuthenticatedError("this server is reached through its proxy; sign in there")
        users = _values(headers, self.user_header)
        groups = _values(headers, self.groups_header)
        if not users:
            raise NotAuthenticatedError(f"the proxy names nobody; it must set {self.user_header}")
        if len(users) > 1 or len(groups) > 1:
            raise NotAuthenticatedError(
                f"the proxy sends {self.user_header} or {self.groups_header} more than once; it must replace a client's own"
            )
        if not is_subject(users[0]):
            raise NotAuthenticatedError(f"the proxy sends no name that a user may have in {self.user_header}")
        named = (group.strip() for group in groups[0].split(",")) if groups else ()
        return Identity(subject=users[0], groups=frozenset(group for group in named if group), proof=Proof.PROXY)


def _values(headers: Headers, name: str) -> list[str]:
    wanted = name.lower().encode("latin-1")
    try:
        return [value.decode("utf-8").strip() for key, value in headers if key.lower() == wanted]
    except UnicodeDecodeError:
        raise NotAuthenticatedError(f"the proxy sends something else than UTF-8 in {name}") from None
