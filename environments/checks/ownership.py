"""ARNs of the environment's own things belong to its account and region.

Whoever copies a file and forgets one ARN would find out in the middle of a deploy; here every leftover is listed.
"""

from collections.abc import Iterator
from typing import Final

from environments.model import Environment
from environments.problems import Finding, Findings, Path, Words

_AUTO_SCALING: Final = (
    "arn:aws:iam::{account}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
)


def accounts(environment: Environment) -> Findings:
    """Boundary, execution role, cluster and node roles, keys, certificate and topics are in the environment's account."""
    for path, arn in _owned(environment):
        account = arn.split(":")[4]
        if account != environment.account:
            allowed = f"in account {environment.account}, the environment's; it is in {account}"
            yield Finding(
                path=path,
                value=arn,
                allowed=allowed,
                fix=f"copy the ARN from account {environment.account}, or change account",
            )


def in_region(environment: Environment) -> Findings:
    """Keys, certificate and topics are in the environment's region."""
    for path, arn in _owned(environment):
        region = arn.split(":")[3]
        if region not in {"", environment.region}:
            allowed = f"in {environment.region}, the environment's region; it is in {region}"
            yield Finding(
                path=path,
                value=arn,
                allowed=allowed,
                fix=f"make or replicate it in {environment.region} and copy that ARN",
            )


def autoscaling_grant(environment: Environment) -> Findings:
    """An existing volume key must let Auto Scaling use it, and only the file can say so: a synth looks nothing up."""
    storage = environment.storage
    path: Path = ("storage", "grants_autoscaling")
    if storage.volumes_key_arn is not None and not storage.grants_autoscaling:
        allowed = "true with volumes_key_arn: no node starts unless AWSServiceRoleForAutoScaling may use the key and create grants"
        yield Finding(
            path=path,
            value=False,
            allowed=allowed,
            fix=f"in the key's policy allow {_AUTO_SCALING.format(account=environment.account)} kms:Encrypt, kms:Decrypt, kms:ReEncrypt*, kms:GenerateDataKey*, kms:DescribeKey, and kms:CreateGrant if kms:GrantIsForAWSResource (as JSON in docs/guides/environments.md), then set grants_autoscaling: true",
        )
    if storage.volumes_key_arn is None and storage.grants_autoscaling:
        allowed = "absent without volumes_key_arn: Moka's own key grants it"
        yield Finding(path=path, value=True, allowed=allowed, fix="remove grants_autoscaling, or add volumes_key_arn")


def cross_account(environment: Environment) -> Findings:
    """A grant to another account names another account; the environment's own roles have theirs from teams."""
    for index, grant in enumerate(environment.storage.cross_account):
        if grant.principal_arn.split(":")[4] == environment.account:
            yield Finding(
                path=("storage", "cross_account", index, "principal_arn"),
                value=grant.principal_arn,
                allowed=f"a role of another account than {environment.account}",
                fix="grant a team data under teams[].data, or give the role a policy of its own",
            )
        elif grant in environment.storage.cross_account[:index]:
            yield Finding(
                path=("storage", "cross_account", index),
                value=Words(f"{grant.access} {grant.bucket}/{grant.prefix}"),
                allowed="each grant once",
                fix="remove it",
            )


def _owned(environment: Environment) -> Iterator[tuple[Path, str]]:
    """Yield the ARNs of things that must be the account's own, with their paths."""
    storage, archer = environment.storage, environment.archer
    given: list[tuple[Path, str | None]] = [
        (("bootstrap", "execution_role_arn"), environment.bootstrap.execution_role_arn),
        (("permissions", "boundary_arn"), environment.permissions.boundary_arn),
        (("storage", "key_arn"), storage.key_arn),
        (("storage", "volumes_key_arn"), storage.volumes_key_arn),
        (("archer", "endpoint", "certificate_arn"), archer.endpoint.certificate_arn),
        (("archer", "database", "key_arn"), archer.database.key_arn),
    ]
    for index, cache in enumerate(environment.delivery.pull_through_caches):
        given.append((("delivery", "pull_through_caches", index, "credential_arn"), cache.credential_arn))
    if environment.alarms is not None:
        given += [(("alarms", "topic_arns", number), arn) for number, arn in enumerate(environment.alarms.topic_arns)]
    for number, cluster in enumerate(environment.clusters):
        at: Path = ("clusters", number)
        given.append(((*at, "secrets_key_arn"), cluster.secrets_key_arn))
        given.append(((*at, "cluster_role_arn"), cluster.cluster_role_arn))
        given.append(((*at, "node_role_arn"), cluster.node_role_arn))
    yield from ((path, arn) for path, arn in given if arn is not None)
