"""How large driver and executors are, on every rung of the memory ladder."""

import pytest

from archer.spark_application import amount, assemble, highest_rung
from archer.spark_application.sizes import sizes_of
from testbed import spark_application_samples as samples
from testbed.archer_builders import JOB_ID
from testbed.spark_application_samples import JAR, job, lab


def test_overhead_follows_sparks_rule_for_the_language() -> None:
    python, java = sizes_of(job(executor={"memory": "10g"})), sizes_of(job(application=JAR, executor={"memory": "10g"}))

    assert (python.executor.overhead_mib, java.executor.overhead_mib) == (4096, 1024)
    assert (python.driver.overhead_mib, java.driver.overhead_mib) == (409, 384)


@pytest.mark.parametrize("rung", [1.0, 2.0, 3.0, 4.0])
def test_every_part_of_the_memory_climbs_with_the_rung(rung: float) -> None:
    conf = {
        "spark.memory.offHeap.enabled": "true",
        "spark.memory.offHeap.size": "1g",
        "spark.executor.pyspark.memory": "512m",
    }
    size = sizes_of(job(conf=conf, executor={"memory": "2g", "memory_overhead": "700m"}), rung=rung).executor

    assert (size.heap_mib, size.overhead_mib) == (2048 * rung, 700 * rung)
    assert (size.off_heap_mib, size.python_mib) == (1024 * rung, 512 * rung)
    assert size.memory_mib == (2048 + 700 + 1024 + 512) * rung
    assert size.cores == 1


@pytest.mark.parametrize(
    ("conf", "mib"),
    [
        ({"spark.memory.offHeap.size": "1g"}, 0),
        ({"spark.memory.offHeap.enabled": "false", "spark.memory.offHeap.size": "1g"}, 0),
        ({"spark.memory.offHeap.enabled": "true", "spark.memory.offHeap.size": "1073741824"}, 1024),
        ({"spark.memory.offHeap.enabled": "TRUE", "spark.memory.offHeap.size": "2GB"}, 2048),
        ({"spark.memory.offHeap.enabled": "true", "spark.memory.offHeap.size": "much"}, 0),
    ],
)
def test_off_heap_memory_counts_as_spark_reads_it(conf: dict[str, str], mib: int) -> None:
    assert sizes_of(job(conf=conf)).executor.off_heap_mib == mib


def test_pythons_memory_counts_for_python_alone() -> None:
    conf = {"spark.executor.pyspark.memory": "512"}

    assert sizes_of(job(conf=conf)).executor.python_mib == 512
    assert sizes_of(job(application=JAR, conf=conf)).executor.python_mib == 0


def test_a_job_asks_for_its_driver_and_all_executors() -> None:
    assert amount(
        job(driver={"cores": 2, "memory": "2g", "memory_overhead": "1g"}, executor={"instances": 3}), None
    ) == (
        2 + 3,
        3072 + 3 * (1024 + 409),
    )


def test_with_dynamic_allocation_the_most_counts() -> None:
    assert amount(job(executor={"min_instances": 1, "max_instances": 50, "cores": 2}), None)[0] == 1 + 50 * 2


OFF_HEAP = {"spark.memory.offHeap.enabled": "true", "spark.memory.offHeap.size": "2g"}


@pytest.mark.parametrize(
    ("of_environment", "of_team", "own", "more"),
    [
        (OFF_HEAP, {}, {}, 2048),
        ({}, OFF_HEAP, {}, 2048),
        ({}, {}, OFF_HEAP, 2048),
        ({"spark.memory.offHeap.size": "2g"}, {"spark.memory.offHeap.enabled": "true"}, {}, 2048),
        (OFF_HEAP, {"spark.memory.offHeap.size": "3g"}, {"spark.memory.offHeap.size": "4g"}, 4096),
        (OFF_HEAP, {}, {"spark.memory.offHeap.enabled": "false"}, 0),
        ({"spark.executor.pyspark.memory": "512m"}, {}, {}, 512),
    ],
)
def test_a_job_asks_for_the_memory_that_any_layer_of_its_properties_sets(
    of_environment: dict[str, str], of_team: dict[str, str], own: dict[str, str], more: int
) -> None:
    (batch,) = samples.DOCUMENT["clusters"]
    config = lab(
        conf=of_environment,
        teams=[{**samples.DOCUMENT["teams"][0], "conf": of_team, "clusters": ["batch", "plain"]}],
        clusters=[batch, {**batch, "name": "plain", "celeborn": None}],
        spark_features=["s3a", "celeborn"],
    )
    wanted = job(conf=own, executor={"instances": 3}, shuffle="celeborn")

    vcores, memory_mib = amount(wanted, config)

    assert memory_mib == amount(job(executor={"instances": 3}), lab())[1] + 3 * more
    for cluster in config.clusters:
        sizes = assemble(wanted, config=config, cluster=cluster, job_id=JOB_ID).sizes
        assert (sizes.vcores, sizes.memory_mib) == (vcores, memory_mib), cluster.name


@pytest.mark.parametrize(
    ("executor", "first_least_most"),
    [
        ({"instances": 7}, (7, 7, 7)),
        ({"max_instances": 9}, (1, 0, 9)),
        ({"min_instances": 3, "max_instances": 9}, (3, 3, 9)),
        ({"instances": 5, "min_instances": 3, "max_instances": 9}, (5, 3, 9)),
        ({"instances": 40, "max_instances": 9}, (9, 0, 9)),
    ],
)
def test_the_first_number_of_executors_lies_within_the_bounds(
    executor: dict[str, int], first_least_most: tuple[int, int, int]
) -> None:
    sizes = sizes_of(job(executor=executor))

    assert (sizes.instances, sizes.least, sizes.most) == first_least_most


@pytest.mark.parametrize(
    ("executor", "rung"),
    [
        ({"memory": "4g"}, 4.0),
        # 40 GiB and its overhead of 16: the largest node has 256, of which 217 are usable
        ({"memory": "40g", "cores": 4}, 3.0),
        ({"memory": "70g", "cores": 4}, 2.0),
        ({"memory": "120g", "cores": 4}, 1.0),
        # no spot node is as large
        ({"memory": "40g", "cores": 4, "capacity": "spot"}, 1.0),
    ],
)
def test_the_ladder_ends_where_no_node_is_large_enough(executor: dict[str, object], rung: float) -> None:
    config = lab()

    assert highest_rung(job(executor=executor), config=config, cluster=config.clusters[0]) == rung


def test_the_ladder_ends_at_the_teams_quota_and_the_queues_maximum() -> None:
    small = {"vcores": 100, "memory_gib": 8}
    team = {**samples.DOCUMENT["teams"][0], "quota": small}
    queues = {
        **samples.DOCUMENT["queues"],
        "tree": [{**samples.DOCUMENT["queues"]["tree"][0], "max": small}, *samples.DOCUMENT["queues"]["tree"][1:]],
    }
    wanted = job(executor={"memory": "2g"})

    for config in (lab(teams=[team]), lab(queues=queues)):
        # 1433 MiB for the driver and 2867 for one executor: once, and no more than once, in 8 GiB
        assert highest_rung(wanted, config=config, cluster=config.clusters[0]) == 1.0
    config = lab()
    assert highest_rung(wanted, config=config, cluster=config.clusters[0]) == 4.0


def test_a_job_that_cannot_run_at_all_has_the_first_rung() -> None:
    config = lab()

    assert highest_rung(job(team=None), config=config, cluster=config.clusters[0]) == 1.0
