"""Whether the declared KMS keys exist, are enabled and symmetric, and whether Auto Scaling may use the volumes' one."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from environments import Environment
from environments.names import partition
from moka.preflight.calls import Call, Scope
from moka.preflight.check import Check, Context, ask
from moka.preflight.failures import NotFoundError
from moka.preflight.iam_roles import in_account, region_of
from moka.preflight.key_policy import autoscaling_role, missing_actions, needed_statements
from moka.preflight.rows import Verdict, failed, listed, passed, warned


@dataclass(frozen=True, kw_only=True)
class DeclaredKey:
    """A key of the environment file."""

    path: str
    """Key path of its first mention."""
    arn: str


def declared_keys(environment: Environment) -> tuple[DeclaredKey, ...]:
    """Return every key of the file once."""
    pairs = [(f"clusters[{cluster.name}].secrets_key_arn", cluster.secrets_key_arn) for cluster in environment.clusters]
    pairs.append(("storage.key_arn", environment.storage.key_arn))
    pairs.append(("storage.volumes_key_arn", environment.storage.volumes_key_arn))
    pairs.append(("archer.database.key_arn", environment.archer.database.key_arn))
    pairs += [
        (f"teams[{team.name}].data[{grant.bucket}].key_arn", grant.key_arn)
        for team in environment.teams
        for grant in team.data
    ]
    found: dict[str, DeclaredKey] = {}
    for path, arn in pairs:
        if arn is not None:
            found.setdefault(arn, DeclaredKey(path=path, arn=arn))
    return tuple(found.values())


def _key_arns(environment: Environment) -> tuple[str, ...]:
    return tuple(key.arn for key in declared_keys(environment))


def _volumes_key_arns(environment: Environment) -> tuple[str, ...]:
    arn = environment.storage.volumes_key_arn
    return () if arn is None else (arn,)


KEY: Final = Call("kms", "DescribeKey", Scope(words="the declared keys", arns=_key_arns))
POLICY: Final = Call("kms", "GetKeyPolicy", Scope(words="the volumes' key", arns=_volumes_key_arns))
GRANTS: Final = Call("kms", "ListGrants", Scope(words="the volumes' key", arns=_volumes_key_arns))


def judge_key(environment: Environment, file: str, key: DeclaredKey, found: dict[str, Any] | None) -> Iterator[Verdict]:
    """Yield whether a key can encrypt in the environment's region."""
    write = f"write an enabled symmetric key of {environment.region} as `{key.path}` in {file}"
    if found is None:
        yield failed(key.path, f"{key.arn}: no such key", needed="an existing key", fix=write)
    elif region_of(key.arn) != environment.region:
        yield failed(key.path, f"a key of {region_of(key.arn)}", needed=f"a key of {environment.region}", fix=write)
    elif found["KeyState"] == "Disabled":
        fix = f"aws kms enable-key --key-id {key.arn}; or {write}"
        yield failed(key.path, f"{key.arn}: Disabled", needed="Enabled", fix=fix)
    elif found["KeyState"] == "PendingDeletion":
        fix = f"aws kms cancel-key-deletion --key-id {key.arn}, then enable it; or {write}"
        yield failed(key.path, f"{key.arn}: PendingDeletion", needed="Enabled", fix=fix)
    elif found["KeyState"] != "Enabled":
        yield failed(key.path, f"{key.arn}: {found['KeyState']}", needed="Enabled", fix=write)
    elif found.get("KeySpec") != "SYMMETRIC_DEFAULT":
        yield failed(key.path, f"{found.get('KeySpec')}", needed="SYMMETRIC_DEFAULT", fix=write)
    else:
        yield passed(key.path, f"{key.arn}: Enabled")


def judge_autoscaling(
    environment: Environment, file: str, arn: str, policy: dict[str, Any], grants: list[dict[str, Any]]
) -> Iterator[Verdict]:
    """Yield whether Auto Scaling may use the volumes' key: nodes stop while they start when it may not."""
    role = autoscaling_role(partition(environment), environment.account)
    subject = "Auto Scaling on storage.volumes_key_arn"
    missing = missing_actions(policy, grants, role)
    if missing:
        statements = json.dumps(needed_statements(role))
        fix = f"add to the policy of {arn}: {statements}"
        if not in_account(environment, arn):
            # a policy of another account names the account; the role itself gets a grant
            fix = f"in account {arn.split(':')[4]}: {_grant_command(arn, role)}"
        yield failed(subject, f"lacks {listed(missing, most=10)}", needed=f"use and grants for {role}", fix=fix)
    elif not environment.storage.grants_autoscaling:
        fix = f"write `storage.grants_autoscaling: true` in {file}"
        yield warned(subject, "allowed, and the file does not say so", needed="the file's statement", fix=fix)
    else:
        yield passed(subject, f"allowed for {role}")


def _grant_command(arn: str, role: str) -> str:
    operations = "Encrypt Decrypt ReEncryptFrom ReEncryptTo GenerateDataKeyWithoutPlaintext DescribeKey CreateGrant"
    return f"aws kms create-grant --key-id {arn} --grantee-principal {role} --operations {operations}"


def _described(context: Context, key: DeclaredKey) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = context.aws.get(KEY, region=region_of(key.arn), KeyId=key.arn)["KeyMetadata"]
    except NotFoundError:
        return None
    return found


def _one(context: Context, key: DeclaredKey) -> Iterator[Verdict]:
    return ask(
        key.path,
        lambda: _described(context, key),
        lambda found: judge_key(context.environment, context.file, key, found),
    )


def _autoscaling(context: Context, arn: str) -> Iterator[Verdict]:
    def fetch() -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
        try:
            policy = context.aws.get(POLICY, KeyId=arn, PolicyName="default")["Policy"]
            return json.loads(policy), context.aws.pages(GRANTS, "Grants", KeyId=arn)
        except NotFoundError:
            return None  # the key's own row says so

    def judge(found: tuple[dict[str, Any], list[dict[str, Any]]] | None) -> Iterator[Verdict]:
        if found is not None:
            yield from judge_autoscaling(context.environment, context.file, arn, *found)

    return ask("Auto Scaling on storage.volumes_key_arn", fetch, judge)


def _run(context: Context) -> Iterator[Verdict]:
    for key in declared_keys(context.environment):
        yield from _one(context, key)
    arn = context.environment.storage.volumes_key_arn
    if arn is not None and region_of(arn) == context.environment.region:
        yield from _autoscaling(context, arn)


CHECK: Final = Check(
    name="keys",
    asks="Are the declared KMS keys enabled and symmetric, and may Auto Scaling use the volumes' key?",
    calls=(KEY, POLICY, GRANTS),
    run=_run,
)
