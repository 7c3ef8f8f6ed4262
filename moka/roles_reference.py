"""Writes `docs/reference/roles.md` from the templates of prod: `python -m moka.roles_reference`.

A page made from what would be deployed cannot promise less or more than the roles give; a test fails when it is stale.
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from moka.assembly import SynthesizedStack, read_assembly

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PAGE: Final = Path(__file__).parents[1] / "docs" / "reference" / "roles.md"
ENVIRONMENT: Final = "prod"

_INTRODUCTION: Final = """# Roles

<!-- made by `python -m moka.roles_reference`; change infra/ or constructs/, not this page -->

Every IAM role of `prod`, read from its templates, with what it may do. One team stands for all. `…` in an ARN is account and
region. Roles carry the boundary and the path of `permissions`. Statements are named for what they are for; the functions that
make them, with their reasons, are in `constructs/moka_constructs/statements.py`.
"""


def page(stacks: Iterable[SynthesizedStack]) -> str:
    """Return the whole page as Markdown."""
    parts = [_INTRODUCTION]
    seen_team = False
    for stack in stacks:
        for role in _roles(stack):
            team = "-team-" in role["RoleName"]
            if stack.environment == ENVIRONMENT and not (team and seen_team):
                parts.append(_section(stack, role))
                seen_team = seen_team or team
    return "\n".join(parts)


def _roles(stack: SynthesizedStack) -> Iterator[dict[str, Any]]:
    extra: dict[str, list[dict[str, Any]]] = {}
    for resource in stack.resources.values():
        if resource["Type"] == "AWS::IAM::RolePolicy":
            properties = resource["Properties"]
            extra.setdefault(properties["RoleName"], []).extend(properties["PolicyDocument"]["Statement"])
    for resource in stack.resources.values():
        if resource["Type"] == "AWS::IAM::Role":
            yield {**resource["Properties"], "statements": _statements(resource["Properties"])}
    for name, statements in extra.items():
        yield {
            "RoleName": f"{name} (also)",
            "Description": "What this stack adds to the role",
            "statements": statements,
        }


def _statements(role: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for policy in role.get("Policies", []) for each in policy["PolicyDocument"]["Statement"]]


def _section(stack: SynthesizedStack, role: dict[str, Any]) -> str:
    lines = [f"## {role['RoleName']}", "", f"{role.get('Description', '')} (`{stack.environment}/{stack.name}`)."]
    if "AssumeRolePolicyDocument" in role:
        lines[-1] += f" Assumed by {_trusted(role['AssumeRolePolicyDocument'])}."
    lines.append("")
    policies = [arn.rsplit(":policy/", 1)[1] for arn in role.get("ManagedPolicyArns", [])]
    if policies:
        lines += [f"AWS managed: {', '.join(f'`{name}`' for name in policies)}.", ""]
    if role["statements"]:
        lines += ["| what for | actions | on | if |", "| --- | --- | --- | --- |"]
        lines += [_row(statement) for statement in role["statements"]]
        lines.append("")
    return "\n".join(lines)


def _trusted(document: dict[str, Any]) -> str:
    text = document.get("Fn::Sub")
    (statement,) = (json.loads(text[0]) if text else document)["Statement"]
    if text:
        subject = statement["Condition"]["StringEquals"]["${Issuer}:sub"].removeprefix("system:serviceaccount:")
        return f"pods of `{subject.replace(':', '/')}` (IRSA)"
    service = statement["Principal"]["Service"]
    if service != "pods.eks.amazonaws.com":
        return f"`{service}`"
    cluster = statement["Condition"]["ArnEquals"]["aws:SourceArn"].rsplit("/", 1)[1]
    return f"the service account that is associated with it on `{cluster}` (Pod Identity)"


def _row(statement: dict[str, Any]) -> str:
    actions = ", ".join(f"`{action}`" for action in statement["Action"])
    resources = "<br>".join(f"`{_short(each)}`" for each in statement["Resource"])
    conditions = "<br>".join(
        f"`{key}` {operator} `{value if isinstance(value, str) else ', '.join(value)}`"
        for operator, keys in statement.get("Condition", {}).items()
        for key, value in keys.items()
    )
    return f"| {statement['Sid']} | {actions} | {resources} | {conditions} |"


def _short(resource: Any) -> str:
    """Return an ARN without account and region, or what a reference points to."""
    if isinstance(resource, str):
        return re.sub(r"^arn:aws:([a-z0-9]+):[a-z0-9-]*:\d*:", r"\1:…:", resource)
    return "the key or resource of a stack, by reference"


def main() -> None:
    """Synthesise and write the page."""
    from moka.synth import synthesise  # noqa: PLC0415  # starts Node; reading this module must not

    with tempfile.TemporaryDirectory() as folder:
        assembly = Path(folder) / "assembly"
        synthesise(assembly, ENVIRONMENT)
        PAGE.write_text(page(read_assembly(assembly)), encoding="utf-8")


if __name__ == "__main__":
    main()
