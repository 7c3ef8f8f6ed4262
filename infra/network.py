"""The network stack, and the same outputs for a network that exists already and needs no stack."""

import aws_cdk as cdk

from environments import Environment, names
from environments.network import ExistingNetwork, NewNetwork
from environments.subnets import pod_subnets, routed_subnets
from infra.alarms import network_alarms
from infra.base import MokaStack
from infra.outputs import NetworkOutputs
from moka_constructs import (
    FlowLogs,
    FlowLogsProps,
    NodeSubnet,
    Vpc,
    VpcEndpoints,
    VpcEndpointsProps,
    VpcProps,
    ZoneSubnets,
)


class NetworkStack(MokaStack):
    """A VPC with its endpoints and flow logs."""

    def __init__(self, stage: cdk.Stage, environment: Environment, network: NewNetwork) -> None:
        super().__init__(stage, "network", environment, protect=environment.storage.retain)
        zones = _zone_subnets(network)
        name = f"moka-{environment.name}"
        self._vpc = Vpc(
            self,
            "Vpc",
            VpcProps(
                name=name,
                cidr=network.cidr,
                secondary_cidrs=network.pod_cidrs,
                zones=zones,
                nat=network.nat,
                cluster_names=tuple(names.eks_cluster(environment, cluster) for cluster in environment.clusters),
            ),
        )
        VpcEndpoints(
            self,
            "Endpoints",
            VpcEndpointsProps(
                region=environment.region,
                name=name,
                vpc_id=self._vpc.vpc_id,
                vpc_cidrs=self._vpc.cidrs,
                route_table_ids=tuple(self._vpc.route_table_ids),
                subnet_ids=tuple(self._vpc.load_balancer_subnet_ids),
                services=network.interface_endpoints,
            ),
        )
        if network.flow_log_retention_days is not None:
            FlowLogs(
                self,
                "FlowLogs",
                FlowLogsProps(
                    location=self.location,
                    vpc_id=self._vpc.vpc_id,
                    log_group_name=f"/moka/{environment.name}/flow-logs",
                    role_name=f"{name}-flow-logs",
                    retention_days=network.flow_log_retention_days,
                ),
            )
        for construct_id, alarm in network_alarms(environment, self._vpc.nat_gateway_ids):
            self.watch(construct_id, alarm)
        self.outputs = self._outputs(zones)

    def _outputs(self, zones: tuple[ZoneSubnets, ...]) -> NetworkOutputs:
        return NetworkOutputs(
            vpc_id=self._vpc.vpc_id,
            control_plane_subnet_ids=tuple(self._vpc.control_plane_subnet_ids),
            load_balancer_subnet_ids=tuple(self._vpc.load_balancer_subnet_ids),
            node_subnets={
                zone.zone: tuple(
                    NodeSubnet(id=subnet_id, key=cidr)
                    for subnet_id, cidr in zip(self._vpc.node_subnet_ids[zone.zone], zone.nodes, strict=True)
                )
                for zone in zones
            },
            alarm_names=tuple(self.alarm_names),
        )


def network_outputs(stage: cdk.Stage, environment: Environment) -> NetworkOutputs:
    """Make the network's stack when the environment wants a new one, and return its outputs either way."""
    network = environment.network
    if isinstance(network, NewNetwork):
        return NetworkStack(stage, environment, network).outputs
    return _existing(network)


def _existing(network: ExistingNetwork) -> NetworkOutputs:
    return NetworkOutputs(
        vpc_id=network.vpc_id,
        control_plane_subnet_ids=tuple(subnet.id for subnet in network.subnets if subnet.use == "control_plane"),
        load_balancer_subnet_ids=tuple(subnet.id for subnet in network.subnets if subnet.use == "load_balancer"),
        node_subnets={
            zone: tuple(
                NodeSubnet(id=subnet.id, key=subnet.id)
                for subnet in network.subnets
                if subnet.use == "nodes" and subnet.zone == zone
            )
            for zone in network.zones
        },
        node_security_group_ids=network.node_security_group_ids,
        prefix_list_ids=network.prefix_list_ids,
    )


def _zone_subnets(network: NewNetwork) -> tuple[ZoneSubnets, ...]:
    nodes = pod_subnets(network)
    return tuple(
        ZoneSubnets(
            zone=zone,
            control_plane=str(routed.control_plane),
            load_balancer=str(routed.load_balancer),
            public=str(routed.public),
            nodes=tuple(str(subnet) for subnet in nodes[zone]),
        )
        for zone, routed in routed_subnets(network).items()
    )
