"""Tells when EC2 Auto Scaling could not start a node for want of addresses or quota, which no metric says.

A subnet without free addresses, a quota of vCPUs: the group's event names the reason. Want of spot capacity is left out, for the
autoscaler goes on to the next group by itself.
Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html#launch-unsuccessful-event
"""

import dataclasses
from collections.abc import Sequence
from typing import Final

from aws_cdk import CfnResource
from constructs import Construct

from moka_constructs.errors import PropsError

REASONS: Final = (
    "*free addresses*",
    "*FreeAddresses*",
    "*vCPU limit*",
    "*VcpuLimitExceeded*",
    "*MaxSpotInstanceCountExceeded*",
    "*InstanceLimitExceeded*",
)
"""What the messages of such events say, as EventBridge's wildcards."""
MOST_TARGETS: Final = 5


@dataclasses.dataclass(frozen=True, kw_only=True)
class LaunchFailuresProps:
    """Whose failures, and who is told."""

    name: str
    auto_scaling_groups: Sequence[str]
    """Names of the groups."""
    topic_arns: Sequence[str]
    """At most five."""


class LaunchFailures(Construct):
    """An EventBridge rule."""

    def __init__(self, scope: Construct, construct_id: str, props: LaunchFailuresProps) -> None:
        super().__init__(scope, construct_id)
        if not 1 <= len(props.topic_arns) <= MOST_TARGETS:
            raise PropsError(
                "WrongNumberOfTopics",
                f"`topic_arns` must name 1 to {MOST_TARGETS} topics, got {len(props.topic_arns)}; a rule has no more targets",
                self,
            )
        pattern = {
            "source": ["aws.autoscaling"],
            "detail-type": ["EC2 Instance Launch Unsuccessful"],
            "detail": {
                "AutoScalingGroupName": list(props.auto_scaling_groups),
                "StatusMessage": [{"wildcard": reason} for reason in REASONS],
            },
        }
        targets = [{"Id": f"Topic{number}", "Arn": arn} for number, arn in enumerate(props.topic_arns, start=1)]
        properties = {
            "Name": props.name,
            "Description": "Nodes that did not start for want of addresses or quota",
            "EventPattern": pattern,
            "State": "ENABLED",
            "Targets": targets,
        }
        CfnResource(self, "Resource", type="AWS::Events::Rule", properties=properties)
