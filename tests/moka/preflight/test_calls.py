"""What may be called at all."""

from __future__ import annotations

import json
from pathlib import Path

import cfnlint  # type: ignore[import-untyped]
import pytest

from moka.preflight.calls import READ_VERBS, Call
from moka.preflight.checks import CHECKS

ALL = {call for check in CHECKS for call in check.calls}
IAM_ACTIONS = Path(cfnlint.__file__).parent / "data/AdditionalSpecs/Policies.json"
"""AWS' list of IAM actions, as cfn-lint carries it; names are in lower case there."""


@pytest.mark.parametrize("operation", ["CreateVpc", "PutParameter", "TagResource", "AssumeRole", "BatchGetImage"])
def test_call_that_is_not_a_read_cannot_be_declared(operation: str) -> None:
    with pytest.raises(ValueError, match="must start with Describe, List, Get, Lookup"):
        Call("ec2", operation)


def test_every_declared_call_only_reads() -> None:
    assert {call.operation for call in ALL if not call.operation.startswith(READ_VERBS)} == set()


def test_every_declared_action_is_one_of_iam_s() -> None:
    known = json.loads(IAM_ACTIONS.read_text())
    actions = [call.action.split(":") for call in ALL]

    assert {f"{service}:{name}" for service, name in actions if name.lower() not in known[service]["Actions"]} == set()


def test_calls_that_are_limited_to_resources_are_ones_that_iam_can_limit() -> None:
    known = json.loads(IAM_ACTIONS.read_text())
    limited = [call.action.split(":") for call in ALL if not call.scope.words.startswith("*")]

    assert limited
    assert [name for service, name in limited if not known[service]["Actions"][name.lower()].get("Resources")] == []
