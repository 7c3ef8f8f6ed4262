"""One internal load balancer in front of several services of a cluster: TLS, names, target groups, and who may call.

It is an Application Load Balancer because services share a port by host name, which a Network Load Balancer cannot do:
it would need one balancer per name. Targets are pod addresses, and nothing here registers them: a TargetGroupBinding in
the cluster does. There is no listener without TLS, not even one that redirects, and no address that the internet reaches.
"""

import dataclasses
import ipaddress
from typing import Final

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_route53 as route53
from constructs import Construct

from moka_constructs.access_log_bucket import LOAD_BALANCER_PREFIX
from moka_constructs.closed_security_group import ClosedSecurityGroup
from moka_constructs.errors import PropsError
from moka_constructs.service_targets import Service, ServiceTargets, check_name

TLS_POLICY: Final = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
"""TLS 1.3 with post-quantum key exchange, or TLS 1.2 with forward secrecy and AEAD: Java 8 and every later client."""
MOST_RULES: Final = 60
"""Inbound rules of a security group (quota L-0EA8095F)."""
SMALLEST_PREFIX: Final = 27
"""Smallest subnet that an Application Load Balancer takes."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ZoneSubnet:
    """A subnet with what is known about it before a deploy."""

    id: str
    """Id, perhaps a token."""
    zone: str
    cidr: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class InternalLoadBalancerProps:
    """Where the balancer is, what it serves, and to whom."""

    name: str
    """At most 32 characters."""
    vpc_id: str
    subnets: tuple[ZoneSubnet, ...]
    """One per zone, two zones at least, /27 or larger: AWS wants 8 free addresses in each."""
    target_zones: tuple[str, ...]
    """Zones where pods run. A target in a zone that the balancer has no subnet in never gets a request."""
    target_security_group_id: str
    """Group of the nodes; it is made to admit the balancer on the ports of services whose pods have no group of their own."""
    certificate_arn: str
    """Certificate for every host name."""
    hosted_zone_id: str
    """Route 53 zone that gets a record per host name."""
    services: tuple[Service, ...]
    allowed_cidrs: tuple[str, ...]
    """Networks that may call."""
    prefix_list_ids: tuple[str, ...] = ()
    """Managed prefix lists whose networks may call."""
    idle_timeout_seconds: int = 120
    """Silence after which a connection is cut; longer than a held request (60 s) and than pauses in a followed log."""
    access_logs_bucket: str | None = None
    """Bucket that takes the access logs, encrypted by S3's own key; none keeps no logs."""
    access_logs_prefix: str = LOAD_BALANCER_PREFIX
    deletion_protection: bool = False
    zonal_shift: bool = False
    """Whether ARC may move traffic away from an impaired zone."""


class InternalLoadBalancer(Construct):
    """The load balancer with listeners, target groups, records and rules."""

    def __init__(self, scope: Construct, construct_id: str, props: InternalLoadBalancerProps) -> None:
        super().__init__(scope, construct_id)
        self._check_subnets(props)
        self._check_callers(props)
        self._check_services(props)
        self._props = props
        balancer = elb.CfnLoadBalancer(
            self,
            "Resource",
            name=props.name,
            type="application",
            scheme="internal",
            ip_address_type="ipv4",
            subnets=[subnet.id for subnet in props.subnets],
            security_groups=[self._security_group()],
            load_balancer_attributes=self._attributes(),
        )
        self.dns_name: str = balancer.attr_dns_name
        self._records(balancer.attr_canonical_hosted_zone_id)
        self._balancer = balancer
        self._targets = {
            service.name: ServiceTargets(self, f"{service.name}Targets", props.vpc_id, service)
            for service in props.services
        }
        self.target_group_arns = {name: targets.arn for name, targets in self._targets.items()}
        """{service's name: ARN of its target group}; tokens."""
        for port in dict.fromkeys(service.port for service in props.services):
            self._listener(balancer.ref, port)

    def _check_subnets(self, props: InternalLoadBalancerProps) -> None:
        check_name(self, "name", props.name)
        zones = [subnet.zone for subnet in props.subnets]
        if len(set(zones)) < 2:
            raise PropsError(
                "TooFewZones",
                f"`subnets` must lie in at least two zones (AWS' rule), got {zones}; add a subnet in another zone",
                self,
            )
        if len(set(zones)) < len(zones):
            raise PropsError(
                "TwoSubnetsInOneZone",
                f"`subnets` must name one subnet per zone (AWS' rule), got {zones}; keep one of each zone",
                self,
            )
        for subnet in props.subnets:
            if ipaddress.IPv4Network(subnet.cidr).prefixlen > SMALLEST_PREFIX:
                raise PropsError(
                    "SubnetTooSmall",
                    f"`subnets` must be /{SMALLEST_PREFIX} or larger (AWS' rule), got {subnet.cidr} in {subnet.zone}; name a larger one",
                    self,
                )
        missing = [zone for zone in props.target_zones if zone not in zones]
        if missing:
            raise PropsError(
                "ZoneWithoutSubnet",
                f"`subnets` must cover every zone of `target_zones`, got none in {', '.join(missing)}; add one there: pods in a zone without it get no request",
                self,
            )

    def _check_callers(self, props: InternalLoadBalancerProps) -> None:
        callers = len(props.allowed_cidrs) + len(props.prefix_list_ids)
        if not callers:
            raise PropsError(
                "NoCallers", "`allowed_cidrs` must name at least one network, got none; nobody could call", self
            )
        if "0.0.0.0/0" in props.allowed_cidrs:
            raise PropsError(
                "OpenToTheWorld", "`allowed_cidrs` must name networks, got 0.0.0.0/0; list the company's", self
            )
        ports = len({service.port for service in props.services})
        if callers * ports > MOST_RULES:
            raise PropsError(
                "TooManyRules",
                f"`allowed_cidrs` and `prefix_list_ids` must make at most {MOST_RULES} rules, got {callers * ports} ({callers} on {ports} ports); join ranges or use a prefix list",
                self,
            )

    def _check_services(self, props: InternalLoadBalancerProps) -> None:
        if not props.services:
            raise PropsError("NoServices", "`services` must hold at least one service, got none; add one", self)
        addresses = [(service.hostname, service.port) for service in props.services]
        for hostname, port in addresses:
            if addresses.count((hostname, port)) > 1:
                raise PropsError(
                    "SameAddress",
                    f"`services` must differ in host name or port, got {hostname}:{port} twice; change one",
                    self,
                )

    def _security_group(self) -> str:
        props = self._props
        ports = tuple(dict.fromkeys(service.port for service in props.services))
        group = ClosedSecurityGroup(
            self,
            "SecurityGroup",
            name=props.name,
            description=f"Who may call load balancer {props.name}",
            vpc_id=props.vpc_id,
            ingress=tuple(rule for port in ports for rule in self._callers(port)),
        )
        for port, own in sorted(self._reached(), key=lambda each: (each[0], each[1] or "")):
            target = own or props.target_security_group_id
            construct_id = f"OwnPort{port}" if own else f"Port{port}"
            group.let_reach(construct_id, target, port, f"{props.name} to pods on {port}")
        return group.id

    @property
    def full_name(self) -> str:
        """What metrics call the balancer; a token."""
        return str(self._balancer.attr_load_balancer_full_name)

    @property
    def target_group_full_names(self) -> dict[str, str]:
        """{service's name: what metrics call its target group}; tokens."""
        return {name: targets.full_name for name, targets in self._targets.items()}

    def _reached(self) -> set[tuple[int, str | None]]:
        """Return {(port of pods, their own group)}."""
        return {
            (port, service.target_security_group_id)
            for service in self._props.services
            for port in (service.target_port, service.health_port)
            if port
        }

    def _callers(self, port: int) -> list[ec2.CfnSecurityGroup.IngressProperty]:
        def rule(description: str, **source: str) -> ec2.CfnSecurityGroup.IngressProperty:
            return ec2.CfnSecurityGroup.IngressProperty(
                ip_protocol="tcp", from_port=port, to_port=port, description=description, **source
            )

        return [
            *(rule(f"Callers in {cidr}", cidr_ip=cidr) for cidr in self._props.allowed_cidrs),
            *(rule("Callers in a prefix list", source_prefix_list_id=each) for each in self._props.prefix_list_ids),
        ]

    def _attributes(self) -> list[elb.CfnLoadBalancer.LoadBalancerAttributeProperty]:
        props = self._props
        values = {
            "idle_timeout.timeout_seconds": str(props.idle_timeout_seconds),
            "deletion_protection.enabled": _flag(props.deletion_protection),
            "zonal_shift.config.enabled": _flag(props.zonal_shift),
            "routing.http.drop_invalid_header_fields.enabled": "true",
            # services build links and redirects from the name that the user typed
            "routing.http.preserve_host_header.enabled": "true",
            "access_logs.s3.enabled": _flag(props.access_logs_bucket is not None),
        }
        if props.access_logs_bucket is not None:
            values["access_logs.s3.bucket"] = props.access_logs_bucket
            values["access_logs.s3.prefix"] = props.access_logs_prefix
        return [
            elb.CfnLoadBalancer.LoadBalancerAttributeProperty(key=key, value=value) for key, value in values.items()
        ]

    def _records(self, canonical_zone_id: str) -> None:
        for number, hostname in enumerate(dict.fromkeys(service.hostname for service in self._props.services), start=1):
            route53.CfnRecordSet(
                self,
                f"Record{number}",
                hosted_zone_id=self._props.hosted_zone_id,
                name=f"{hostname}.",
                type="A",
                alias_target=route53.CfnRecordSet.AliasTargetProperty(
                    dns_name=self.dns_name, hosted_zone_id=canonical_zone_id, evaluate_target_health=False
                ),
            )

    def _listener(self, balancer_arn: str, port: int) -> None:
        first, *others = [service for service in self._props.services if service.port == port]
        listener = elb.CfnListener(
            self,
            f"Listener{port}",
            load_balancer_arn=balancer_arn,
            port=port,
            protocol="HTTPS",
            ssl_policy=TLS_POLICY,
            certificates=[elb.CfnListener.CertificateProperty(certificate_arn=self._props.certificate_arn)],
            default_actions=[
                elb.CfnListener.ActionProperty(type="forward", target_group_arn=self.target_group_arns[first.name])
            ],
        )
        for priority, service in enumerate(others, start=1):
            host = elb.CfnListenerRule.HostHeaderConfigProperty(values=[service.hostname])
            elb.CfnListenerRule(
                self,
                f"{service.name}Rule",
                listener_arn=listener.ref,
                priority=priority,
                conditions=[elb.CfnListenerRule.RuleConditionProperty(field="host-header", host_header_config=host)],
                actions=[
                    elb.CfnListenerRule.ActionProperty(
                        type="forward", target_group_arn=self.target_group_arns[service.name]
                    )
                ],
            )


def _flag(value: bool) -> str:
    return "true" if value else "false"
