"""The least IAM policy that preflight needs, made from the calls that the checks declare."""

from collections.abc import Iterable
from typing import Any

from environments import Environment
from moka.preflight.calls import Call
from moka.preflight.check import Check


def least_policy(environment: Environment, checks: Iterable[Check]) -> dict[str, Any]:
    """Return the policy for an environment: one statement per set of resources, calls that it never leads to left out."""
    resources: dict[str, set[str]] = {}
    for call in _calls(checks):
        arns = call.scope.arns(environment)
        if arns:
            resources.setdefault(call.action, set()).update(arns)
    actions: dict[tuple[str, ...], list[str]] = {}
    for action, arns_of_action in sorted(resources.items()):
        actions.setdefault(tuple(sorted(arns_of_action)), []).append(action)
    statements = [
        {"Effect": "Allow", "Action": names, "Resource": list(arns) if len(arns) > 1 else arns[0]}
        for arns, names in sorted(actions.items())
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def actions_of(checks: Iterable[Check]) -> tuple[str, ...]:
    """Return the IAM actions that checks declare, sorted."""
    return tuple(sorted({call.action for call in _calls(checks)}))


def _calls(checks: Iterable[Check]) -> list[Call]:
    return [call for check in checks for call in check.calls]
