"""Archer's load balancer and database as the templates have them: names, listeners, target groups; capacity, instances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moka.architecture.facts import Fact, counted
from moka.architecture.resources import keys, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from moka.architecture.resources import Resource, Resources


@dataclass(frozen=True, kw_only=True)
class LoadBalancer:
    """One load balancer of Elastic Load Balancing."""

    resource: Resource
    of: tuple[str, ...]
    name: str
    internal: bool
    hostnames: tuple[Fact, ...]
    """DNS names that lead to it."""
    routes: tuple[Fact, ...]
    """A listener's port (and the host that it is for), with the target group as detail."""
    callers: tuple[Fact, ...]
    """Address ranges and prefix lists that may call it; those that exist already are marked."""


@dataclass(frozen=True, kw_only=True)
class Database:
    """One Aurora cluster."""

    resource: Resource
    of: tuple[str, ...]
    name: str
    engine: str
    facts: tuple[Fact, ...]
    """What is worth knowing about it, a few words each."""
    instances: tuple[Fact, ...]


def read_load_balancers(resources: Resources) -> tuple[LoadBalancer, ...]:
    """The load balancers, in the templates' order."""
    return tuple(
        _load_balancer(resources, each) for each in resources.of_kind("AWS::ElasticLoadBalancingV2::LoadBalancer")
    )


def read_databases(resources: Resources) -> tuple[Database, ...]:
    """The databases, in the templates' order."""
    return tuple(_database(resources, each) for each in resources.of_kind("AWS::RDS::DBCluster"))


def security_groups(resources: Resources, by: Resource, *path: str) -> list[Resource]:
    """The security groups that a resource's list names, as far as the templates make them."""
    return resources.one_of(by, by.get(*path))


def _load_balancer(resources: Resources, balancer: Resource) -> LoadBalancer:
    records = resources.referring(balancer, ["AWS::Route53::RecordSet"], "AliasTarget", "DNSName")
    return LoadBalancer(
        resource=balancer,
        of=keys(balancer),
        name=str(balancer.get("Name", default=balancer.logical_id)),
        internal=balancer.get("Scheme") == "internal",
        hostnames=tuple(
            Fact(
                of=keys(record),
                text=str(record.get("Name")).removesuffix("."),
                tip=f"hosted zone {written(record.get('HostedZoneId')) or 'of this environment'}",
            )
            for record in records
        ),
        routes=tuple(_routes(resources, balancer)),
        callers=tuple(_callers(resources, balancer)),
    )


def _routes(resources: Resources, balancer: Resource) -> Iterator[Fact]:
    for listener in resources.referring(balancer, ["AWS::ElasticLoadBalancingV2::Listener"], "LoadBalancerArn"):
        port = f"{listener.get('Protocol')} {listener.get('Port')}"
        yield from _forwards(resources, listener, listener.get("DefaultActions"), port)
        for rule in resources.referring(listener, ["AWS::ElasticLoadBalancingV2::ListenerRule"], "ListenerArn"):
            hosts = [
                str(host)
                for condition in rule.get("Conditions", default=())
                for host in condition.get("HostHeaderConfig", {}).get("Values", ())
            ]
            yield from _forwards(
                resources, rule, rule.get("Actions"), f"{port} for {' '.join(hosts)}" if hosts else port, listener
            )


def _forwards(
    resources: Resources, by: Resource, actions: Any, text: str, listener: Resource | None = None
) -> Iterator[Fact]:
    for action in actions or ():
        target = resources.at(by, action.get("TargetGroupArn"))
        name = "a target that no template has" if target is None else f"{target.get('Name')}:{target.get('Port')}"
        yield Fact(of=keys(by, listener, target), text=text, detail=name)


def _callers(resources: Resources, balancer: Resource) -> Iterator[Fact]:
    seen: dict[str, list[Resource]] = {}
    for group in security_groups(resources, balancer, "SecurityGroups"):
        for rule in group.get("SecurityGroupIngress", default=()):
            who = written(rule.get("CidrIp")) or written(rule.get("SourcePrefixListId"))
            if who is not None:
                seen.setdefault(who, []).append(group)
    for who, groups in seen.items():
        yield Fact(of=keys(groups), text=who, existing=who.startswith("pl-"))


def _database(resources: Resources, database: Resource) -> Database:
    low, high = (database.get("ServerlessV2ScalingConfiguration", each) for each in ("MinCapacity", "MaxCapacity"))
    key = database.get("KmsKeyId")
    whose = "existing key" if written(key) else "own key"
    subnets = resources.at(database, database.get("DBSubnetGroupName"))
    engine = f"{database.get('Engine')} {database.get('EngineVersion', default='')}"
    return Database(
        resource=database,
        of=keys(database),
        name=str(database.get("DBClusterIdentifier", default=database.logical_id)),
        engine=engine.replace("aurora-postgresql", "Aurora PostgreSQL").strip(),
        facts=(
            *(
                [Fact(of=keys(subnets), text=f"in {len(subnets.get('SubnetIds', default=()))} subnets")]
                if subnets
                else []
            ),
            *(Fact(of=keys(database), text=text) for text in _said(low, high, database) if text),
            *([Fact(of=keys(database, resources.at(database, key)), text=whose)] if key else []),
        ),
        instances=tuple(
            Fact(of=keys(each), text=str(each.get("DBInstanceClass")))
            for each in resources.referring(database, ["AWS::RDS::DBInstance"], "DBClusterIdentifier")
        ),
    )


def _said(low: Any, high: Any, database: Resource) -> Iterator[str]:
    yield f"{low} to {high} ACU" if high is not None else ""
    yield "IAM authentication" if database.get("EnableIAMDatabaseAuthentication") is True else ""
    days = database.get("BackupRetentionPeriod", default=1)
    yield f"backups for {counted(days, 'day')}"
    yield "protected from deletion" if database.get("DeletionProtection") is True else ""
