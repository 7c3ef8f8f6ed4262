"""The generated JSON schema: fresh, and of one mind with the model."""

import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from environments.document import parse
from environments.loading import FOLDER, environment_names
from environments.schema import FILE, text

SCHEMA = json.loads(text())


def test_the_committed_schema_is_fresh() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), "run `python -m environments schema`"


def test_the_schema_is_a_valid_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", environment_names())
def test_a_shipped_file_is_valid_against_the_schema(name: str) -> None:
    content = (FOLDER / f"{name}.yaml").read_bytes()

    jsonschema.Draft202012Validator(SCHEMA).validate(parse(name, content).data)


@pytest.mark.parametrize("name", environment_names())
def test_a_shipped_file_tells_editors_where_the_schema_is(name: str) -> None:
    first = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").splitlines()[0]

    assert first == "# yaml-language-server: $schema=schema.json"


@pytest.mark.parametrize(
    "changes",
    [
        {"unknown": 1},
        {"account": 111111111111},
        {"account": "1"},
        {"network.cidr": 7},
        {"network.zones": []},
        {"network.nat": "both"},
        {"clusters.0.kubernetes_version": 1.35},
        {"clusters.0.pools.0.max_nodes_per_zone": 0},
        {"clusters.0.pools.0.ami_release_version": "1.35"},
        {"teams.0.name": "Ads"},
        {"catalog.kind": "iceberg"},
        {"schedules.0.cron": "* * *"},
    ],
)
def test_an_editor_marks_what_the_model_refuses(changes: dict[str, Any], edited: Callable[..., Any]) -> None:
    assert list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(edited("dev", changes)))


def test_every_field_carries_its_description() -> None:
    definitions = [SCHEMA, *SCHEMA["$defs"].values()]
    fields = [field for definition in definitions for field in definition.get("properties", {}).values()]

    assert len(fields) > 150
    assert all(field.get("description") for field in fields)
