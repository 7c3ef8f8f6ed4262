"""Turns pydantic's errors into Archer's: path, value, what is allowed, what to do.

One translation for submissions, settings and query parameters, so that every refusal reads the same.
"""

import difflib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from archer.errors import Problem
from archer.redaction import MASK, is_secret_key, redact_json

_MAX_VALUE = 200

_ALLOWED: Mapping[str, str] = {
    "missing": "present",
    "string_type": "a string",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "float_parsing": "a number",
    "bool_parsing": "true or false",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "tuple_type": "a list",
    "list_type": "a list",
    "string_unicode": "valid Unicode text",
    "string_pattern_mismatch": "text that matches {pattern}",
    "string_too_long": "at most {max_length} characters",
    "string_too_short": "at least {min_length} characters",
    "too_long": "at most {max_length} entries",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "literal_error": "one of {expected}",
    "enum": "one of {expected}",
}
"""Wording per kind of pydantic error, filled from its context; kinds not listed keep pydantic's own sentence."""


def problems_of(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """All problems of a pydantic error, worded against `model` (for the names that are allowed)."""
    return problems_of_details(error.errors(include_url=False), model)


def problems_of_details(details: Sequence[ErrorDetails], model: type[BaseModel]) -> list[Problem]:
    """As `problems_of`, for errors that a framework has already taken apart."""
    return [_problem(detail, model) for detail in details]


def shown(value: object) -> str:
    """`value` as JSON text without its secrets, cut at 200 characters: a refusal may end in a log that many read."""
    text = json.dumps(redact_json(value), default=str, ensure_ascii=True)
    return text if len(text) <= _MAX_VALUE else f"{text[: _MAX_VALUE - 1]}…"


def _problem(detail: ErrorDetails, model: type[BaseModel]) -> Problem:
    context = dict(detail.get("ctx") or {})
    location = [part for part in detail["loc"] if part != "[key]"]
    if "path" in context:
        location.append(str(context["path"]))
    value = "absent" if detail["type"] == "missing" else shown(context.get("value", detail.get("input")))
    if value != "absent" and any(is_secret_key(str(part)) for part in location):
        value = MASK
    if detail["type"] == "extra_forbidden":
        return _unknown_field(location, value, model)
    wording = _ALLOWED.get(detail["type"])
    allowed = wording.format(**context) if wording else _lower_first(detail["msg"])
    default_fix = "add it" if detail["type"] == "missing" else "change it"
    return Problem(
        path=".".join(map(str, location)) or "(document)",
        value=value,
        allowed=allowed,
        fix=str(context.get("fix", default_fix)),
    )


def _unknown_field(location: Sequence[int | str], value: str, model: type[BaseModel]) -> Problem:
    names = _field_names(model, location[:-1])
    near = difflib.get_close_matches(str(location[-1]), names, n=1)
    fix = f"did you mean `{near[0]}`?" if near else "leave it out"
    allowed = f"one of {', '.join(sorted(names))}" if names else "absent"
    return Problem(path=".".join(map(str, location)), value=value, allowed=allowed, fix=fix)


def _field_names(model: type[BaseModel], location: Sequence[int | str]) -> list[str]:
    for part in location:
        field = model.model_fields.get(str(part))
        annotation: Any = field.annotation if field else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return list(model.model_fields)


def _lower_first(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")
