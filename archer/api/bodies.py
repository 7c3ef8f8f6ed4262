"""What a JSON body must be beyond JSON: without names given twice, of a depth and with numbers that a parser can hold.

Of two equal names most parsers keep the last and say nothing; a job would run with half of what its owner wrote.
Mistakes of JSON itself are left to the framework, which tells where they are.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from archer.errors import MalformedRequestError
from archer.store.interface import Mode
from archer.submission import Submission


class NewToken(BaseModel):
    """A token that an admin asks for."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    subject: Annotated[str, Field(max_length=128)]
    """The user that it shall stand for."""
    roles: tuple[Annotated[str, Field(max_length=300)], ...]
    """One or more of `viewer`, `submitter:<queue>`, `team:<name>`, `operator`, `admin`."""
    expires_in_seconds: int | None = None
    """Absent: it does not expire."""


class NewMode(BaseModel):
    """Whether jobs go to a cluster or leave a queue, from now on."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    mode: Mode
    """`open`, `draining` (nothing new; jobs go elsewhere where they may) or `paused` (nothing new)."""
    message: Annotated[str, Field(max_length=500)] = ""
    """Why, for those whose jobs wait for it."""


_BODIES: Mapping[str, type[BaseModel]] = {
    "create_token": NewToken,
    "set_cluster": NewMode,
    "set_queue": NewMode,
}


def of_call(name: str | None) -> type[BaseModel]:
    """The body of the route of this name, for the wording of a refusal."""
    return _BODIES.get(name or "", Submission)


DEEPEST = 32
"""Levels of objects and lists; a submission has four."""


def check_body(body: bytes) -> None:
    """Raise MalformedRequestError, naming what is wrong."""
    try:
        value = json.loads(body, object_pairs_hook=_without_repetition)
    except (json.JSONDecodeError, UnicodeDecodeError):
        return
    except RecursionError:
        raise _too_deep() from None
    except ValueError:
        raise _malformed("it holds a number of too many digits; no field takes such a number") from None
    level = [value]
    for _ in range(DEEPEST):
        level = [part for whole in level for part in _parts(whole)]
    if level:
        raise _too_deep()


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _too_deep() -> MalformedRequestError:
    return _malformed("it is nested too deeply; send one JSON object as the API describes it")


def _without_repetition(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        times = Counter(name for name, _ in pairs)
        listed = ", ".join(json.dumps(name) for name, number in times.most_common(5) if number > 1)
        raise _malformed(f"it gives {listed} more than once in one object; keep one of each")
    return found


def _malformed(why: str) -> MalformedRequestError:
    return MalformedRequestError(f"the body can't be read: {why}", code="malformed-json")
