"""The target group of a service whose pods answer behind a load balancer.

Targets are pod addresses; a TargetGroupBinding in the cluster registers them, by the group's name, which is known before
a deploy. Changing what makes a target group another one (port, protocol, VPC) needs another name: AWS refuses two of one.
"""

import dataclasses
from typing import Final

from aws_cdk import aws_elasticloadbalancingv2 as elb
from constructs import Construct

from moka_constructs.errors import PropsError

MOST_NAME: Final = 32
"""Characters of a load balancer's or target group's name."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Service:
    """Pods that answer at a host name and a port of the load balancer."""

    name: str
    """PascalCase; part of construct ids."""
    hostname: str
    port: int = 443
    """Port that clients use. Services of one port are told apart by host name; the first also gets what fits none."""
    target_port: int
    """Port of the pods; HTTP."""
    target_group_name: str
    """At most 32 characters; fixed, so that a TargetGroupBinding can be rendered before a deploy (targetGroupName)."""
    health_path: str
    health_port: int | None = None
    """Port that is asked for health; the target port by default."""
    target_security_group_id: str | None = None
    """Group of its pods; the balancer's `target_security_group_id` by default."""


class ServiceTargets(Construct):
    """The target group with its health check. `arn` is a token."""

    def __init__(self, scope: Construct, construct_id: str, vpc_id: str, service: Service) -> None:
        super().__init__(scope, construct_id)
        check_name(self, "target_group_name", service.target_group_name)
        if not service.health_path.startswith("/"):
            raise PropsError(
                "HealthPathForm", f"`health_path` must start with a slash, got {service.health_path!r}; add it", self
            )
        attributes = {
            # a pod that ends is out of the way long before its grace period is over
            "deregistration_delay.timeout_seconds": "30",
            # a followed log occupies a pod for minutes, a status query for milliseconds
            "load_balancing.algorithm.type": "least_outstanding_requests",
        }
        group = elb.CfnTargetGroup(
            self,
            "Resource",
            name=service.target_group_name,
            target_type="ip",
            ip_address_type="ipv4",
            protocol="HTTP",
            protocol_version="HTTP1",
            port=service.target_port,
            vpc_id=vpc_id,
            health_check_enabled=True,
            health_check_protocol="HTTP",
            health_check_path=service.health_path,
            health_check_port=str(service.health_port or service.target_port),
            health_check_interval_seconds=10,
            health_check_timeout_seconds=5,
            healthy_threshold_count=2,
            unhealthy_threshold_count=3,
            matcher=elb.CfnTargetGroup.MatcherProperty(http_code="200"),
            target_group_attributes=[
                elb.CfnTargetGroup.TargetGroupAttributeProperty(key=key, value=value)
                for key, value in attributes.items()
            ],
        )
        self.arn: str = group.ref
        self._group = group

    @property
    def full_name(self) -> str:
        """What metrics call the group; a token."""
        return str(self._group.attr_target_group_full_name)


def check_name(construct: Construct, key: str, name: str) -> None:
    """Refuse a name that Elastic Load Balancing would refuse for its length."""
    if len(name) > MOST_NAME:
        raise PropsError(
            "NameTooLong",
            f"`{key}` must have at most {MOST_NAME} characters, got {name!r} ({len(name)}); shorten it",
            construct,
        )
