"""What stands beside the VPC, one card per kind of thing: buckets, registries, keys, roles, monitoring, automation."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from moka.architecture.facts import Fact, counted
from moka.architecture.resources import keys, last_part, texts, written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from moka.architecture.resources import Resource, Resources

_KEY_ARN: Final = re.compile(r"arn:[a-z-]+:kms:[^:]+:\d+:key/[A-Za-z0-9-]+")
_ACCOUNT: Final = re.compile(r"-\d{12}-")
"""The account's number in the name of a bucket: it makes the name unique and long."""
_SEPARATOR: Final = " · "


@dataclass(frozen=True, kw_only=True)
class Card:
    """A titled list of facts."""

    icon: str
    title: str
    facts: tuple[Fact, ...]


def read_cards(resources: Resources) -> tuple[Card, ...]:
    """The cards that have something to say."""
    cards = (
        Card(icon="bucket", title="S3 buckets", facts=tuple(_buckets(resources))),
        Card(icon="image", title="ECR repositories", facts=tuple(_repositories(resources))),
        Card(icon="key", title="KMS keys", facts=tuple(_keys(resources))),
        Card(icon="role", title="IAM", facts=tuple(_identity(resources))),
        Card(icon="alarm", title="Monitoring", facts=tuple(_monitoring(resources))),
        Card(icon="clock", title="Automation", facts=tuple(_automation(resources))),
    )
    return tuple(card for card in cards if card.facts)


def _buckets(resources: Resources) -> Iterator[Fact]:
    for bucket in resources.of_kind("AWS::S3::Bucket"):
        rules = bucket.get("LifecycleConfiguration", "Rules", default=())
        days = [rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule]
        versioned = bucket.get("VersioningConfiguration", "Status") == "Enabled"
        policies = resources.referring(bucket, ["AWS::S3::BucketPolicy"], "Bucket")
        tls = any("aws:SecureTransport" in json.dumps(each.get("PolicyDocument")) for each in policies)
        name = str(bucket.get("BucketName", default=bucket.logical_id))
        said = [
            f"kept {counted(days[0], 'day')}" if days else "kept for ever",
            "versioned" if versioned else "",
            "TLS only" if tls else "",
            _bucket_key(resources, bucket),
        ]
        yield Fact(
            of=keys(bucket, policies if tls else None),
            text=_ACCOUNT.sub("-…-", name),
            tip=name,
            detail=_SEPARATOR.join(filter(None, said)),
        )


def _bucket_key(resources: Resources, bucket: Resource) -> str:
    for rule in bucket.get("BucketEncryption", "ServerSideEncryptionConfiguration", default=()):
        default = rule.get("ServerSideEncryptionByDefault", {})
        if default.get("SSEAlgorithm") == "AES256":
            return "S3's own key"
        return _key_name(resources, bucket, default.get("KMSMasterKeyID"))
    return ""


def _key_name(resources: Resources, by: Resource, value: Any) -> str:
    arn = written(value)
    if arn is not None:
        return f"existing key …{arn[-4:]}"
    key = resources.at(by, value)
    return "" if key is None else f"key {_alias(resources, key)}"


def _alias(resources: Resources, key: Resource) -> str:
    aliases = resources.referring(key, ["AWS::KMS::Alias"], "TargetKeyId")
    return str(aliases[0].get("AliasName")).removeprefix("alias/") if aliases else key.logical_id


def _repositories(resources: Resources) -> Iterator[Fact]:
    alike: dict[str, list[Resource]] = {}
    for repository in resources.of_kind("AWS::ECR::Repository"):
        said = [
            "immutable tags" if repository.get("ImageTagMutability") == "IMMUTABLE" else "mutable tags",
            "scanned" if repository.get("ImageScanningConfiguration", "ScanOnPush") is True else "",
            _key_name(resources, repository, repository.get("EncryptionConfiguration", "KmsKey")),
        ]
        alike.setdefault(_SEPARATOR.join(filter(None, said)), []).append(repository)
    for detail, those in alike.items():
        # most are alike: what is said of all of them is said once
        yield Fact(of=keys(those), text=counted(len(those), "repository"), detail=detail)
        for repository in those:
            yield Fact(of=keys(repository), text=str(repository.get("RepositoryName", default=repository.logical_id)))
    for rule in resources.of_kind("AWS::ECR::PullThroughCacheRule"):
        prefix, upstream = rule.get("EcrRepositoryPrefix"), rule.get("UpstreamRegistryUrl")
        yield Fact(of=keys(rule), text=f"{prefix}/*", detail=f"cache of {upstream}")


def _keys(resources: Resources) -> Iterator[Fact]:
    for key in resources.of_kind("AWS::KMS::Key"):
        aliases = resources.referring(key, ["AWS::KMS::Alias"], "TargetKeyId")
        yield Fact(
            of=keys(key, aliases),
            text=_alias(resources, key),
            detail="" if key.get("EnableKeyRotation") is True else "not rotated",
            tip=str(key.get("Description", default="")),
        )
    users: dict[str, set[str]] = {}
    for resource in resources:
        for arn in {arn for text in texts(resource.properties) for arn in _KEY_ARN.findall(text)}:
            users.setdefault(arn, set()).add(resource.kind.split("::")[1])
    for arn in sorted(users):
        detail = f"existing{_SEPARATOR}named by {', '.join(sorted(users[arn]))}"
        yield Fact(of=(), text=last_part(arn), detail=detail, existing=True)


def _identity(resources: Resources) -> Iterator[Fact]:
    roles: dict[str, list[Resource]] = {}
    for role in resources.of_kind("AWS::IAM::Role"):
        roles.setdefault(_assumed_by(role), []).append(role)
    for who in sorted(roles, key=lambda each: (-len(roles[each]), each)):
        names = ", ".join(str(role.get("RoleName", default=role.logical_id)) for role in roles[who])
        yield Fact(of=keys(roles[who]), text=counted(len(roles[who]), "role"), detail=f"for {who}", tip=names)
    boundaries = {written(each.get("PermissionsBoundary")) for each in resources.of_kind("AWS::IAM::Role")} - {None}
    for boundary in sorted(map(str, boundaries)):
        yield Fact(of=(), text=last_part(boundary), detail="existing · boundary of roles", existing=True)
    providers = resources.of_kind("AWS::IAM::OIDCProvider")
    if providers:
        yield Fact(of=keys(providers), text=counted(len(providers), "OIDC provider"), detail="for pods of clusters")


def _assumed_by(role: Resource) -> str:
    trust = json.dumps(role.get("AssumeRolePolicyDocument"))
    if "system:serviceaccount:" in trust or "pods.eks.amazonaws.com" in trust:
        return "pods"
    services = sorted(set(re.findall(r"([a-z0-9.-]+)\.amazonaws\.com", trust)))
    return ", ".join(services) or "others"


def _monitoring(resources: Resources) -> Iterator[Fact]:
    alarms: dict[str, list[Resource]] = {}
    for alarm in resources.of_kind("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"):
        alarms.setdefault(alarm.stack, []).append(alarm)
    for stack, those in alarms.items():
        names = ", ".join(str(each.get("AlarmName", default=each.logical_id)) for each in those)
        yield Fact(of=keys(those), text=counted(len(those), "alarm"), detail=f"of {stack}", tip=names)
    for board in resources.of_kind("AWS::CloudWatch::Dashboard"):
        yield Fact(of=keys(board), text=str(board.get("DashboardName", default=board.logical_id)), detail="dashboard")
    groups = resources.of_kind("AWS::Logs::LogGroup")
    if groups:
        days = Counter(each.get("RetentionInDays") for each in groups)
        kept = ", ".join(f"{number} for {day} days" if day else f"{number} for ever" for day, number in days.items())
        names = ", ".join(str(each.get("LogGroupName", default=each.logical_id)) for each in groups)
        yield Fact(of=keys(groups), text=counted(len(groups), "log group"), detail=f"kept: {kept}", tip=names)
    yield from _topics(resources)
    for rule in resources.of_kind("AWS::Events::Rule"):
        yield Fact(of=keys(rule), text=str(rule.get("Name", default=rule.logical_id)), detail="event rule")


def _topics(resources: Resources) -> Iterator[Fact]:
    own = set()
    for topic in resources.of_kind("AWS::SNS::Topic"):
        own.add(topic.get("TopicName"))
        subscriptions = resources.referring(topic, ["AWS::SNS::Subscription"], "TopicArn")
        to = [f"{each.get('Protocol')} {each.get('Endpoint')}" for each in subscriptions]
        yield Fact(
            of=keys(topic, subscriptions),
            text=str(topic.get("TopicName", default=topic.logical_id)),
            detail=_SEPARATOR.join(["topic", *to]),
        )
    actions = {arn for alarm in resources.of_kind("AWS::CloudWatch::Alarm") for arn in alarm.get("AlarmActions") or ()}
    for arn in sorted(arn for arn in map(written, actions) if arn is not None and last_part(arn) not in own):
        yield Fact(of=(), text=last_part(arn), detail="existing · topic", existing=True)


def _automation(resources: Resources) -> Iterator[Fact]:
    schedules = resources.of_kind("AWS::Scheduler::Schedule")
    groups = {resources.at(each, each.get("GroupName")) for each in schedules}
    for group in [*(each for each in resources if each in groups), *({None} & groups)]:
        those = [each for each in schedules if resources.at(each, each.get("GroupName")) is group]
        times = Counter(f"{each.get('ScheduleExpression')}" for each in those)
        zones = sorted({str(each.get("ScheduleExpressionTimezone", default="UTC")) for each in those})
        yield Fact(
            of=keys(group, those),
            text="schedules" if group is None else f"schedules {group.get('Name', default=group.logical_id)}",
            detail=_SEPARATOR.join([*(f"{number} at {time}" for time, number in times.items()), *zones]),
            tip=", ".join(str(each.get("Description", default=each.logical_id)) for each in those),
        )
    yield from _named(resources, "AWS::StepFunctions::StateMachine", "StateMachineName", "state machine")
    yield from _named(resources, "AWS::Lambda::Function", "FunctionName", "function")
    customs: dict[str, list[Resource]] = {}
    for custom in (each for each in resources if each.kind.startswith("Custom::")):
        customs.setdefault(custom.kind.removeprefix("Custom::"), []).append(custom)
    for name, those in customs.items():
        stacks = ", ".join(each.stack for each in those)
        yield Fact(of=keys(those), text=name, detail=counted(len(those), "custom resource"), tip=stacks)


def _named(resources: Resources, kind: str, name: str, what: str) -> Iterator[Fact]:
    for resource in resources.of_kind(kind):
        tip = [str(resource.get(each)) for each in ("Description", "Runtime") if resource.get(each)]
        text = str(resource.get(name, default=resource.logical_id))
        yield Fact(of=keys(resource), text=text, detail=what, tip=", ".join(tip))


def counted_kinds(resources: Iterable[Resource]) -> dict[str, int]:
    """Type -> how many, by name."""
    return dict(sorted(Counter(resource.kind for resource in resources).items()))
