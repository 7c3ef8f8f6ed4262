"""The one tagger of a cluster's Auto Scaling groups (decision D5): a small Lambda function behind a custom resource.

It knows managed node groups and nothing of Kubernetes. It runs outside the VPC, because it talks to public AWS APIs only.
"""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from aws_cdk import CfnResource
from aws_cdk import aws_logs as logs
from constructs import Construct

from moka_constructs.auto_scaling_tagger.tags import DISCOVERY_TAG, MAX_KEY_LENGTH, MAX_TAGS, group_tags
from moka_constructs.errors import PropsError
from moka_constructs.location import Location
from moka_constructs.node_pool import NodePool
from moka_constructs.service_role import ServiceRole, ServiceRoleProps
from moka_constructs.statements import Statement

RESOURCE_TYPE: Final = "Custom::MokaAutoScalingTags"
HANDLER: Final = Path(__file__).parent / "handler" / "index.py"
HANDLER_TIMEOUT_SECONDS: Final = 240
SERVICE_TIMEOUT_SECONDS: Final = 300
"""How long CloudFormation waits for an answer; its default is an hour."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class AutoScalingTaggerProps:
    """Whose groups, and where."""

    name: str
    """Name of the function, its role and its log group, at most 64 characters."""
    location: Location
    cluster_name: str
    """Name of the cluster, as text."""
    pools: tuple[NodePool, ...]
    tags: Mapping[str, str]
    """Tags that every Auto Scaling group carries."""
    log_retention_days: int


class AutoScalingTagger(Construct):
    """Tags the Auto Scaling groups of `pools` and learns their names."""

    def __init__(self, scope: Construct, construct_id: str, props: AutoScalingTaggerProps) -> None:
        super().__init__(scope, construct_id)
        groups = {
            name: group_tags(props.cluster_name, pool, props.tags)
            for pool in props.pools
            for name in pool.group_names.values()
        }
        for name, tags in groups.items():
            self._check(name, tags)
        function = self._function(props)
        resource = CfnResource(
            self,
            "Resource",
            type=RESOURCE_TYPE,
            properties={
                "ServiceToken": function.get_att("Arn"),
                "ServiceTimeout": SERVICE_TIMEOUT_SECONDS,
                "ClusterName": props.cluster_name,
                "Groups": json.dumps([{"name": name, "tags": tags} for name, tags in groups.items()]),
            },
        )
        resource.node.add_dependency(*props.pools)
        places = [(pool.name, zone) for pool in props.pools for zone in pool.group_names]
        self.auto_scaling_groups: dict[tuple[str, str], str] = {
            place: resource.get_att(f"Group{number}").to_string() for number, place in enumerate(places)
        }
        """{(pool, zone): name of its Auto Scaling group}, tokens."""

    def _check(self, group: str, tags: Mapping[str, str]) -> None:
        if len(tags) > MAX_TAGS:
            raise PropsError(
                "TooManyTags",
                f"`tags` and labels of {group} must make at most {MAX_TAGS} tags, got {len(tags)}; drop tags or labels",
                self,
            )
        for key, value in tags.items():
            if len(key) > MAX_KEY_LENGTH or len(value) > 256:
                raise PropsError(
                    "TagTooLong",
                    f"tag key of {group} must have at most {MAX_KEY_LENGTH} characters and its value 256, got {key} ({len(key)}, {len(value)}); shorten it",
                    self,
                )

    def _function(self, props: AutoScalingTaggerProps) -> CfnResource:
        location = props.location
        log_group = f"/aws/lambda/{props.name}"
        group = logs.CfnLogGroup(self, "LogGroup", log_group_name=log_group, retention_in_days=props.log_retention_days)
        role = ServiceRole(
            self,
            "Role",
            ServiceRoleProps(
                role_name=props.name,
                location=location,
                description=f"Tags the Auto Scaling groups of EKS cluster {props.cluster_name}",
                service="lambda.amazonaws.com",
                statements=(*_tag_groups(location, props.cluster_name), _write_logs(location, log_group)),
            ),
        )
        # Not the L1 of aws_lambda: loading that module is a tenth of a second of each synth. The code travels in the
        # template (CloudFormation takes 4 MB), so there is no asset that a deploy could miss.
        function = CfnResource(
            self,
            "Function",
            type="AWS::Lambda::Function",
            properties={
                "FunctionName": props.name,
                "Description": f"Tags the Auto Scaling groups of EKS cluster {props.cluster_name}",
                "Architectures": ["arm64"],
                "Runtime": "python3.13",
                "Handler": "index.handle",
                "Code": {"ZipFile": HANDLER.read_text(encoding="utf-8")},
                "Role": role.arn,
                "MemorySize": 256,
                "Timeout": HANDLER_TIMEOUT_SECONDS,
            },
        )
        function.add_resource_dependency(group)
        return function


def _tag_groups(location: Location, cluster_name: str) -> tuple[Statement, ...]:
    """Let the function find and tag the cluster's groups; EKS marks each with the cluster's name."""
    groups = location.arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName/eks-*")
    return (
        Statement(
            sid="FindAutoScalingGroups",
            actions=("eks:DescribeNodegroup",),
            resources=(location.arn("eks", f"nodegroup/{cluster_name}/*"),),
        ),
        Statement(
            sid="TagAutoScalingGroups",
            actions=(
                "autoscaling:CreateOrUpdateTags",
                "autoscaling:DeleteTags",
                "autoscaling:EnableMetricsCollection",
            ),
            resources=(groups,),
            conditions={"StringEquals": {"aws:ResourceTag/eks:cluster-name": cluster_name}},
        ),
    )


def _write_logs(location: Location, log_group: str) -> Statement:
    return Statement(
        sid="WriteLogs",
        actions=("logs:CreateLogStream", "logs:PutLogEvents"),
        resources=(f"{location.arn('logs', f'log-group:{log_group}')}:*",),
    )


__all__ = ["DISCOVERY_TAG", "RESOURCE_TYPE", "AutoScalingTagger", "AutoScalingTaggerProps"]
