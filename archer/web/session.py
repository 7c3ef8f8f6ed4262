"""Signing in and out of the page, without JavaScript: a form takes a token, a cookie keeps it.

Only where the server takes tokens; behind a proxy the proxy's own session is enough. The cookie is HttpOnly (no script
reads it) and SameSite=Strict (no foreign page makes the browser send it); `archer.api.door` checks forms' origin besides.
"""

from urllib.parse import parse_qs, quote, urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from archer.auth.access import COOKIE, Access
from archer.auth.identity import Proof
from archer.errors import NotAuthenticatedError
from archer.web.failures import PageRoute, not_found_page
from archer.web.rendering import page

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_COOKIE_SECONDS = 12 * 3600
# a working day; a token that ends earlier ends the session with it
_SEE_OTHER = 303


@router.get("/login")
def login_page(request: Request, next: str = "/") -> Response:  # noqa: A002  # the address's own word
    """The form for a token."""
    if not _access(request).has_login:
        return not_found_page("this server asks for no token here")
    return _form(_own_path(next))


@router.post("/login")
async def login(request: Request) -> Response:
    """Set the cookie and go on to the page that was asked for, or show the form again."""
    access = _access(request)
    if not access.has_login:
        return not_found_page("this server asks for no token here")
    fields = _fields(await request.body())
    secret = fields.get("token", [""])[0].strip()
    wanted = _own_path(fields.get("next", ["/"])[0])
    try:
        await run_in_threadpool(access.known, secret, Proof.COOKIE)
    except NotAuthenticatedError as error:
        return _form(wanted, problem=str(error), status=401)
    answer = RedirectResponse(wanted, status_code=_SEE_OTHER)
    answer.set_cookie(
        COOKIE,
        secret,
        max_age=_COOKIE_SECONDS,
        httponly=True,
        samesite="strict",
        # anybody may claim https here: it only makes the cookie stricter
        secure=request.url.scheme == "https" or request.headers.get("x-forwarded-proto") == "https",
    )
    return answer


@router.post("/logout")
def logout() -> Response:
    """Forget the cookie."""
    answer = RedirectResponse("/login", status_code=_SEE_OTHER)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer


def _access(request: Request) -> Access:
    access: Access = request.app.state.access
    return access


def _fields(body: bytes) -> dict[str, list[str]]:
    try:
        return parse_qs(body.decode("utf-8", errors="replace"), max_num_fields=10)
    except ValueError:
        return {}


def _form(wanted: str, *, problem: str = "", status: int = 200) -> Response:
    return page("login.html", status=status, next=wanted, problem=problem)


def _own_path(text: str) -> str:
    """Where to go after signing in: a path of this server; the list of jobs for anything else."""
    parts = urlsplit(text)
    if not text.startswith("/") or text.startswith("//") or parts.netloc or not text.isprintable() or "\\" in text:
        return "/"
    return quote(text, safe="/?&=%:+,;@~.-_")
