"""The door: who may knock, who comes in, and how large a letter may be.

Without authentication it asks nobody who they are, so it must only be reachable from this machine. Listening on a loopback
address is not enough: a web page in the user's browser could talk to it. Hence a Host header that names this machine
(against DNS rebinding), and JSON only for anything that changes something (a foreign page can't send that without
permission, and there is none to be had: no CORS). Forms, and whatever a browser proves by itself (a cookie, a proxy's
session), must come from a page of ours. Answers tell browsers not to guess their type, and not to hand them to foreign pages.

With authentication everything but `OPEN` wants an identity, addresses that there are not included.
"""

import ipaddress
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from archer.api.bodies import check_body
from archer.api.problems import answer_for
from archer.auth.access import Access
from archer.auth.identity import Identity, Proof
from archer.errors import ArcherError, CannotServeError, MalformedRequestError, NotAuthenticatedError
from archer.settings import ServeSettings
from archer.web.failures import error_page, wants_page

MAX_BODY_BYTES = 1024 * 1024

OPEN = frozenset({"/healthz", "/readyz", "/metrics", "/login"})
"""Addresses that answer without an identity; files of the page under /static/ too. Metrics carry queues and numbers of
jobs, never names of jobs or users."""

_FORM = "application/x-www-form-urlencoded"
_ON_EVERY_ANSWER = ((b"x-content-type-options", b"nosniff"), (b"cross-origin-resource-policy", b"same-origin"))


def is_loopback(name: str) -> bool:
    """Whether `name` can only mean this machine."""
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def check_reach(settings: ServeSettings) -> None:
    """Raise CannotServeError when others could reach a door that asks nobody who they are."""
    if not is_loopback(settings.host) and settings.authentication == ("none",):
        raise CannotServeError(
            f"`host` must be a loopback address while `authentication` is none, got {settings.host!r}; set "
            "ARCHER_AUTHENTICATION=token (make the first one with `archer token create --direct`) or "
            "ARCHER_AUTHENTICATION=proxy with ARCHER_TRUSTED_PROXIES, or listen on 127.0.0.1"
        )


class Door:
    """ASGI middleware in front of everything. Leaves the identity in `request.state.identity`."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(header for header in _ON_EVERY_ANSWER if header[0] not in present),
                ]
            await send(message)

        await self._let_in(scope, receive, send_guarded)

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            if self._access.local:
                _check_host(headers.get("host", ""))
            identity = await self._identity(scope)
            scope.setdefault("state", {})["identity"] = identity
            if scope["method"] not in {"GET", "HEAD", "OPTIONS"}:
                form = _check_content_type(scope["path"], headers.get("content-type", ""))
                _check_origin(headers, identity, form=form)
                receive = await _whole_body(headers.get("content-length"), receive, json=not form)
        except ArcherError as error:
            await self._refusal(error, scope, headers)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _identity(self, scope: Scope) -> Identity | None:
        path = scope["path"]
        if path in OPEN or path.startswith("/static/"):
            return None
        peer = scope["client"][0] if scope.get("client") else None
        if self._access.at_hand(peer, scope["headers"]):
            return self._access.identify(peer, scope["headers"])
        return await run_in_threadpool(self._access.identify, peer, scope["headers"])

    def _refusal(self, error: ArcherError, scope: Scope, headers: Mapping[str, str]) -> Response:
        if not wants_page(scope["path"], headers.get("accept", "")) or isinstance(error, MalformedRequestError):
            return answer_for(error)
        if isinstance(error, NotAuthenticatedError) and self._access.has_login:
            query = scope["query_string"].decode("latin-1")
            wanted = scope["path"] + (f"?{query}" if query else "") if scope["method"] in {"GET", "HEAD"} else "/"
            return RedirectResponse(f"/login?next={quote(wanted, safe='')}", status_code=303)
        return error_page(error)


def _check_host(host: str) -> None:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        name = ""
    if not is_loopback(name):
        raise MalformedRequestError(
            f"`Host` must be a loopback name (localhost, 127.0.0.1, [::1]), got {host!r}; use one of these in the URL",
            code="foreign-host",
            status=421,
        )


def _check_content_type(path: str, content_type: str) -> bool:
    """Return whether it is a form; the API takes none."""
    given = content_type.partition(";")[0].strip().lower()
    if given == _FORM and not path.startswith("/api/"):
        return True
    if given != "application/json":
        raise MalformedRequestError(
            f"`Content-Type` must be application/json, got {content_type!r}; set this header",
            code="unsupported-media-type",
            status=415,
        )
    return False


def _check_origin(headers: Mapping[str, str], identity: Identity | None, *, form: bool) -> None:
    """Refuse what a foreign page may have sent: with a form, or with what a browser adds by itself."""
    by_browser = identity is not None and identity.proof in {Proof.COOKIE, Proof.PROXY}
    if not form and not by_browser:
        return
    same = _same_origin(headers)
    if same is None and not form and identity is not None and identity.proof is Proof.PROXY:
        # no browser: each of them says where a POST comes from; and JSON is more than a foreign page may send
        return
    if not same:
        raise MalformedRequestError(
            "this request does not come from a page of this server; open the page here and try again",
            code="cross-site",
            status=403,
        )


def _same_origin(headers: Mapping[str, str]) -> bool | None:
    """Whether a page of this server sent it; None when nothing says so, one way or the other."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("origin")
    if origin is None:
        return None
    host = headers.get("host", "").lower()
    try:
        return bool(host) and urlsplit(origin).netloc.lower() == host
    except ValueError:
        return False


def _too_large() -> MalformedRequestError:
    return MalformedRequestError(
        f"the body must be at most {MAX_BODY_BYTES} bytes; put large inputs into files and name them",
        code="too-large",
        status=413,
    )


async def _whole_body(content_length: str | None, receive: Receive, *, json: bool) -> Receive:
    """Read the body up to the limit and check it, then play it back to the application."""
    if content_length is not None and content_length.isdigit() and int(content_length) > MAX_BODY_BYTES:
        raise _too_large()
    chunks: list[Message] = []
    size = 0
    while True:
        message = await receive()
        chunks.append(message)
        size += len(message.get("body", b""))
        if size > MAX_BODY_BYTES:
            raise _too_large()
        if message["type"] != "http.request" or not message.get("more_body", False):
            break
    if size and json:
        check_body(b"".join(message.get("body", b"") for message in chunks))

    async def replay() -> Message:
        return chunks.pop(0) if chunks else await receive()

    return replay
