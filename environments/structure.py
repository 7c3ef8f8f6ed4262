"""Says in plain words what pydantic found wrong with the shape of a file: every error type that the model can raise.

Types are strict: "3" is not 3 and yes is not true, because a value that is converted in silence is a value that somebody
else reads differently.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from environments.descriptions import description
from environments.document import inside
from environments.model import Environment
from environments.problems import Finding, Path, choose, closest, listed, show
from environments.shape import section_at

Advice = tuple[str, str]
"""What is allowed and what to do."""


def read(data: dict[str, Any]) -> tuple[Environment | None, list[Finding]]:
    """Return the environment, or None and everything that is wrong with the shape of `data`."""
    try:
        return Environment.model_validate_json(json.dumps(data), strict=True), []
    except ValidationError as error:
        return None, list(_findings(error, data))


def _findings(error: ValidationError, data: dict[str, Any]) -> Iterator[Finding]:
    for detail in error.errors(include_url=False):
        if _is_echo(detail):
            continue
        path, value = _locate(detail, data)
        allowed, fix = _words(detail, path, value, data)
        yield Finding(path=path, value=value, allowed=allowed, fix=fix)


def _is_echo(detail: ErrorDetails) -> bool:
    """Whether a list is called too short only because its items were refused, which is said already."""
    return detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]


def _locate(detail: ErrorDetails, data: dict[str, Any]) -> tuple[Path, object]:
    """Return the path in the data, without the tags of unions that pydantic puts into it, and the value there."""
    path: list[str | int] = []
    value: Any = data
    for part in detail["loc"]:
        if part == "[key]":
            return tuple(path), path[-1]
        if isinstance(value, dict) and part not in value and part in {value.get("mode"), value.get("kind")}:
            continue
        path.append(part)
        value = inside(value, part)
    return tuple(path), value


def _words(detail: ErrorDetails, path: Path, value: object, data: dict[str, Any]) -> Advice:
    kind, context = detail["type"], detail.get("ctx", {})
    if "allowed" in context:
        return _custom(context, value)
    if kind in TYPES:
        return _wrong_type(kind, value)
    if kind in BOUNDS:
        return BOUNDS[kind](context, "character" if isinstance(value, str) else "entry")
    match kind:
        case "missing":
            advice = _missing(path, data)
        case "extra_forbidden":
            advice = _unknown(path, data)
        case "literal_error":
            advice = _choice(str(context["expected"]), value)
        case "union_tag_invalid" | "union_tag_not_found":
            advice = _tag(context, value)
        case _:
            # a newer pydantic may have types that this table does not know: its own words are better than silence
            advice = detail["msg"].removeprefix("Input should be ").lower(), "see docs/reference/environment.md"
    return advice


def _custom(context: dict[str, Any], value: object) -> Advice:
    fix = str(context["fix"])
    if isinstance(value, int | float) and not isinstance(value, bool):
        fix = f'put it in quotes: "{value}"'
    return str(context["allowed"]), fix


def _missing(path: Path, data: dict[str, Any]) -> Advice:
    section = section_at(path[:-1], data)
    meaning = "" if section is None else description(section, str(path[-1]))
    about = f" ({_first_sentence(meaning)})" if meaning else ""
    near = closest(path[-1], _unknown_keys(path, data))
    return f"a value{about}", f"rename {near} to {path[-1]}" if near is not None else f"add {path[-1]}"


def _first_sentence(text: str) -> str:
    return text.split("\n", 1)[0].split(". ", 1)[0].removesuffix(".")


def _unknown_keys(path: Path, data: dict[str, Any]) -> list[str]:
    """Return the keys beside a missing one that the model does not know: one of them may be it, misspelt."""
    section = section_at(path[:-1], data)
    value: Any = data
    for part in path[:-1]:
        value = inside(value, part)
    known = () if section is None else section.model_fields
    return [key for key in value if key not in known] if isinstance(value, dict) else []


def _unknown(path: Path, data: dict[str, Any]) -> Advice:
    section = section_at(path[:-1], data)
    known = [] if section is None else list(section.model_fields)
    near = closest(path[-1], known)
    fix = f"remove {path[-1]}" if near is None else f"did you mean {near}? rename {path[-1]}, or remove it"
    return f"one of the keys {listed(known, most=30)}", fix


TYPES: Final[dict[str, tuple[str, str]]] = {
    "string_type": ("text", "write text"),
    "int_type": ("a whole number", "write a whole number, without quotes"),
    "int_from_float": ("a whole number", "write a whole number"),
    "float_type": ("a number", "write a number, without quotes"),
    "finite_number": ("a finite number", "write a number"),
    "bool_type": ("true or false", "write true or false, without quotes"),
    "tuple_type": ("a list", "write each item on a line of its own with - in front, or all in brackets"),
    "dict_type": ("a mapping of keys to values", "write key: value on lines of their own, or all in braces"),
    "model_type": ("a mapping of keys to values", "write key: value on lines of their own, or all in braces"),
    "model_attributes_type": (
        "a mapping of keys to values",
        "write key: value on lines of their own, or all in braces",
    ),
}


def _wrong_type(kind: str, value: object) -> Advice:
    allowed, fix = TYPES[kind]
    if kind == "string_type" and isinstance(value, bool | int | float):
        return allowed, f'put it in quotes: "{json.dumps(value)}"'
    if kind == "int_type" and isinstance(value, str) and value.strip().isdigit():
        return allowed, f"remove the quotes: {value.strip()}"
    if kind == "bool_type" and isinstance(value, str) and value.lower() in {"yes", "on", "no", "off", "true", "false"}:
        return allowed, f"write {'true' if value.lower() in {'yes', 'on', 'true'} else 'false'}"
    if value is None:
        return allowed, f"{fix}, or remove the key"
    return allowed, fix


def _plain(number: float) -> str:
    """Return a bound as it is written in a file: 256 and not 256.0."""
    return str(int(number)) if number == int(number) else str(number)


def _longest(of: dict[str, Any], unit: str) -> Advice:
    return f"at most {_count(of['max_length'], unit)}", f"shorten it to {_count(of['max_length'], unit)}"


def _shortest(of: dict[str, Any], unit: str) -> Advice:
    return f"at least {_count(of['min_length'], unit)}", f"write at least {_count(of['min_length'], unit)}"


def _count(number: int, unit: str) -> str:
    plural = "entries" if unit == "entry" else f"{unit}s"
    return f"{number} {unit if number == 1 else plural}"


BOUNDS: Final[dict[str, Callable[[dict[str, Any], str], Advice]]] = {
    "greater_than_equal": lambda of, _: (f"at least {_plain(of['ge'])}", f"write {_plain(of['ge'])} or more"),
    "less_than_equal": lambda of, _: (f"at most {_plain(of['le'])}", f"write {_plain(of['le'])} or less"),
    "multiple_of": lambda of, _: (
        f"a multiple of {of['multiple_of']}",
        f"round it to a multiple of {of['multiple_of']}",
    ),
    "string_too_long": _longest,
    "string_too_short": _shortest,
    "too_short": _shortest,
    "too_long": _longest,
}


def _choice(expected: str, value: object) -> Advice:
    """Return the words for a value outside a fixed list; `expected` is pydantic's "'a', 'b' or 'c'"."""
    options = [option.strip() for option in expected.replace(" or ", ", ").split(",")]
    words = [option.strip("'") for option in options]
    quoted = options[0].startswith("'")
    if quoted and isinstance(value, int | float) and not isinstance(value, bool) and str(value) in words:
        return f"one of {listed(words, most=30)}, as text", f'put it in quotes: "{value}"'
    if not quoted and isinstance(value, int) and not isinstance(value, bool) and len(words) > 1:
        near = min(words, key=lambda word: abs(int(word) - value))
        return f"one of {listed(words, most=30)}", f"write {near}"
    allowed = words[0] if len(words) == 1 else f"one of {listed(words, most=30)}"
    return allowed, choose(
        value, words, f"write {words[0]}" if len(words) == 1 else f"write one of them, for example {words[0]}"
    )


def _tag(context: dict[str, Any], value: object) -> Advice:
    tag = str(context["discriminator"]).strip("'")
    expected = str(context.get("expected_tags", ""))
    words = [word.strip().strip("'") for word in expected.split(",")] if expected else []
    given = value.get(tag) if isinstance(value, dict) else None
    if words:
        return f"a section whose {tag} is one of {listed(words)}, got {show(given)}", choose(
            given, words, f"write {tag}: {words[0]}"
        )
    return f"a section with the key {tag}", f"add {tag}"
