import re
from typing import Any

import pytest
import yaml

from environments import environment_names, load, names
from k8s_manifests import autoscaler_reference
from k8s_manifests.autoscaler_settings import autoscaler_flags, priority_config_map

CLUSTERS = [(name, cluster.name) for name in environment_names() for cluster in load(name).clusters]


def arguments(name: str) -> dict[str, str]:
    environment = load(name)
    flags = autoscaler_flags(environment, environment.clusters[0])
    return dict(each.argument.removeprefix("--").split("=", 1) for each in flags)


def priorities(manifest: dict[str, Any]) -> dict[int, list[str]]:
    """What the expander reads out of the ConfigMap."""
    read: dict[int, list[str]] = yaml.safe_load(manifest["data"]["priorities"])
    return read


@pytest.mark.parametrize(("name", "cluster_name"), CLUSTERS)
def test_every_autoscaled_group_has_exactly_one_priority_and_spot_comes_first(name: str, cluster_name: str) -> None:
    environment = load(name)
    cluster = next(each for each in environment.clusters if each.name == cluster_name)
    read = priorities(priority_config_map(environment, cluster))

    for pool in cluster.pools:
        for zone in environment.pool_zones(pool):
            # EKS: eks-<node group>-<uuid>; node group: <pool>-<zone>-<8 hex>
            group = f"eks-{pool.name}-{zone}-0a1b2c3d-1ecf9d2b-7c0a-4d1e-9b5e-2f6d3c4b5a69"
            matching = [number for number, each in read.items() for pattern in each if re.search(pattern, group)]
            assert matching == ([] if pool.role == "system" else [20 if pool.capacity == "spot" else 10])


def test_pools_whose_names_begin_alike_are_told_apart() -> None:
    environment = load("prod")
    executors = [pool for pool in environment.clusters[0].pools if pool.role == "executor"]
    alike = (
        executors[0].model_copy(update={"name": "executor", "capacity": "spot"}),
        executors[0].model_copy(update={"name": "executor-safe", "capacity": "on_demand"}),
    )
    read = priorities(priority_config_map(environment, environment.clusters[0].model_copy(update={"pools": alike})))
    zone = environment.pool_zones(alike[0])[0]

    assert [re.search(pattern, f"eks-executor-safe-{zone}-0a1b2c3d-x") for pattern in read[20]] == [None] * len(
        read[20]
    )


def test_the_config_map_is_where_the_expander_looks() -> None:
    environment = load("dev")
    metadata = priority_config_map(environment, environment.clusters[0])["metadata"]

    assert metadata == {"name": "cluster-autoscaler-priority-expander", "namespace": arguments("dev")["namespace"]}
    assert metadata["namespace"] == names.SERVICE_ACCOUNTS["cluster-autoscaler"][0]


def test_flags_are_those_for_spark() -> None:
    given = arguments("prod")

    assert given["skip-nodes-with-local-storage"] == "false"
    assert given["skip-nodes-with-custom-controller-pods"] == "true"
    assert (given["kube-client-qps"], given["kube-client-burst"]) == ("300", "400")
    assert given["expander"] == "priority,least-waste"
    assert given["balance-similar-node-groups"] == "false"
    assert given["node-group-auto-discovery"] == "asg:tag=moka.dev/cluster-autoscaler=moka-prod-batch"


def test_the_reference_is_what_the_settings_say() -> None:
    told = autoscaler_reference.PAGE.read_text(encoding="utf-8")

    assert told == autoscaler_reference.page(), "stale: run python -m k8s_manifests.autoscaler_reference"
