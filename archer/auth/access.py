"""Finds out who asks, by the ways that the server's settings allow, and what the environment grants them.

A token in the `Authorization` header is tried first and alone; then, from a trusted proxy, its headers; then the page's
cookie. Roles of a proxy's users come from `group_roles`, teams of anybody from `submitters` of the environment file.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import replace
from http.cookies import CookieError, SimpleCookie

from archer.auth.desk import TokenDesk
from archer.auth.identity import ANYBODY, Identity, Proof, teams_of
from archer.auth.tokens import TokenBook
from archer.auth.trusted_header import Headers, TrustedHeaders
from archer.clock import Clock
from archer.cluster_config import ClusterConfig
from archer.errors import NotAuthenticatedError
from archer.settings import ServeSettings
from archer.store.interface import Store
from archer.submission import DEFAULT_QUEUE

COOKIE = "archer_token"
"""The page's cookie."""

_MOST_CHARACTERS = 8192
# of a header that may hold a secret


class Access:
    """Who may come in."""

    def __init__(
        self,
        *,
        book: TokenBook | None = None,
        desk: TokenDesk | None = None,
        proxies: TrustedHeaders | None = None,
        group_roles: Sequence[tuple[str, str]] = (),
        config: ClusterConfig | None = None,
    ) -> None:
        """With neither tokens nor proxies this is the local door, which asks nobody."""
        self._book = book
        self.desk = desk
        self._proxies = proxies
        self._group_roles = group_roles
        self._submitters: Mapping[str, frozenset[str]] = (
            {} if config is None else {team.name: frozenset(team.submitters) for team in config.teams}
        )
        self._config = config
        self.default_queue = DEFAULT_QUEUE if config is None else config.queues.default

    def is_shared(self, queue: str) -> bool:
        """Whether several teams may use the queue: to submit there isn't yet to be one of them."""
        if self._config is None:
            return False
        return sum(self._config.team_may_use(team, queue) for team in self._config.teams) > 1

    @property
    def local(self) -> bool:
        """Whether nobody is asked who they are."""
        return self._book is None and self._proxies is None

    @property
    def has_login(self) -> bool:
        """Whether the page can ask for a token."""
        return self._book is not None

    def identify(self, peer: str | None, headers: Headers) -> Identity:
        """Who sent a request. Raises NotAuthenticatedError, StoreUnavailableError."""
        if self.local:
            return ANYBODY
        bearer = _bearer(headers)
        if bearer is not None:
            return self.known(bearer)
        if self._proxies is not None and (self._book is None or self._proxies.trusts(peer)):
            found = self._proxies.identity(peer, headers)
            return self._with_teams(replace(found, roles=self._roles_of(found.groups)))
        cookie = _cookie(headers)
        if cookie is not None:
            return self.known(cookie, Proof.COOKIE)
        raise NotAuthenticatedError("this server asks for a token; send it as `Authorization: Bearer archer_...`")

    def at_hand(self, peer: str | None, headers: Headers) -> bool:
        """Whether `identify` answers at once, without the database."""
        if self._book is None:
            return True
        try:
            bearer = _bearer(headers)
        except NotAuthenticatedError:
            return True
        if bearer is None:
            return self._proxies is not None and self._proxies.trusts(peer)
        return self._book.remembers(bearer)

    def known(self, secret: str, proof: Proof = Proof.TOKEN) -> Identity:
        """Whom a token stands for. Raises NotAuthenticatedError, StoreUnavailableError."""
        if self._book is None:
            raise NotAuthenticatedError("this server takes no tokens; sign in at its proxy")
        return self._with_teams(self._book.identity(secret, proof))

    def _roles_of(self, groups: frozenset[str]) -> frozenset[str]:
        return frozenset(role for group, role in self._group_roles if group in groups)

    def _with_teams(self, identity: Identity) -> Identity:
        by_group = frozenset(team for team, named in self._submitters.items() if named & identity.groups)
        return replace(identity, teams=by_group | teams_of(identity.roles))


def make_access(settings: ServeSettings, store: Store, clock: Clock, config: ClusterConfig | None) -> Access:
    """As the settings say."""
    book = TokenBook(store, clock) if "token" in settings.authentication else None
    proxies = None
    if "proxy" in settings.authentication:
        proxies = TrustedHeaders(
            proxies=[ipaddress.ip_network(network) for network in settings.trusted_proxies],
            user_header=settings.user_header,
            groups_header=settings.groups_header,
        )
    pairs = (entry.rpartition("=") for entry in settings.group_roles)
    return Access(
        book=book,
        desk=TokenDesk(store, clock, book),
        proxies=proxies,
        group_roles=[(group, role) for group, _, role in pairs],
        config=config,
    )


def _bearer(headers: Headers) -> str | None:
    """The token of the `Authorization` header; None when there is no such header."""
    given = [value for name, value in headers if name.lower() == b"authorization"]
    if not given:
        return None
    scheme, _, secret = given[0].decode("latin-1")[:_MOST_CHARACTERS].partition(" ")
    if len(given) > 1 or scheme.lower() != "bearer":
        raise NotAuthenticatedError("`Authorization` must be given once, as `Bearer archer_...`")
    return secret.strip()


def _cookie(headers: Headers) -> str | None:
    for name, value in headers:
        if name.lower() == b"cookie":
            try:
                found = SimpleCookie(value.decode("latin-1")[:_MOST_CHARACTERS]).get(COOKIE)
            except CookieError:
                continue
            if found is not None:
                return found.value
    return None
