"""Turns templates into answers: escaping on, unknown names refused, and the headers that keep a page to itself."""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

from archer.durations import format_duration
from archer.model import Attempt, Job, JobState
from archer.redaction import redact_text
from archer.web.words import LOOKS, Look

HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
)
"""On every page. `no-store`: a page shows a state that is true only now."""

_ABSENT: Mapping[str, Any] = {"live": False, "here": "", "history_url": None, "who": None}
# what the frame of every page asks for
_MEDIA_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
_TICKED = re.compile(r"`([^`\n]+)`")
_ASSETS = ("archer.css", "archer.js", "favicon.svg")


def page(template: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **context: Any) -> HTMLResponse:
    """The page that `template` makes of `context`, as an answer."""
    body = _environment().get_template(template).render({**_ABSENT, **context})
    return HTMLResponse(body, status_code=status, headers={**HEADERS, **(headers or {})})


def plain_text(text: str) -> Response:
    """A log as the browser should show it: text, never a page."""
    return Response(text, media_type="text/plain", headers=dict(HEADERS))


def asset_answer(name: str) -> Response | None:
    """A stylesheet, script or picture of ours; None when there is none of that name.

    Its address carries a hash of its content, so a browser may keep it for ever.
    """
    if name not in _ASSETS:
        return None
    headers = {**HEADERS, "Cache-Control": "public, max-age=31536000, immutable"}
    return Response(_asset(name), media_type=_MEDIA_TYPES[name.rpartition(".")[2]], headers=headers)


def utc(time: datetime) -> str:
    """`2026-11-23 22:10:05`: to the second, in UTC, as the page's foot says."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def rfc3339(time: datetime) -> str:
    """For the `datetime` attribute."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def runtime(what: Job | Attempt, now: datetime) -> str:
    """How long it ran, or has been running by `now`; a dash before it started."""
    if what.started_at is None:
        return "\N{EN DASH}"
    return format_duration(((what.finished_at or now) - what.started_at).total_seconds())


def remark(job: Job) -> str:
    """What a row of the list adds to the state: why it failed, why it waits, or what it is at."""
    if job.diagnosis is not None and job.state is not JobState.SUCCEEDED:
        return job.diagnosis.summary
    return "" if job.state.final else job.substate or job.reason or ""


def upper_first(sentence: str) -> str:
    """Archer's messages begin in lower case; on a page they stand alone."""
    return sentence[:1].upper() + sentence[1:]


def prose(text: object) -> Markup:
    """One of Archer's sentences: secrets masked, and what stands between backticks in the type of code."""
    return Markup(_TICKED.sub(r"<code>\1</code>", str(escape(redact_text(str(text))))))  # noqa: S704  # escaped just here


def dotted(path: str) -> Markup:
    """A queue's path, which may break after its dots and nowhere else."""
    return Markup(".<wbr>").join(path.split("."))


def _look(state: JobState) -> Look:
    return LOOKS[state]


@cache
def _asset(name: str) -> bytes:
    return files("archer.web").joinpath("static", name).read_bytes()


@cache
def _asset_url(name: str) -> str:
    return f"/static/{name}?v={hashlib.sha256(_asset(name)).hexdigest()[:12]}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("archer.web"),
        # every template is HTML, whatever it is called
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "asset": _asset_url,
        "look": _look,
        "utc": utc,
        "rfc3339": rfc3339,
        "runtime": runtime,
        "remark": remark,
        "upper_first": upper_first,
        # what jobs and clusters said may quote a password; see archer.redaction
        "shown": redact_text,
        "prose": prose,
        "dotted": dotted,
    }
    return environment
