"""Writes `docs/reference/roles.md` from the templates of prod: `python -m moka.roles_reference`.

A page made from what would be deployed cannot promise less or more than the roles give; a test fails when it is stale.
"""

from __future__ import annotations

import dataclasses
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
_OVERVIEW: Final = ["| role | for what | who assumes it | by |", "| --- | --- | --- | --- |"]


@dataclasses.dataclass(frozen=True)
class _Role:
    """A role of a stack, or what a stack adds to another's role."""

    stack: SynthesizedStack
    name: str
    purpose: str
    trust: tuple[str, str] | None
    """(who assumes it, by what means); None for what is added to a role of another stack."""
    policies: list[str]
    """AWS managed policies."""
    statements: list[dict[str, Any]]


def page(stacks: Iterable[SynthesizedStack]) -> str:
    """Return the whole page as Markdown."""
    roles: list[_Role] = []
    for stack in stacks:
        if stack.environment == ENVIRONMENT:
            roles += _roles(stack)
    first_team = next((role.name for role in roles if "-team-" in role.name), None)
    shown = [role for role in roles if "-team-" not in role.name or role.name == first_team]
    overview = [
        f"| `{role.name}` | {role.purpose} | {role.trust[0]} | {role.trust[1]} |" for role in shown if role.trust
    ]
    return "\n".join([_INTRODUCTION, *_OVERVIEW, *overview, "", *(_section(role) for role in shown)])


def _roles(stack: SynthesizedStack) -> Iterator[_Role]:
    accounts = _pod_identity_accounts(stack)
    for logical_id, resource in stack.resources.items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::IAM::Role":
            yield _Role(
                stack=stack,
                name=properties["RoleName"],
                # whose pods it is has columns of its own
                purpose=re.sub(r" \(pods of [^)]+\)$", "", properties["Description"]),
                trust=_trusted(properties["AssumeRolePolicyDocument"], accounts.get(logical_id)),
                policies=[arn.rsplit(":policy/", 1)[1] for arn in properties.get("ManagedPolicyArns", [])],
                statements=_statements(properties),
            )
    for resource in stack.resources.values():
        if resource["Type"] == "AWS::IAM::RolePolicy":
            properties = resource["Properties"]
            yield _Role(
                stack=stack,
                name=f"{properties['RoleName']} (also)",
                purpose="What this stack adds to the role",
                trust=None,
                policies=[],
                statements=properties["PolicyDocument"]["Statement"],
            )


def _pod_identity_accounts(stack: SynthesizedStack) -> dict[str, str]:
    """Return {logical id of a role: namespace/service account} of what Pod Identity binds in the stack."""
    found: dict[str, str] = {}
    for resource in stack.resources.values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::EKS::PodIdentityAssociation":
            bound = [(properties["RoleArn"], f"{properties['Namespace']}/{properties['ServiceAccount']}")]
        else:
            # add-ons live in one namespace
            associations = properties.get("PodIdentityAssociations", [])
            bound = [(each["RoleArn"], f"kube-system/{each['ServiceAccount']}") for each in associations]
        found |= {arn["Fn::GetAtt"][0]: account for arn, account in bound}
    return found


def _statements(role: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for policy in role.get("Policies", []) for each in policy["PolicyDocument"]["Statement"]]


def _section(role: _Role) -> str:
    lines = [f"## {role.name}", "", f"{role.purpose} (`{role.stack.environment}/{role.stack.name}`)."]
    if role.trust:
        lines[-1] += f" Assumed by {role.trust[0]} ({role.trust[1]})."
    lines.append("")
    if role.policies:
        lines += [f"AWS managed: {', '.join(f'`{name}`' for name in role.policies)}.", ""]
    if role.statements:
        lines += ["| what for | actions | on | if |", "| --- | --- | --- | --- |"]
        lines += [_row(statement) for statement in role.statements]
        lines.append("")
    return "\n".join(lines)


def _trusted(document: dict[str, Any], pod_identity_account: str | None) -> tuple[str, str]:
    text = document.get("Fn::Sub")
    (statement,) = (json.loads(text[0]) if text else document)["Statement"]
    if text:
        subject = statement["Condition"]["StringEquals"]["${Issuer}:sub"].removeprefix("system:serviceaccount:")
        return f"pods of `{subject.replace(':', '/')}`", "IRSA"
    service = statement["Principal"]["Service"]
    if service != "pods.eks.amazonaws.com":
        return f"`{service}`", "service"
    return f"pods of `{pod_identity_account}`", "Pod Identity"


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
        ours = re.sub(r"^arn:aws:([a-z0-9]+):[a-z0-9-]*:\d*:", r"\1:…:", resource)
        return re.sub(r"^arn:aws:([a-z0-9]+):[a-z0-9-]+:\*:", r"\1:*:", ours)
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
