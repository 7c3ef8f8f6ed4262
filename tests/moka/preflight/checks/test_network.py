"""Faults of a declared network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moka.preflight import State

if TYPE_CHECKING:
    from tests.moka.preflight.conftest import Account

NO_VPC, NO_SUBNET = "vpc-0123456789abcdef0", "subnet-0123456789abcdef0"


def subnet_of(account: Account, use: str, zone: str = "us-east-1a") -> dict[str, Any]:
    subnets: list[dict[str, Any]] = account.data["network"]["subnets"]
    return next(each for each in subnets if (each["use"], each["zone"]) == (use, zone))


def test_new_range_that_overlaps_another_vpc_warns(account: Account) -> None:
    vpc = account.client("ec2").create_vpc(CidrBlock="10.40.0.0/16")["Vpc"]["VpcId"]

    row, report = account.row("network", "10.40.0.0/20")

    assert (row.verdict.state, row.verdict.value) == (State.WARN, f"overlaps {vpc} (10.40.0.0/16)")
    assert report.exit_code == 0


def test_vpc_that_does_not_exist_fails(existing: Account) -> None:
    existing.data["network"]["vpc_id"] = NO_VPC

    row, report = existing.row("network", NO_VPC)

    assert (row.verdict.state, row.verdict.value, report.exit_code) == (State.FAIL, "no such VPC", 1)
    assert row.verdict.fix == (
        "write the id of a VPC of this account and region as `network.vpc_id` in environments/dev.yaml"
    )


def test_vpc_that_does_not_exist_has_no_rows_on_routes_and_endpoints(existing: Account) -> None:
    existing.data["network"]["vpc_id"] = NO_VPC

    report = existing.run("network")

    subjects = [row.verdict.subject for row in report.rows]
    assert NO_VPC in subjects
    assert not [subject for subject in subjects if "route" in subject or "endpoint" in subject or "Dns" in subject]


def test_range_that_the_vpc_lacks_fails_and_one_that_the_file_lacks_warns(existing: Account) -> None:
    vpc = existing.data["network"]["vpc_id"]
    fix = "write `network.vpc_cidrs: [10.20.0.0/20, 100.64.0.0/16]` in environments/dev.yaml"

    existing.data["network"]["vpc_cidrs"] = ["10.20.0.0/20", "100.64.0.0/16", "100.65.0.0/16"]
    lacking, _ = existing.row("network", vpc)
    existing.data["network"]["vpc_cidrs"] = ["10.20.0.0/20"]
    unwritten, _ = existing.row("network", vpc)

    assert (lacking.verdict.state, lacking.verdict.fix) == (State.FAIL, fix)
    assert (unwritten.verdict.state, unwritten.verdict.fix) == (State.WARN, fix)


def test_vpc_without_dns_hostnames_fails(existing: Account) -> None:
    vpc = existing.data["network"]["vpc_id"]
    existing.client("ec2").modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": False})

    row, _ = existing.row("network", f"{vpc} enableDnsHostnames")

    assert (row.verdict.state, row.verdict.value) == (State.FAIL, "off")
    assert row.verdict.fix == f"aws ec2 modify-vpc-attribute --vpc-id {vpc} --enable-dns-hostnames"


def test_subnet_that_does_not_exist_fails(existing: Account) -> None:
    subnet_of(existing, "nodes")["id"] = NO_SUBNET

    row, report = existing.row("network", f"{NO_SUBNET} (nodes)")

    assert (row.verdict.state, row.verdict.value, report.exit_code) == (State.FAIL, "no such subnet", 1)
    assert row.verdict.needed == "100.64.0.0/18 in us-east-1a"


def test_subnet_in_another_zone_than_the_file_says_fails(existing: Account) -> None:
    one, other = subnet_of(existing, "nodes"), subnet_of(existing, "nodes", "us-east-1b")
    one["id"], other["id"] = other["id"], one["id"]

    row, _ = existing.row("network", f"{one['id']} (nodes)")

    assert row.verdict.state is State.FAIL
    assert row.verdict.value.startswith("100.64.64.0/18 in us-east-1b of vpc-")
    assert row.verdict.fix == "correct the subnet's entry in environments/dev.yaml, network.subnets"


def test_security_group_of_another_vpc_fails(existing: Account) -> None:
    ec2 = existing.client("ec2")
    other = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="x", Description="x", VpcId=other)["GroupId"]
    existing.data["network"]["node_security_group_ids"] = [group, "sg-0123456789abcdef0"]

    of_another, _ = existing.row("network", group)
    missing, _ = existing.row("network", "sg-0123456789abcdef0")

    assert (of_another.verdict.state, of_another.verdict.value) == (State.FAIL, f"of {other}")
    assert (missing.verdict.state, missing.verdict.value) == (State.FAIL, "no such security group")


def test_group_of_archer_s_pods_that_does_not_exist_fails_with_its_own_key(existing: Account) -> None:
    existing.data["archer"]["pod_security_group_ids"] = ["sg-0123456789abcdef0"]

    row, _ = existing.row("network", "sg-0123456789abcdef0")

    assert (row.verdict.state, row.verdict.value) == (State.FAIL, "no such security group")
    assert row.verdict.fix.endswith("in environments/dev.yaml, archer.pod_security_group_ids")


def test_prefix_list_that_is_not_shared_fails(existing: Account) -> None:
    existing.data["network"]["prefix_list_ids"] = ["pl-0123456789abcdef0"]

    row, _ = existing.row("network", "pl-0123456789abcdef0")

    assert (row.verdict.state, row.verdict.value) == (State.FAIL, "no such prefix list")
    assert row.verdict.fix == (
        "share it with this account, or correct network.prefix_list_ids in environments/dev.yaml"
    )
