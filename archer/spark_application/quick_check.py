"""Says "certainly valid" of a value by a JSON schema, many times faster than a validator that could say what is wrong.

Each submission and each attempt is judged by a schema of two thousand parts, and nearly all are right. What isn't certainly
right here is judged again by the validator, whose word counts. A schema with words that this module does not know is refused.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

Check = Callable[[Any], bool]
"""True: valid. False: ask the validator."""

_KNOWN: Final = frozenset(
    {
        *("type", "properties", "additionalProperties", "required", "items", "anyOf", "pattern", "minimum", "maximum"),
        *("enum", "default", "description"),
    }
)
_TYPES: Final[Mapping[str, type]] = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}


def compiled(schema: Any) -> Check:
    """A function that checks values. Raises ValueError for a word or a type that it does not know."""
    if isinstance(schema, bool):
        verdict = schema
        return lambda _value: verdict
    unknown = schema.keys() - _KNOWN
    kind = schema.get("type")
    if unknown or not (kind is None or (isinstance(kind, str) and kind in _TYPES)):
        raise ValueError(f"no quick check for {sorted(unknown) or kind}")
    checks: list[Check] = [
        *_type_checks(schema),
        *_number_checks(schema),
        *_object_checks(schema),
        *([_items(compiled(schema["items"]))] if "items" in schema else ()),
        *([_any_of([compiled(each) for each in schema["anyOf"]])] if "anyOf" in schema else ()),
    ]
    if len(checks) == 1:
        return checks[0]
    return lambda value: all(check(value) for check in checks)


def _type_checks(schema: Mapping[str, Any]) -> list[Check]:
    checks: list[Check] = []
    if "type" in schema:
        wanted = _TYPES[schema["type"]]
        # exactly: True is no integer, and whether 1.0 is one may the validator decide
        checks.append(lambda value: type(value) is wanted)
    if "enum" in schema:
        allowed = schema["enum"]
        # of strings alone: there, equal is the same
        checks.append(lambda value: isinstance(value, str) and value in allowed)
    if "pattern" in schema:
        pattern = re.compile(schema["pattern"])
        checks.append(lambda value: not isinstance(value, str) or pattern.search(value) is not None)
    return checks


def _number_checks(schema: Mapping[str, Any]) -> list[Check]:
    checks: list[Check] = []
    if "minimum" in schema:
        least = schema["minimum"]
        checks.append(lambda value: not isinstance(value, int | float) or value >= least)
    if "maximum" in schema:
        most = schema["maximum"]
        checks.append(lambda value: not isinstance(value, int | float) or value <= most)
    return checks


def _object_checks(schema: Mapping[str, Any]) -> list[Check]:
    if not schema.keys() & {"properties", "additionalProperties", "required"}:
        return []
    required = frozenset(schema.get("required", ()))
    known = {name: compiled(each) for name, each in schema.get("properties", {}).items()}
    others = compiled(schema.get("additionalProperties", True))

    def check(value: Any) -> bool:
        if not isinstance(value, dict):
            return True
        return required <= value.keys() and all(known.get(name, others)(part) for name, part in value.items())

    return [check]


def _items(each: Check) -> Check:
    return lambda value: not isinstance(value, list) or all(each(item) for item in value)


def _any_of(choices: list[Check]) -> Check:
    return lambda value: any(choice(value) for choice in choices)
