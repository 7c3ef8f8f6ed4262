"""What the quick check calls valid, the validator does too; what it doesn't, the validator is asked about."""

from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator

from archer.spark_application.quick_check import compiled

SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z]+$"},
        "kind": {"type": "string", "enum": ["Java", "Python"]},
        "cores": {"type": "integer", "minimum": 1, "maximum": 8},
        "quiet": {"type": "boolean"},
        "port": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        "conf": {"type": "object", "additionalProperties": {"type": "string"}},
        "steps": {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "integer"}}}},
    },
}
WRONG_PORTS: Final[list[Any]] = [True, 1.5, None, [], {}]
WRONG_CONFS: Final[list[Any]] = [{"a": 1}, {"a": None}, [], ""]
WRONG_STEPS: Final[list[Any]] = [[1], [{"id": "1"}], {}, ({"id": 1},), [{"id": True}]]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"kind": "Java", "cores": 8, "quiet": True, "port": 80, "conf": {"a": "b"}, "steps": [{"id": 1, "x": None}]},
        {"port": "http", "steps": [], "conf": {}},
    ],
)
def test_what_is_valid_is_known_without_the_validator(given: dict[str, Any]) -> None:
    assert Draft202012Validator(SCHEMA).is_valid({"name": "a", **given})
    assert compiled(SCHEMA)({"name": "a", **given})


@pytest.mark.parametrize(
    "given",
    [
        *({"name": "A"}, {"name": 1}, {"name": None}, {"name": "a", "other": 1}, {"kind": "Java"}, [], "a", None),
        *(
            {"name": "a", "kind": "R"},
            {"name": "a", "kind": 1},
            {"name": "a", "quiet": 1},
            {"name": "a", "quiet": "true"},
        ),
        *({"name": "a", "cores": cores} for cores in (0, 9, True, 1.5, "1", None)),
        *({"name": "a", "port": port} for port in WRONG_PORTS),
        *({"name": "a", "conf": conf} for conf in WRONG_CONFS),
        *({"name": "a", "steps": steps} for steps in WRONG_STEPS),
    ],
)
def test_what_is_wrong_is_never_called_valid(given: Any) -> None:
    assert not Draft202012Validator(SCHEMA).is_valid(given)
    assert not compiled(SCHEMA)(given)


def test_where_types_are_a_matter_of_taste_the_validator_decides() -> None:
    assert Draft202012Validator(SCHEMA).is_valid({"name": "a", "cores": 2.0})
    assert not compiled(SCHEMA)({"name": "a", "cores": 2.0})


@pytest.mark.parametrize(
    "schema", [{"uniqueItems": True}, {"type": "null"}, {"items": {"not": {}}}, {"type": ["string"]}]
)
def test_a_schema_with_words_it_does_not_know_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no quick check for"):
        compiled(schema)
