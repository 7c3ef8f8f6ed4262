"""Spark properties that the platform gives: what version, image, identity, shuffle and catalog make of them."""

from typing import Any

import pytest

from archer.spark_application import assemble
from k8s_manifests.from_environment import EVENT_LOG_PREFIX
from testbed.spark_application_samples import DOCUMENT, OPERATOR_DENIES, job, lab


def conf(changes: dict[str, Any] | None = None, **fields: Any) -> dict[str, str]:
    config = lab(**(changes or {}))
    built = assemble(job(**fields), config=config, cluster=config.clusters[0], job_id="j-1")
    found: dict[str, str] = built.manifest["spec"]["sparkConf"]
    return found


def test_the_event_log_goes_in_small_parts_where_the_history_server_looks() -> None:
    found = conf()

    assert found["spark.eventLog.dir"] == f"s3a://moka-lab-event-logs/{EVENT_LOG_PREFIX}"
    assert (found["spark.eventLog.enabled"], found["spark.eventLog.rolling.enabled"]) == ("true", "true")


def test_an_image_without_s3a_gets_nothing_that_would_stop_spark_at_its_start() -> None:
    found = conf({"spark_features": []})

    assert found["spark.eventLog.enabled"] == "false"
    assert not [key for key in found if "s3a" in key or "commit" in key.lower()]
    assert not [value for value in found.values() if value.startswith("s3a:")]


def test_an_image_without_the_committers_commits_as_hadoop_does() -> None:
    assert "spark.sql.sources.commitProtocolClass" not in conf({"spark_features": ["s3a"]})
    assert conf()["spark.hadoop.fs.s3a.committer.name"] == "magic"


@pytest.mark.parametrize(
    ("version", "identity", "provider"),
    [
        ("3.5.6", "irsa", "com.amazonaws.auth.WebIdentityTokenCredentialsProvider"),
        ("4.0.5", "irsa", "software.amazon.awssdk.auth.credentials.WebIdentityTokenFileCredentialsProvider"),
        ("4.0.5", "pod_identity", "software.amazon.awssdk.auth.credentials.ContainerCredentialsProvider"),
    ],
)
def test_credentials_come_by_the_teams_identity_from_the_sdk_of_that_spark(
    version: str, identity: str, provider: str
) -> None:
    found = conf({"teams": [{**DOCUMENT["teams"][0], "identity": identity}]}, spark_version=version)

    assert found["spark.hadoop.fs.s3a.aws.credentials.provider"] == provider


@pytest.mark.parametrize(
    ("version", "left_out"), [("4.0.5", False), ("4.1.0", False), ("4.2.0", True), ("4.3.1", True)]
)
def test_sparks_own_network_policy_is_left_out_where_there_is_one(version: str, *, left_out: bool) -> None:
    found = conf(image="mine:1", spark_version=version)

    assert ("spark.kubernetes.driver.pod.excludedFeatureSteps" in found) is left_out


def test_executors_hand_their_blocks_on_within_their_grace() -> None:
    found = conf()

    assert found["spark.decommission.enabled"] == "true"
    assert found["spark.executor.decommission.forceKillTimeout"] == "110s"
    assert found["spark.storage.decommission.fallbackStorage.path"] == "s3a://moka-lab-staging/ads/decommissioned/"


def test_drivers_list_from_the_api_servers_cache() -> None:
    assert conf()["spark.kubernetes.executor.enablePollingWithResourceVersion"] == "true"


def test_metrics_are_served_on_the_drivers_page_under_a_name_that_stays() -> None:
    found = conf(name="nightly")

    assert found["spark.ui.prometheus.enabled"] == "true"
    assert found["spark.metrics.namespace"] == "nightly"


def test_dynamic_allocation_is_told_twice_and_alike() -> None:
    config = lab()
    wanted = job(executor={"instances": 4, "min_instances": 2, "max_instances": 9})
    spec = assemble(wanted, config=config, cluster=config.clusters[0], job_id="j-1").manifest["spec"]

    assert spec["dynamicAllocation"] == {
        "enabled": True,
        "initialExecutors": 4,
        "minExecutors": 2,
        "maxExecutors": 9,
        "shuffleTrackingEnabled": True,
    }
    keys = ("initialExecutors", "minExecutors", "maxExecutors", "shuffleTracking.enabled")
    assert [spec["sparkConf"][f"spark.dynamicAllocation.{key}"] for key in keys] == ["4", "2", "9", "true"]


def test_without_bounds_the_number_of_executors_stays() -> None:
    assert conf()["spark.dynamicAllocation.enabled"] == "false"


def celeborn(**fields: Any) -> dict[str, str]:
    return conf({"spark_features": ["s3a", "committers", "celeborn"]}, shuffle="celeborn", **fields)


def test_celeborn_takes_the_shuffle_and_everything_that_would_look_for_it_on_disks_is_off() -> None:
    found = celeborn(executor={"max_instances": 5})

    assert found["spark.shuffle.manager"] == "org.apache.spark.shuffle.celeborn.SparkShuffleManager"
    assert found["spark.celeborn.master.endpoints"].endswith(":9097")
    assert found["spark.serializer"].endswith("KryoSerializer")
    off = (
        "spark.sql.adaptive.localShuffleReader.enabled",
        "spark.dynamicAllocation.shuffleTracking.enabled",
        "spark.storage.decommission.shuffleBlocks.enabled",
        "spark.shuffle.service.enabled",
    )
    assert {found[key] for key in off} == {"false"}
    assert "spark.storage.decommission.fallbackStorage.path" not in found


def test_with_dynamic_allocation_a_shuffle_never_falls_back_to_disks() -> None:
    key = "spark.celeborn.client.spark.shuffle.fallback.policy"

    assert (celeborn(executor={"max_instances": 5})[key], celeborn()[key]) == ("NEVER", "AUTO")


def test_celeborns_plugin_is_for_spark_3_5_and_newer() -> None:
    key = "spark.shuffle.sort.io.plugin.class"

    assert key in celeborn(image="mine:1", spark_version="3.5.1")
    assert key not in celeborn(image="mine:1", spark_version="3.4.1")


def test_a_job_on_disks_knows_nothing_of_celeborn() -> None:
    assert not [key for key in conf() if "celeborn" in key]


def test_glue_is_sparks_catalog_where_the_image_has_its_client() -> None:
    catalog = {"catalog": {"kind": "glue", "catalog_id": "111111111111"}}

    with_client = conf({**catalog, "spark_features": ["s3a", "glue"]})

    assert with_client["spark.hadoop.hive.metastore.glue.catalogid"] == "111111111111"
    assert "spark.sql.catalogImplementation" not in conf(catalog), "Spark would look for a class that is not there"


def test_a_metastore_is_sparks_catalog() -> None:
    uris = ["thrift://a.example.com:9083", "thrift://b.example.com:9083"]

    found = conf({"catalog": {"kind": "hive", "uris": uris}})

    assert found["spark.hadoop.hive.metastore.uris"] == ",".join(uris)
    assert found["spark.sql.catalogImplementation"] == "hive"


def test_no_platform_property_is_one_that_the_operator_refuses() -> None:
    assert not set(OPERATOR_DENIES) & {*conf(), *celeborn(executor={"max_instances": 5})}
