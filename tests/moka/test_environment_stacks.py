from __future__ import annotations

import json
from pathlib import Path

import pytest

from environments import environment_names
from moka.environment_stacks import stacks_of
from moka.errors import BadInputError


@pytest.fixture
def assembly(tmp_path: Path) -> Path:
    """Two environments of one stack each."""
    stages = {}
    for name in ("left", "right"):
        nested = tmp_path / name
        nested.mkdir()
        (nested / "data.template.json").write_text(json.dumps({"Resources": {}}))
        stack = {
            "type": "aws:cloudformation:stack",
            "environment": "aws://111111111111/us-east-1",
            "displayName": f"{name}/data",
            "properties": {"templateFile": "data.template.json"},
        }
        (nested / "manifest.json").write_text(json.dumps({"artifacts": {"data": stack}}))
        stages[name] = {"type": "cdk:cloud-assembly", "properties": {"directoryName": name, "displayName": name}}
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": stages}))
    return tmp_path


def test_only_the_stacks_of_the_environment_are_given(assembly: Path) -> None:
    found = stacks_of("right", assembly, what_for="show")

    assert [(stack.environment, stack.name) for stack in found] == [("right", "data")]


def test_a_name_that_the_assembly_does_not_have_is_told_with_those_it_has(assembly: Path) -> None:
    with pytest.raises(BadInputError, match=r"^`ENV` must be one of left, right, got 'dev'$"):
        stacks_of("dev", assembly, what_for="show")


def test_a_name_that_no_file_has_is_told_before_any_synth() -> None:
    with pytest.raises(BadInputError) as refused:
        stacks_of("qa", None, what_for="show")

    assert str(refused.value) == f"`ENV` must be one of {', '.join(environment_names())}, got 'qa'"


def test_a_folder_that_is_no_assembly_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"`--assembly` must be a cloud assembly: .* cannot be read"):
        stacks_of("dev", tmp_path, what_for="show")
