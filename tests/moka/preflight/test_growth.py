"""What an environment can grow to, against sums done by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from environments.instances import instance_types
from moka.preflight import growth

if TYPE_CHECKING:
    from tests.moka.preflight.conftest import Account


def test_vcpu_are_the_pools_maxima_by_quota_with_schedules_raised(account: Account) -> None:
    # 3 zones x (2 x m8g.xlarge + 4 x m8g.2xlarge); 3 zones x 12 (a schedule's, the pool says 10) x 4xlarge
    assert growth.vcpus(account.environment) == {("on_demand", "standard"): 120, ("spot", "standard"): 576}


def test_x_families_count_against_a_quota_of_their_own(account: Account) -> None:
    account.data["clusters"][0]["pools"][1]["instance_types"] = ["x8g.2xlarge"]

    assert growth.vcpus(account.environment)["on_demand", "x"] == 3 * 4 * 8
    assert growth.vcpus(account.environment)["on_demand", "standard"] == 3 * 2 * 4


def test_every_family_of_the_instance_table_has_a_quota() -> None:
    assert {name.split(".")[0] for name in instance_types() if growth.family_of(name) is None} == set()


@pytest.mark.parametrize(
    "name", ["g6.xlarge", "p5.48xlarge", "inf2.xlarge", "trn1.2xlarge", "mac2.metal", "u-6tb1.metal"]
)
def test_accelerated_and_special_families_are_no_standard_ones(name: str) -> None:
    assert growth.family_of(name) is None


def test_node_takes_an_interface_and_a_block_per_sixteen_pods(account: Account) -> None:
    pool = account.environment.clusters[0].pools[0]

    # 110 pods are 7 blocks, one more is kept warm
    assert (growth.interfaces_per_node(pool), growth.addresses_per_node(pool)) == (1, 1 + 8 * 16)


def test_dense_node_takes_a_second_interface(account: Account) -> None:
    pool = account.environment.clusters[0].pools[0].model_copy(update={"max_pods": 250})

    # 250 pods are 16 blocks and a warm one; an interface carries 14
    assert (growth.interfaces_per_node(pool), growth.addresses_per_node(pool)) == (2, 2 + 17 * 16)


@pytest.mark.parametrize(("nat", "count"), [("none", 0), ("single", 1), ("per_zone", 3)])
def test_elastic_ips_are_the_nat_gateways(account: Account, nat: str, count: int) -> None:
    account.data["network"]["nat"] = nat

    assert growth.nat_gateways(account.environment) == count


def test_address_usage_counts_interfaces_and_blocks(account: Account) -> None:
    environment = account.environment

    # 54 nodes of 8 blocks
    assert growth.network_address_usage(environment) == growth.interfaces(environment) + 54 * 8


def test_pool_in_one_zone_is_one_node_group(account: Account) -> None:
    account.data["clusters"][0]["pools"][2]["zones"] = ["us-east-1b"]

    assert growth.node_groups(account.environment) == 3 + 3 + 1
    assert growth.vcpus(account.environment)["spot", "standard"] == 12 * 16
