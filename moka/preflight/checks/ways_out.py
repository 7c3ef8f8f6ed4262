"""How the nodes of an existing VPC reach AWS and their images: a default route, or endpoints. Part of the network check."""

from collections.abc import Iterable, Iterator
from typing import Final

from environments import Environment
from environments.checks.network import NEEDED_ENDPOINTS
from environments.data import GlueCatalog
from environments.network import ExistingNetwork
from moka.preflight.calls import OF_EXISTING_NETWORK, Call
from moka.preflight.check import Context, ask
from moka.preflight.rows import Verdict, failed, listed, passed, warned
from moka.preflight.usage import Thing

ROUTES: Final = Call("ec2", "DescribeRouteTables", OF_EXISTING_NETWORK)
ENDPOINTS: Final = Call("ec2", "DescribeVpcEndpoints", OF_EXISTING_NETWORK)
CALLS: Final = (ROUTES, ENDPOINTS)

_LEADS_OUT: Final = (
    "NatGatewayId",
    "TransitGatewayId",
    "NetworkInterfaceId",
    "VpcPeeringConnectionId",
    "CoreNetworkArn",
)
"""Targets of a default route that a node without a public address can use; an internet gateway is none."""


def needed_endpoints(environment: Environment) -> tuple[str, ...]:
    """Return the services that nodes call and that need an interface endpoint where there is no way out."""
    needed = list(NEEDED_ENDPOINTS)
    if "pod_identity" in {environment.identity.mechanism, *environment.identity.overrides.values()}:
        needed.append("eks-auth")
    if isinstance(environment.catalog, GlueCatalog):
        needed.append("glue")
    return tuple(needed)


def table_of(subnet_id: str, tables: Iterable[Thing]) -> Thing | None:
    """Return a subnet's route table: the one it is associated with, else the VPC's main one."""
    main = None
    for table in tables:
        for association in table.get("Associations", ()):
            if association.get("SubnetId") == subnet_id:
                return table
            if association.get("Main"):
                main = table
    return main


def judge_routes(network: ExistingNetwork, file: str, tables: list[Thing]) -> Iterator[Verdict]:
    """Yield, per subnet for nodes, whether a default route leads out where the file says that there is a way out."""
    for subnet in network.subnets:
        if subnet.use != "nodes" or not network.internet_egress:
            continue
        table = table_of(subnet.id, tables) or {}
        defaults = [route for route in table.get("Routes", ()) if route.get("DestinationCidrBlock") == "0.0.0.0/0"]
        out = [
            route for route in defaults if any(route.get(key) for key in _LEADS_OUT) and route.get("State") == "active"
        ]
        subject = f"{subnet.id} default route"
        if out:
            yield passed(subject, f"through {next(out[0][key] for key in _LEADS_OUT if out[0].get(key))}")
        else:
            value = f"leads to {defaults[0].get('GatewayId', 'nothing')}" if defaults else "none"
            fix = f"route 0.0.0.0/0 of {table.get('RouteTableId', 'its route table')} to a NAT or transit gateway, or write `internet_egress: false` in {file}"
            yield failed(subject, value, needed="a NAT or transit gateway", fix=fix)


def judge_s3(network: ExistingNetwork, region: str, tables: list[Thing], endpoints: list[Thing]) -> Iterator[Verdict]:
    """Yield whether the nodes reach S3 by a gateway endpoint: without one, Spark's largest flow is paid for or stuck."""
    service = f"com.amazonaws.{region}.s3"
    there = [each for each in endpoints if each["ServiceName"] == service and str(each["State"]).lower() == "available"]
    served = {table for each in there for table in each.get("RouteTableIds", ())}
    needed = {
        str((table_of(subnet.id, tables) or {}).get("RouteTableId"))
        for subnet in network.subnets
        if subnet.use == "nodes"
    }
    interface = any(each["VpcEndpointType"] == "Interface" for each in there)
    lacking = sorted(needed - served)
    subject = "S3 gateway endpoint"
    fix = f"aws ec2 create-vpc-endpoint --vpc-id {network.vpc_id} --service-name {service} --route-table-ids {' '.join(lacking)}"
    if not lacking:
        yield passed(subject, f"on {listed(sorted(needed))}")
    elif network.internet_egress or interface:
        value = f"none on {listed(lacking)}: S3 is reached by a way that costs per GB"
        yield warned(subject, value, needed="a gateway endpoint, which is free", fix=fix)
    else:
        yield failed(subject, f"none on {listed(lacking)}", needed="a way to S3", fix=fix)


def judge_endpoints(environment: Environment, network: ExistingNetwork, endpoints: list[Thing]) -> Iterator[Verdict]:
    """Yield whether a VPC without a way out has the interface endpoints that nodes call, with private DNS."""
    if network.internet_egress:
        return
    start = f"com.amazonaws.{environment.region}."
    usable = {
        str(each["ServiceName"]).removeprefix(start)
        for each in endpoints
        if each["VpcEndpointType"] == "Interface"
        and each.get("PrivateDnsEnabled")
        and str(each["State"]).lower() == "available"
    }
    missing = [name for name in needed_endpoints(environment) if name not in usable]
    if missing:
        fix = f"make interface endpoints with private DNS in {network.vpc_id} for {listed(missing, most=20)}"
        value = f"missing or without private DNS: {listed(missing, most=20)}"
        yield failed("interface endpoints", value, needed=listed(needed_endpoints(environment), most=20), fix=fix)
    else:
        yield passed("interface endpoints", listed(needed_endpoints(environment), most=20))


def run(context: Context, network: ExistingNetwork) -> Iterator[Verdict]:
    """Yield the verdicts on routes and endpoints."""
    of_vpc = [{"Name": "vpc-id", "Values": [network.vpc_id]}]

    def fetch() -> tuple[list[Thing], list[Thing]]:
        tables = context.aws.pages(ROUTES, "RouteTables", Filters=of_vpc)
        return tables, context.aws.pages(ENDPOINTS, "VpcEndpoints", Filters=of_vpc)

    def judge(found: tuple[list[Thing], list[Thing]]) -> Iterator[Verdict]:
        tables, endpoints = found
        if not tables:
            return  # every VPC has a main route table: this one does not exist, as its own row says
        yield from judge_routes(network, context.file, tables)
        yield from judge_s3(network, context.environment.region, tables, endpoints)
        yield from judge_endpoints(context.environment, network, endpoints)

    yield from ask("routes and endpoints", fetch, judge)
