"""Whether the declared IAM roles and the boundary exist under exactly these ARNs and trust the right service."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from environments import Environment
from moka.preflight.calls import Call, Scope
from moka.preflight.check import Check, Context, ask
from moka.preflight.failures import NotFoundError
from moka.preflight.iam_roles import account_of, fetch_role, in_account, role_name, trusts
from moka.preflight.rows import Verdict, failed, passed, warned


@dataclass(frozen=True, kw_only=True)
class DeclaredRole:
    """A role of the environment file."""

    path: str
    """Key path of its first mention."""
    arn: str
    service: str | None
    """Service principal that must be able to assume it; None for people's and other workloads' roles."""


def declared_roles(environment: Environment) -> tuple[DeclaredRole, ...]:
    """Return every role that clusters name, each once per use."""
    found: dict[tuple[str, str | None], DeclaredRole] = {}
    for cluster in environment.clusters:
        path = f"clusters[{cluster.name}]"
        uses: list[tuple[str, str | None, str | None]] = [
            (f"{path}.cluster_role_arn", cluster.cluster_role_arn, "eks.amazonaws.com"),
            (f"{path}.node_role_arn", cluster.node_role_arn, "ec2.amazonaws.com"),
        ]
        uses += [
            (f"{path}.access[{index}].role_arn", entry.role_arn, None) for index, entry in enumerate(cluster.access)
        ]
        for where, arn, service in uses:
            if arn is not None:
                found.setdefault((arn, service), DeclaredRole(path=where, arn=arn, service=service))
    return tuple(found.values())


def _role_arns(environment: Environment) -> tuple[str, ...]:
    arns = (role.arn for role in declared_roles(environment) if in_account(environment, role.arn))
    return tuple(dict.fromkeys(arns))


def _boundary_arns(environment: Environment) -> tuple[str, ...]:
    arn = environment.permissions.boundary_arn
    return () if arn is None else (arn,)


ROLE: Final = Call("iam", "GetRole", Scope(words="the declared roles", arns=_role_arns))
POLICY: Final = Call("iam", "GetPolicy", Scope(words="the boundary", arns=_boundary_arns))


def judge(file: str, declared: DeclaredRole, role: dict[str, Any] | None) -> Iterator[Verdict]:
    """Yield whether a role exists as declared."""
    if role is None:
        fix = f"create the role, or write the ARN of an existing one as `{declared.path}` in {file}"
        yield failed(declared.path, f"{role_name(declared.arn)}: no such role", needed=declared.arn, fix=fix)
    elif role["Arn"] != declared.arn:
        fix = f"write {role['Arn']} as `{declared.path}` in {file}"
        yield failed(declared.path, f"the role's path differs: {role['Arn']}", needed=declared.arn, fix=fix)
    elif declared.service is not None and not trusts(role, declared.service):
        fix = f"let {declared.service} assume {declared.arn} (sts:AssumeRole in its trust policy)"
        yield failed(
            declared.path, f"does not trust {declared.service}", needed=f"trust in {declared.service}", fix=fix
        )
    else:
        yield passed(declared.path, declared.arn)


def judge_boundary(file: str, arn: str, policy: dict[str, Any] | None) -> Iterator[Verdict]:
    """Yield whether the boundary exists: no role of any stack can be made without it."""
    if policy is None:
        fix = f"create the policy, or write the ARN of an existing one as `permissions.boundary_arn` in {file}"
        yield failed("permissions.boundary_arn", f"{arn}: no such policy", needed="an existing policy", fix=fix)
    else:
        yield passed("permissions.boundary_arn", arn)


def _one(context: Context, declared: DeclaredRole) -> Iterator[Verdict]:
    if not in_account(context.environment, declared.arn):
        value = f"{declared.arn}: in account {account_of(declared.arn)}, not looked at"
        if declared.service is None:
            return iter(
                [warned(declared.path, value, fix=f"look at it with credentials of account {account_of(declared.arn)}")]
            )
        fix = f"write a role of account {context.environment.account} as `{declared.path}` in {context.file}"
        return iter([failed(declared.path, value, needed="a role of the environment's account", fix=fix)])
    return ask(
        declared.path,
        lambda: fetch_role(context.aws, ROLE, role_name(declared.arn)),
        lambda role: judge(context.file, declared, role),
    )


def _boundary(context: Context, arn: str) -> Iterator[Verdict]:
    def fetch() -> dict[str, Any] | None:
        try:
            return context.aws.get(POLICY, PolicyArn=arn)
        except NotFoundError:
            return None

    return ask("permissions.boundary_arn", fetch, lambda policy: judge_boundary(context.file, arn, policy))


def _run(context: Context) -> Iterator[Verdict]:
    for declared in declared_roles(context.environment):
        yield from _one(context, declared)
    arn = context.environment.permissions.boundary_arn
    if arn is not None:
        yield from _boundary(context, arn)


CHECK: Final = Check(
    name="roles",
    asks="Do the declared roles and the boundary exist under these ARNs, and do they trust the right service?",
    calls=(ROLE, POLICY),
    run=_run,
)
