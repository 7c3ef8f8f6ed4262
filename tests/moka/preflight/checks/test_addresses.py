"""Free addresses against full pools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moka.preflight import State

if TYPE_CHECKING:
    from tests.moka.preflight.conftest import Account


def free(account: Account, **counts: int) -> None:
    """Sets the free addresses of all subnets of a use in the first zone; moto counts its own only."""
    uses = {each["id"]: each for each in account.data["network"]["subnets"]}
    there = account.client("ec2").describe_subnets(SubnetIds=list(uses))["Subnets"]

    def answer(body: Any) -> dict[str, Any]:
        wanted = [value for name, value in body.items() if name.startswith("SubnetId")]
        found = [each for each in there if each["SubnetId"] in wanted]
        return {"Subnets": [each | set_free(uses[each["SubnetId"]]) for each in found]}

    def set_free(subnet: dict[str, Any]) -> dict[str, int]:
        changed = subnet["zone"] == "us-east-1a" and subnet["use"] in counts
        return {"AvailableIpAddressCount": counts[subnet["use"]]} if changed else {}

    account.answer("ec2:DescribeSubnets", answer)


def test_zone_with_too_few_free_addresses_for_full_pools_fails(existing: Account) -> None:
    # 18 nodes of 110 pods: each takes 1 address and 8 blocks of 16, a warm one included
    free(existing, nodes=2000)

    row, report = existing.row("addresses", "nodes in us-east-1a")

    assert (row.verdict.state, row.verdict.needed, report.exit_code) == (State.FAIL, "2,322 at the pools' maxima", 1)
    assert row.verdict.value.startswith("2,000 free in subnet-")
    assert row.verdict.fix == (
        "add a subnet for nodes in us-east-1a with 322 more addresses, "
        "or lower `max_nodes_per_zone` or `max_pods` of the zone's pools"
    )


def test_zone_whose_subnet_does_not_exist_fails_and_others_are_judged(existing: Account) -> None:
    subnet = next(each for each in existing.data["network"]["subnets"] if each["use"] == "nodes")
    subnet["id"] = "subnet-0123456789abcdef0"

    row, report = existing.row("addresses", "nodes in us-east-1a")

    assert (row.verdict.state, row.verdict.value) == (State.FAIL, "no such subnet: subnet-0123456789abcdef0")
    assert row.verdict.fix == "write the ids of subnets that exist: moka preflight dev --only network"
    assert sum(each.verdict.state is State.PASS for each in report.rows if each.check == "addresses") == 8


def test_zone_that_fits_barely_warns_of_scattered_addresses(existing: Account) -> None:
    free(existing, nodes=2400)

    row, report = existing.row("addresses", "nodes in us-east-1a")

    assert (row.verdict.state, report.exit_code) == (State.WARN, 0)
    assert row.verdict.needed == "2,322 at the pools' maxima, 2,592 when nodes' own addresses lie scattered"
    assert "create-subnet-cidr-reservation" in row.verdict.fix


def test_addresses_that_this_environment_s_nodes_hold_count_as_free(existing: Account) -> None:
    free(existing, nodes=2300)
    subnet = next(each["id"] for each in existing.data["network"]["subnets"] if each["use"] == "nodes")
    interface = {"SubnetId": subnet, "PrivateIpAddresses": [{}], "Ipv4Prefixes": [{}] * 20}
    node = {
        "InstanceId": "i-1",
        "InstanceType": "m8g.2xlarge",
        "Tags": [{"Key": "eks:cluster-name", "Value": "moka-dev-batch"}],
        "NetworkInterfaces": [interface],
    }
    existing.answer("ec2:DescribeInstances", {"Reservations": [{"Instances": [node]}]})

    row, _ = existing.row("addresses", "nodes in us-east-1a")

    # 2,300 free, 1 address and 20 blocks held by a node of moka-dev-batch; moto knows no prefixes
    assert row.verdict.value.startswith("2,621 free in subnet-")


def test_full_control_plane_subnet_fails_and_a_tight_one_warns(existing: Account) -> None:
    subnet = next(each["id"] for each in existing.data["network"]["subnets"] if each["use"] == "control_plane")

    free(existing, control_plane=5)
    full, _ = existing.row("addresses", f"{subnet} (control_plane)")
    free(existing, control_plane=10)
    tight, _ = existing.row("addresses", f"{subnet} (control_plane)")

    assert (full.verdict.state, full.verdict.value, full.verdict.needed) == (State.FAIL, "5 free", "at least 6")
    assert (tight.verdict.state, tight.verdict.needed) == (State.WARN, "16, so that a cluster can be upgraded")


def test_full_load_balancer_subnet_fails(existing: Account) -> None:
    subnet = next(each["id"] for each in existing.data["network"]["subnets"] if each["use"] == "load_balancer")
    free(existing, load_balancer=7)

    row, _ = existing.row("addresses", f"{subnet} (load_balancer)")

    assert (row.verdict.state, row.verdict.value, row.verdict.needed) == (State.FAIL, "7 free", "at least 8")
