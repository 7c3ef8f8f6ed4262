"""The shape of a file: pydantic's errors in plain words, at the place where the file has them."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from environments.document import Document
from environments.model import Environment
from environments.problems import Problem
from environments.structure import read

Plain = Callable[[str], dict[str, Any]]
Edit = Callable[..., dict[str, Any]]


def _problems(data: dict[str, Any]) -> list[Problem]:
    document = Document("case.yaml", data=data)
    _, findings = read(data)
    return [document.problem(finding) for finding in findings]


@pytest.mark.parametrize("name", ["test", "dev", "staging", "prod"])
def test_a_file_written_for_the_first_version_stays_valid(name: str, plain: Plain) -> None:
    environment, findings = read(plain(name))

    assert environment is not None
    assert findings == []


def test_a_value_is_never_converted_in_silence(edited: Edit) -> None:
    """Strictness keeps one meaning: what pydantic would turn into a number or a truth is refused."""
    changes = {
        "clusters.0.pools.1.max_nodes_per_zone": "4",
        "clusters.0.pools.1.max_pods": 32.0,
        "clusters.0.pools.0.min_nodes_per_zone": True,
        "storage.retain": "true",
        "storage.access_logs": 1,
        "archer.database.max_acu": "2",
        "name": 7,
    }

    paths = {problem.path for problem in _problems(edited("dev", changes))}

    assert paths == {
        "clusters[batch].pools[driver].max_nodes_per_zone",
        "clusters[batch].pools[driver].max_pods",
        "clusters[batch].pools[system].min_nodes_per_zone",
        "storage.retain",
        "storage.access_logs",
        "archer.database.max_acu",
        "name",
    }


def test_a_list_is_not_called_too_short_because_an_item_was_refused(edited: Edit) -> None:
    (problem,) = _problems(edited("dev", {"clusters.0.pools.0.disk_gib": 1}))

    assert problem.path == "clusters[batch].pools[system].disk_gib"


def test_the_tag_of_a_union_is_not_part_of_a_path(edited: Edit) -> None:
    (problem,) = _problems(edited("staging", {"network.subnets.0.use": "pods"}))

    assert problem.path == "network.subnets[0].use"
    assert problem.allowed == "one of control_plane, nodes, load_balancer"


def test_a_bad_key_of_a_mapping_is_told_at_the_key(edited: Edit) -> None:
    (problem,) = _problems(edited("staging", {"profiles.0.conf": {"sql.shuffle.partitions": "1"}}))

    assert problem.path == 'profiles[standard].conf."sql.shuffle.partitions"'
    assert problem.value == '"sql.shuffle.partitions"'


@pytest.mark.parametrize(
    ("change", "fix"),
    [
        ({"storage.retain": "off"}, "write false"),
        ({"storage.retain": "on"}, "write true"),
        ({"storage.retain": "maybe"}, "write true or false, without quotes"),
        ({"tags.cost-center": 4711}, 'put it in quotes: "4711"'),
        ({"tags.cost-center": True}, 'put it in quotes: "true"'),
        ({"archer.database.engine_version": 17.5}, 'put it in quotes: "17.5"'),
        ({"storage.event_log_days": "x"}, "write a whole number, without quotes"),
        (
            {"teams": None},
            "write each item on a line of its own with - in front, or all in brackets, or remove the key",
        ),
        ({"network.nat": "per-zone"}, "write per_zone"),
        ({"network.mode": "old"}, "write mode: new"),
        ({"network": {"mode": "existing"}}, "add vpc_id"),
    ],
)
def test_the_fix_fits_the_value(change: dict[str, Any], fix: str, edited: Edit) -> None:
    assert fix in [problem.fix for problem in _problems(edited("dev", change))]


def _error_types(schema: Any) -> Iterator[str]:
    """Yield the types of the core schema below the model."""
    if isinstance(schema, dict):
        if isinstance(schema.get("type"), str):
            yield schema["type"]
        for value in schema.values():
            yield from _error_types(value)
    elif isinstance(schema, list | tuple):
        for value in schema:
            yield from _error_types(value)


def test_the_model_uses_no_kind_of_field_without_words_of_ours() -> None:
    """A new kind of field (a date, a URL) brings new error types: give them words in structure.py, then list it here."""
    known = {
        "bool",
        "default",
        "definition-ref",
        "definitions",
        "dict",
        "float",
        "function-after",
        "int",
        "literal",
        "model",
        "model-field",
        "model-fields",
        "nullable",
        "str",
        "tagged-union",
        "tuple",
        "none",
        "any",
    }

    kinds = {kind for kind in _error_types(Environment.__pydantic_core_schema__) if not kind.startswith("no-info")}
    assert kinds <= known


def test_messages_are_lower_case_and_without_a_full_stop(plain: Plain) -> None:
    with pytest.raises(ValidationError):
        Environment.model_validate({})
    for problem in _problems(dict.fromkeys(plain("dev"), 7)):
        for words in (problem.allowed, problem.fix):
            assert not words.endswith("."), words
            assert re.match(r"[A-Z][a-z]+ ", words) is None, words
