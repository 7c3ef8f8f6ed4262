"""Faults of routes and endpoints in an existing VPC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from environments.checks.network import NEEDED_ENDPOINTS
from moka.preflight import State

if TYPE_CHECKING:
    from tests.moka.preflight.conftest import Account


def nodes(account: Account) -> str:
    return str(next(each["id"] for each in account.data["network"]["subnets"] if each["use"] == "nodes"))


def only_table(account: Account) -> str:
    of_vpc = [{"Name": "vpc-id", "Values": [account.data["network"]["vpc_id"]]}]
    tables = account.client("ec2").describe_route_tables(Filters=of_vpc)["RouteTables"]
    return str(next(each["RouteTableId"] for each in tables if not any(a.get("Main") for a in each["Associations"])))


def test_nodes_without_the_declared_way_out_fail(existing: Account) -> None:
    table, subnet = only_table(existing), nodes(existing)
    existing.client("ec2").delete_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")

    row, report = existing.row("network", f"{subnet} default route")

    assert (row.verdict.state, row.verdict.value, report.exit_code) == (State.FAIL, "none", 1)
    assert row.verdict.fix == (
        f"route 0.0.0.0/0 of {table} to a NAT or transit gateway, "
        "or write `internet_egress: false` in environments/dev.yaml"
    )


def test_route_to_an_internet_gateway_is_no_way_out_for_nodes(existing: Account) -> None:
    ec2, table, subnet = existing.client("ec2"), only_table(existing), nodes(existing)
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=existing.data["network"]["vpc_id"])
    ec2.delete_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)

    row, _ = existing.row("network", f"{subnet} default route")

    assert (row.verdict.state, row.verdict.value) == (State.FAIL, f"leads to {gateway}")


def test_missing_s3_endpoint_warns_with_a_way_out_and_fails_without(existing: Account) -> None:
    ec2, table = existing.client("ec2"), only_table(existing)
    endpoints = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    ec2.delete_vpc_endpoints(VpcEndpointIds=[each["VpcEndpointId"] for each in endpoints])

    costly, _ = existing.row("network", "S3 gateway endpoint")
    existing.data["network"]["internet_egress"] = False
    stuck, _ = existing.row("network", "S3 gateway endpoint")

    vpc = existing.data["network"]["vpc_id"]
    fix = f"aws ec2 create-vpc-endpoint --vpc-id {vpc} --service-name com.amazonaws.us-east-1.s3 --route-table-ids {table}"
    assert (costly.verdict.state, costly.verdict.fix) == (State.WARN, fix)
    assert (stuck.verdict.state, stuck.verdict.fix) == (State.FAIL, fix)


def test_private_network_without_endpoints_fails_and_names_them_all(existing: Account) -> None:
    existing.data["network"]["internet_egress"] = False
    existing.data["catalog"] = {"kind": "glue"}
    existing.data["identity"] = {"mechanism": "pod_identity"}

    row, report = existing.row("network", "interface endpoints")

    wanted = ", ".join([*NEEDED_ENDPOINTS, "eks-auth", "glue"])
    assert (row.verdict.state, report.exit_code) == (State.FAIL, 1)
    assert row.verdict.value == f"missing or without private DNS: {wanted}"


def test_private_network_with_every_endpoint_passes(existing: Account) -> None:
    ec2, data = existing.client("ec2"), existing.data["network"]
    data["internet_egress"] = False
    for name in NEEDED_ENDPOINTS:
        ec2.create_vpc_endpoint(
            VpcId=data["vpc_id"],
            ServiceName=f"com.amazonaws.us-east-1.{name}",
            VpcEndpointType="Interface",
            SubnetIds=[nodes(existing)],
            PrivateDnsEnabled=True,
        )

    row, _ = existing.row("network", "interface endpoints")

    assert row.verdict.state is State.PASS
