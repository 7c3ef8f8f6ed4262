"""The four shipped environments: valid, apart, and different in the ways that they are meant to be."""

import re

import pytest

from environments import environment_names, examine, load, load_all
from environments.loading import FOLDER
from environments.model import PLACEHOLDER_ACCOUNT


@pytest.mark.parametrize("name", environment_names())
def test_a_shipped_file_has_no_problem_and_no_warning(name: str) -> None:
    assert examine(name).problems == ()


def test_the_shipped_networks_can_all_be_connected() -> None:
    assert [environment.name for environment in load_all(environment_names())] == list(environment_names())


@pytest.mark.parametrize("name", environment_names())
def test_a_shipped_file_says_what_it_is_for_and_carries_the_placeholder_account(name: str) -> None:
    lines = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").splitlines()

    assert lines[1].startswith(f"# {name}: ")
    assert load(name).account == PLACEHOLDER_ACCOUNT


@pytest.mark.parametrize("name", environment_names())
def test_the_ami_releases_are_of_the_form_that_eks_publishes(name: str) -> None:
    for cluster in load(name).clusters:
        for pool in cluster.pools:
            assert re.fullmatch(rf"{cluster.kubernetes_version}\.\d+-202\d[01]\d[0-3]\d", pool.ami_release_version)


def test_prod_is_what_a_large_company_deploys() -> None:
    prod = load("prod")

    assert len(prod.clusters) == 2
    assert prod.network.mode == "new"
    assert (len(prod.network.zones), prod.network.nat) == (3, "per_zone")
    executors = [pool for pool in prod.clusters[0].pools if pool.role == "executor"]
    assert {pool.capacity for pool in executors} == {"spot", "on_demand"}
    assert prod.celeborn is not None
    assert prod.permissions.boundary_arn is not None
    assert prod.permissions.role_path != "/"
    assert prod.bootstrap.qualifier != "hnb659fds"
    assert prod.bootstrap.execution_role_arn is not None
    assert all(cluster.deletion_protection for cluster in prod.clusters)
    assert prod.storage.retain
    assert len(prod.teams) >= 5
    assert len(prod.queues.tree) == 3
    assert prod.profiles
    assert {schedule.cluster for schedule in prod.schedules} == {"batch", "adhoc"}


def test_staging_lives_in_what_the_company_has() -> None:
    staging = load("staging")

    assert staging.network.mode == "existing"
    assert staging.storage.key_arn is not None
    assert staging.storage.volumes_key_arn is not None
    assert "pod_identity" in staging.identity.overrides.values()
    assert staging.delivery.registry == "existing"


def test_test_is_the_smallest() -> None:
    nodes = {
        environment.name: sum(
            pool.max_nodes_per_zone * len(environment.pool_zones(pool))
            for cluster in environment.clusters
            for pool in cluster.pools
        )
        for environment in load_all(environment_names())
    }

    assert min(nodes, key=lambda name: nodes[name]) == "test"
    assert nodes["test"] < nodes["dev"] < nodes["staging"] < nodes["prod"]


def test_every_kind_of_catalog_is_used_by_some_environment() -> None:
    assert {environment.catalog.kind for environment in load_all(environment_names())} == {"none", "glue", "hive"}
