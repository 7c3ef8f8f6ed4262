import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

import archer.cluster_config
from archer.cluster_config import ClusterConfig, parse_cluster_config
from environments import Environment, environment_names, load
from k8s_manifests import archer_config, to_yaml
from k8s_manifests.own_images import SPARK, spark_features
from k8s_manifests.yunikorn_queues import queues_yaml


def _parsed(environment: Environment) -> ClusterConfig:
    return parse_cluster_config(to_yaml(archer_config(environment)))


@pytest.mark.parametrize("name", environment_names())
def test_archer_accepts_its_view_of_every_shipped_environment(name: str) -> None:
    environment = load(name)

    config = _parsed(environment)

    assert config.environment == name
    assert [cluster.name for cluster in config.clusters] == [cluster.name for cluster in environment.clusters]
    assert [team.name for team in config.teams] == [team.name for team in environment.teams]


@pytest.mark.parametrize("name", environment_names())
def test_the_view_fits_the_committed_json_schema(name: str) -> None:
    schema_file = Path(archer.cluster_config.__file__).with_name("cluster_config.schema.json")
    validator = Draft202012Validator(json.loads(schema_file.read_text(encoding="utf-8")))

    assert [error.message for error in validator.iter_errors(archer_config(load(name)))] == []


@pytest.mark.parametrize("name", environment_names())
def test_every_queue_of_the_file_is_there_with_its_full_path(name: str, raw_environments: dict[str, Any]) -> None:
    def paths(queues: list[dict[str, Any]], parent: str) -> list[tuple[str, bool]]:
        return [
            entry
            for queue in queues
            for entry in (
                (f"{parent}.{queue['name']}", not queue.get("queues")),
                *paths(queue.get("queues", []), f"{parent}.{queue['name']}"),
            )
        ]

    config = _parsed(load(name))

    assert [(queue.path, queue.leaf) for queue in config.queues.tree] == paths(
        raw_environments[name]["queues"]["tree"], "root"
    )


def test_a_queue_carries_its_amounts_and_a_leaf_its_tier() -> None:
    queues = {queue.path: queue for queue in _parsed(load("dev")).queues.tree}

    tier1 = queues["root.ads.ctr.tier1"]
    assert (tier1.leaf, tier1.tier, tier1.max_applications) == (True, "tier1", 20)
    assert tier1.guaranteed is not None
    assert (tier1.guaranteed.vcores, tier1.guaranteed.memory_gib) == (60, 480)
    assert (queues["root.ads"].leaf, queues["root.ads"].tier, queues["root.ads"].max_applications) == (
        False,
        None,
        None,
    )


def test_a_team_knows_its_namespace_its_clusters_and_what_it_may_use() -> None:
    config = _parsed(load("dev"))

    ads = config.teams[0]
    assert (ads.namespace, ads.service_account, ads.clusters) == ("spark-ads", "spark", ("batch",))
    assert config.team_may_use(ads, "root.ads.ctr.tier1")
    assert not config.team_may_use(ads, "root.ads.ctr"), "only leaves take jobs"
    assert not config.team_may_use(ads, "root.shared.adhoc.tier3")


def test_pools_for_jobs_are_named_with_what_their_pods_must_carry() -> None:
    (cluster,) = _parsed(load("dev")).clusters

    assert [(pool.name, pool.role, pool.capacity) for pool in cluster.pools] == [
        ("driver", "driver", "on_demand"),
        ("executor", "executor", "spot"),
    ]
    executor = cluster.pools[1]
    # r8gd.4xlarge, ten nodes in each of three zones
    assert (executor.architecture, executor.node_vcpu, executor.node_memory_mib) == ("arm64", 16, 131_072)
    assert (executor.max_nodes, executor.local_disk) == (30, True)
    assert cluster.pools[0].local_disk is False
    assert cluster.pools[1].node_selector == {"moka.dev/pool": "executor"}
    assert [(each.key, each.value) for each in cluster.pools[1].tolerations] == [("moka.dev/role", "executor")]


def test_profiles_go_over_as_they_are(dev_with: Callable[..., Environment]) -> None:
    profile = {
        "name": "large",
        "description": "for joins",
        "spark_version": "4.0.1",
        "executor": {"cores": 4, "memory": "16g", "instances": 20},
        "conf": {"spark.sql.shuffle.partitions": "800"},
    }

    config = _parsed(dev_with(profiles=[profile]))

    assert config.profiles[0].model_dump(exclude_none=True, exclude_defaults=True) == profile


def test_a_profiles_parameters_go_over_and_are_filled_in_by_archer(dev_with: Callable[..., Environment]) -> None:
    parameter = {"name": "partitions", "type": "integer", "default": "64", "minimum": 1, "description": "of a shuffle"}
    profile = {
        "name": "large",
        "conf": {"spark.sql.shuffle.partitions": "${partitions}"},
        "parameters": [parameter],
    }

    (view,) = _parsed(dev_with(profiles=[profile])).profiles

    (parsed,) = view.parameters
    assert (parsed.type, parsed.default, parsed.minimum, parsed.maximum) == ("integer", "64", 1, None)
    assert list(view.placeholders()) == [("conf.spark.sql.shuffle.partitions", "partitions")]


def test_images_are_the_platforms_first_and_then_those_of_the_file() -> None:
    images = _parsed(load("prod")).spark_images

    assert [image.spark_version for image in images] == [SPARK.version, "3.5.6"]
    assert images[0].image.endswith(f"/moka-prod/spark:{SPARK.tag}")
    assert images[1].architectures == ("amd64",)


def test_celeborn_catalog_identity_and_limits_go_over() -> None:
    config = _parsed(load("prod"))
    by_name = {cluster.name: cluster for cluster in config.clusters}

    assert by_name["batch"].celeborn is not None
    assert by_name["batch"].celeborn.endpoints[0] == (
        "celeborn-master-0.celeborn-master.moka-celeborn.svc.cluster.local:9097"
    )
    assert by_name["adhoc"].celeborn is None, "it has no pool for Celeborn"
    assert config.catalog is not None
    assert (config.catalog.kind, len(config.catalog.uris)) == ("hive", 2)
    assert config.queues.user_limit is not None
    assert config.queues.user_limit.max_applications == 200
    assert {team.identity for team in config.teams} == {"irsa"}
    assert config.conf == {"spark.sql.session.timeZone": "UTC"}


def test_a_teams_identity_is_what_its_service_account_has(dev_with: Callable[..., Environment]) -> None:
    config = _parsed(dev_with(identity={"overrides": {"team-ads": "pod_identity"}}))

    assert {team.name: team.identity for team in config.teams}["ads"] == "pod_identity"


def test_a_queues_weight_and_bound_are_archers_alone(dev_with: Callable[..., Environment]) -> None:
    document = load("dev").queues.model_dump(mode="json", exclude_unset=True)
    document["tree"][0] |= {"weight": 7, "max_waiting": 100}
    environment = dev_with(queues=document)

    first = _parsed(environment).queues.tree[0]

    assert (first.weight, first.max_waiting, first.share) == (7, 100, 7)
    assert "weight" not in queues_yaml(environment.queues)
    assert "waiting" not in queues_yaml(environment.queues)


def test_it_holds_no_secret_and_no_account_but_in_the_names_of_buckets_and_of_the_registry() -> None:
    content = archer_config(load("dev"))
    buckets = content.pop("storage")
    images = content.pop("spark_images")
    assert [image["image"].split("/")[0] for image in images] == ["111111111111.dkr.ecr.us-east-1.amazonaws.com"]

    assert "111111111111" not in yaml.safe_dump(content)
    assert buckets["event_logs"] == "s3://moka-dev-event-logs-111111111111-us-east-1"


@pytest.mark.parametrize("name", environment_names())
def test_the_features_of_the_spark_image_are_those_that_are_built(name: str) -> None:
    built = tuple(feature.name for feature in spark_features() if feature.built)

    assert built
    assert _parsed(load(name)).spark_features == built
