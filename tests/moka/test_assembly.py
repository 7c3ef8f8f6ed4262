"""An assembly is read as it lies on disk; one that cannot be trusted is refused with what to do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from moka.assembly import AssemblyError, read_assembly

if TYPE_CHECKING:
    from pathlib import Path


def write(file: Path, content: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))


def stack(display_name: str) -> dict[str, object]:
    return {
        "type": "aws:cloudformation:stack",
        "environment": "aws://111111111111/us-east-1",
        "displayName": display_name,
        "properties": {"templateFile": "stack.template.json"},
    }


def test_stage_within_a_stage_belongs_to_the_outer_one(tmp_path: Path) -> None:
    nested = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "inner", "displayName": "dev/blue"}}
    outer = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "outer", "displayName": "dev"}}
    write(tmp_path / "manifest.json", {"artifacts": {"outer": outer, "Tree": {"type": "cdk:tree"}}})
    write(tmp_path / "outer" / "manifest.json", {"artifacts": {"inner": nested}})
    write(tmp_path / "outer" / "inner" / "manifest.json", {"artifacts": {"s": stack("dev/blue/network")}})
    write(tmp_path / "outer" / "inner" / "stack.template.json", {"Resources": {"A": {"Type": "AWS::EC2::VPC"}}})

    (found,) = read_assembly(tmp_path)

    assert (found.environment, found.name, found.account, found.region) == (
        "dev",
        "blue/network",
        "111111111111",
        "us-east-1",
    )
    assert found.resources == {"A": {"Type": "AWS::EC2::VPC"}}


def test_stack_outside_of_a_stage_is_refused(tmp_path: Path) -> None:
    artifact = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://1/us-east-1",
        "properties": {"templateFile": "x"},
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"loose": artifact}}))

    with pytest.raises(AssemblyError, match=r"stack 'loose' in .* is outside of a stage"):
        read_assembly(tmp_path)


@pytest.mark.parametrize(("content", "said"), [("{", "is not JSON"), ("[]", "holds no JSON object")])
def test_damaged_assembly_is_said_with_what_to_do(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "manifest.json").write_text(content)

    with pytest.raises(AssemblyError, match=rf"{said}.*synthesise again: ./cdk synth$"):
        read_assembly(tmp_path)
