"""How long CloudFormation typically takes to make one resource: a dated table with a source for every figure that has one.

The figures are for orientation. They differ by region and day, most of those that were measured come from logs of Terraform
(which polls the same APIs, sometimes less patiently than CloudFormation), and those that nobody wrote down are estimates and
say so wherever they are shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

Properties = Mapping[str, Any]
"""Of a resource in a template."""

READ_ON: Final = date(2026, 11, 24)
"""The day on which the sources were read."""


class Basis(StrEnum):
    """How a figure was obtained."""

    STATED = "stated"
    """By AWS or by those who maintain a tool that waits for the same thing."""
    MEASURED = "measured"
    """From the log of a real deploy."""
    ESTIMATE = "estimate"
    """No source was found."""


@dataclass(frozen=True, kw_only=True)
class CreationTime:
    """The typical time of one CloudFormation type."""

    kind: str
    """`AWS::EKS::Cluster`; one that ends in `*` stands for every type that starts so."""
    seconds: int
    basis: Basis
    how: str
    """What the source says, or why the estimate is what it is."""
    source: str = ""
    """Address; empty for an estimate without any."""
    only: str = ""
    """Of which resources of the type it holds, in words; empty for all."""
    applies: Callable[[Properties], bool] | None = None
    """Of which resources of the type it holds; None for all."""


_AWS_CDK_LOG: Final = "https://github.com/aws/aws-cdk/issues/3646"
_CDKD: Final = "https://github.com/go-to-k/cdkd/blob/main/docs/cli-reference.md"
_EKS_LOG: Final = "https://sirzzang.github.io//kubernetes/Kubernetes-EKS-GPU-TroubleShooting-02-01-Installation/"
_EKS_LOG_2024: Final = "https://github.com/DevopsArtFactory/terraform-provisioning/pull/46"
_KMS_HANDLER: Final = "https://github.com/aws-cloudformation/aws-cloudformation-resource-providers-kms/pull/"
_STEAMPIPE: Final = "https://github.com/turbot/steampipe-plugin-aws/pull/"
_ECS_LOG: Final = "https://github.com/amazon-archives/ecs-mxnet-example/issues/4"
_VPC_LOG: Final = "https://github.com/DevopsArtFactory/terraform-provisioning/pull/5"


def _starts_empty(properties: Properties) -> bool:
    scaling = properties.get("ScalingConfig", {})
    return int(scaling.get("DesiredSize", scaling.get("MinSize", 0))) == 0


def _is_gateway(properties: Properties) -> bool:
    return bool(properties.get("VpcEndpointType", "Gateway") == "Gateway")


def _stated(kind: str, seconds: int, source: str, how: str) -> CreationTime:
    return CreationTime(kind=kind, seconds=seconds, basis=Basis.STATED, source=source, how=how)


def _measured(kind: str, seconds: int, source: str, how: str) -> CreationTime:
    return CreationTime(kind=kind, seconds=seconds, basis=Basis.MEASURED, source=source, how=how)


def _estimates(seconds: int, how: str, *kinds: str) -> tuple[CreationTime, ...]:
    return tuple(CreationTime(kind=kind, seconds=seconds, basis=Basis.ESTIMATE, how=how) for kind in kinds)


_FAST: Final = "one API call, ready at once"
_IAM: Final = "CloudFormation waits for IAM to spread it; Terraform's logs, which do not wait, show 4 to 7 s"

CREATION_TIMES: Final[tuple[CreationTime, ...]] = (
    _stated(
        "AWS::EKS::Cluster",
        540,
        "https://github.com/aws/containers-roadmap/issues/1227",
        "AWS: 9 minutes on average; Terraform logs show 513 s (2024) and 564 s (2026, Kubernetes 1.35)",
    ),
    CreationTime(
        kind="AWS::EKS::Nodegroup",
        seconds=60,
        basis=Basis.MEASURED,
        source=_EKS_LOG,
        how="58 s with Terraform for a group without nodes (2026; log on the series' next page)",
        only="no node at first",
        applies=_starts_empty,
    ),
    _measured("AWS::EKS::Nodegroup", 115, _EKS_LOG_2024, "108 s and 119 s with Terraform, on demand and spot"),
    _measured(
        "AWS::EKS::Addon", 35, _EKS_LOG, "15 to 55 s with Terraform over seven add-ons (log on the series' next page)"
    ),
    _measured(
        "AWS::EKS::AccessEntry",
        1,
        "https://github.com/DevopsArtFactory/terraform-provisioning/pull/47",
        "1 s with Terraform",
    ),
    _stated(
        "AWS::KMS::Key",
        20,
        f"{_KMS_HANDLER}61",
        "CloudFormation's handler waits 15 s since 2024 (twice a minute before)",
    ),
    _stated("AWS::KMS::Alias", 60, f"{_KMS_HANDLER}32", "CloudFormation's handler waits one minute"),
    _stated("AWS::EC2::NatGateway", 90, _CDKD, "1 to 2 minutes until available"),
    _measured("AWS::EC2::VPC", 20, _VPC_LOG, "22 s with Terraform, with DNS host names"),
    _measured("AWS::EC2::EIP", 2, f"{_STEAMPIPE}540", "2 s with Terraform"),
    _measured("AWS::EC2::InternetGateway", 6, f"{_STEAMPIPE}540", "6 s with Terraform"),
    _measured("AWS::EC2::Subnet", 4, f"{_STEAMPIPE}540", "4 s with Terraform"),
    _measured("AWS::EC2::RouteTable", 1, _VPC_LOG, "1 s with Terraform"),
    CreationTime(
        kind="AWS::EC2::VPCEndpoint",
        seconds=5,
        basis=Basis.ESTIMATE,
        how="an entry in route tables",
        only="gateway",
        applies=_is_gateway,
    ),
    *_estimates(90, "network interfaces in every zone, then private DNS", "AWS::EC2::VPCEndpoint"),
    _measured(
        "AWS::ElasticLoadBalancingV2::LoadBalancer", 140, f"{_STEAMPIPE}792", "139 s with Terraform, until active"
    ),
    _measured("AWS::ElasticLoadBalancingV2::ListenerRule", 1, _ECS_LOG, "1 s in CloudFormation's events"),
    _stated("AWS::RDS::DBInstance", 450, _CDKD, "5 to 10 minutes until available"),
    CreationTime(
        kind="AWS::RDS::DBCluster",
        seconds=90,
        basis=Basis.ESTIMATE,
        source="https://github.com/hashicorp/terraform-provider-aws/pull/48948",
        how="acceptance tests that make and delete a cluster without instances take 111 s and more",
    ),
    _measured("AWS::RDS::DBClusterParameterGroup", 10, f"{_STEAMPIPE}534", "10 s with Terraform"),
    _stated(
        "AWS::Route53::RecordSet",
        60,
        "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-editing.html",
        "AWS: changes generally reach all name servers within 60 seconds, and CloudFormation waits for that",
    ),
    _measured("AWS::Logs::LogGroup", 1, _AWS_CDK_LOG, "less than 1 s in CloudFormation's events"),
    *(
        CreationTime(kind=kind, seconds=15, basis=Basis.ESTIMATE, how=_IAM, source=f"{_STEAMPIPE}131")
        for kind in ("AWS::IAM::Role", "AWS::IAM::RolePolicy", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
    ),
    *_estimates(120, "an instance profile is waited for longer than a role", "AWS::IAM::InstanceProfile"),
    *_estimates(10, "one call to IAM", "AWS::IAM::OIDCProvider", "AWS::IAM::ServiceLinkedRole"),
    *_estimates(10, "one call to EKS", "AWS::EKS::PodIdentityAssociation"),
    *_estimates(20, "CloudFormation waits for the name to be known everywhere", "AWS::S3::Bucket"),
    *_estimates(10, "until the function is active", "AWS::Lambda::Function", "AWS::StepFunctions::StateMachine"),
    *_estimates(10, "one API call", "AWS::RDS::DBSubnetGroup", "AWS::SecretsManager::Secret", "AWS::EC2::FlowLog"),
    *_estimates(10, "one API call", "AWS::CloudWatch::Dashboard", "AWS::SNS::Topic", "AWS::SQS::Queue"),
    *_estimates(
        5,
        _FAST,
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::CompositeAlarm",
        "AWS::EC2::LaunchTemplate",
        "AWS::EC2::Route",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::VPCCidrBlock",
        "AWS::EC2::VPCGatewayAttachment",
        "AWS::ECR::PullThroughCacheRule",
        "AWS::ECR::Repository",
        "AWS::ECR::RepositoryCreationTemplate",
        "AWS::ElasticLoadBalancingV2::Listener",
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        "AWS::Events::Rule",
        "AWS::Lambda::Permission",
        "AWS::Lambda::Version",
        "AWS::Logs::LogStream",
        "AWS::Logs::MetricFilter",
        "AWS::Logs::ResourcePolicy",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::Subscription",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
        "AWS::SSM::Parameter",
        "AWS::Scheduler::Schedule",
        "AWS::Scheduler::ScheduleGroup",
    ),
    *_estimates(30, "one run of a function that makes calls to AWS", "Custom::MokaAutoScalingTags"),
    *_estimates(180, "a function that waits for what it has made; it must answer within 12 minutes", "Custom::*"),
    *_estimates(180, "a function that waits for what it has made", "AWS::CloudFormation::CustomResource"),
)
"""Of several that hold for a resource, the first."""

UNKNOWN: Final = CreationTime(
    kind="any other", seconds=10, basis=Basis.ESTIMATE, how="not in the table: most types are made by one API call"
)


def typical(kind: str, properties: Properties) -> CreationTime:
    """The entry for a resource; UNKNOWN for a type that the table does not have."""
    return next((each for each in CREATION_TIMES if _holds(each, kind, properties)), UNKNOWN)


def _holds(time: CreationTime, kind: str, properties: Properties) -> bool:
    named = kind.startswith(time.kind[:-1]) if time.kind.endswith("*") else kind == time.kind
    return named and (time.applies is None or time.applies(properties))
