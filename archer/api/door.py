"""The local door: who may knock, and how large a letter may be.

This door asks nobody who they are, so it must only be reachable from this machine. Listening on a loopback address is not
enough: a web page in the user's browser could talk to it. Hence a Host header that names this machine (against DNS
rebinding), and JSON only for anything that changes something (a foreign page can't send that without permission, and
there is none to be had: no CORS). Answers tell browsers not to guess their type, and not to hand them to foreign pages.
"""

import ipaddress
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from archer.api.bodies import check_body
from archer.api.problems import answer_for
from archer.errors import MalformedRequestError

MAX_BODY_BYTES = 1024 * 1024

_ON_EVERY_ANSWER = ((b"x-content-type-options", b"nosniff"), (b"cross-origin-resource-policy", b"same-origin"))


def is_loopback(name: str) -> bool:
    """Whether `name` can only mean this machine."""
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class LocalDoor:
    """ASGI middleware in front of everything."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

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
        try:
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            _check_host(headers.get("host", ""))
            if scope["method"] not in {"GET", "HEAD", "OPTIONS"}:
                _check_content_type(headers.get("content-type", ""))
                receive = await _whole_body(headers.get("content-length"), receive)
        except MalformedRequestError as error:
            await answer_for(error)(scope, receive, send)
            return
        await self._app(scope, receive, send)


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


def _check_content_type(content_type: str) -> None:
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise MalformedRequestError(
            f"`Content-Type` must be application/json, got {content_type!r}; set this header",
            code="unsupported-media-type",
            status=415,
        )


def _too_large() -> MalformedRequestError:
    return MalformedRequestError(
        f"the body must be at most {MAX_BODY_BYTES} bytes; put large inputs into files and name them",
        code="too-large",
        status=413,
    )


async def _whole_body(content_length: str | None, receive: Receive) -> Receive:
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
    if size:
        check_body(b"".join(message.get("body", b"") for message in chunks))

    async def replay() -> Message:
        return chunks.pop(0) if chunks else await receive()

    return replay
