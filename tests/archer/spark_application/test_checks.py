"""What a cluster can't honour is told at the door, all of it at once."""

from fnmatch import fnmatchcase
from typing import Any

import pytest

from archer.errors import LaunchRefusedError
from archer.reserved import RESERVED_ON_KUBERNETES
from archer.spark_application import build, check, notes
from testbed import spark_application_samples as samples
from testbed.archer_builders import make_job
from testbed.spark_application_samples import DOCUMENT, OPERATOR_DENIES, job, lab


def found(changes: dict[str, Any] | None = None, **fields: Any) -> list[str]:
    """`path: what is allowed` of every problem."""
    config = lab(**(changes or {}))
    problems = check(job(**fields), config=config, cluster=config.clusters[0])
    assert all(problem.fix and problem.value for problem in problems)
    return [f"{problem.path}: {problem.allowed}" for problem in problems]


def team(**changes: Any) -> dict[str, Any]:
    return {"teams": [{**DOCUMENT["teams"][0], **changes}]}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"team": None}, "team: a team with a namespace on cluster batch: ads"),
        ({"team": "nobody"}, "team: a team with a namespace on cluster batch: ads"),
        ({"spark_version": "2.4"}, "spark_version: a version that the platform has an image of: 4.0.5, 3.5.6"),
        ({"spark_version": "4.0.6"}, "spark_version: a version that the platform has an image of: 4.0.5, 3.5.6"),
        ({"image": "mine:1"}, "spark_version: present beside `image`"),
        ({"image": "mine:1", "spark_version": "3.1.2"}, "spark_version: 3.3 or newer, and 3.x or 4.x"),
        (
            {"spark_version": "3.5", "architecture": "arm64"},
            "architecture: one that cluster batch has nodes of: amd64, arm64, and Spark 3.5.6 an image for: amd64",
        ),
        (
            {"architecture": "amd64", "executor": {"capacity": "spot"}},
            (
                "executor.capacity: what a pool for executors of cluster batch is: executor (amd64, on_demand), "
                "executor-spot (arm64, spot), executor-large (amd64, on_demand)"
            ),
        ),
        (
            {"driver": {"cores": 8}},
            (
                "driver: at most 7 vCPU and 27852 MiB with overheads, to fit a node of pool driver, the largest for drivers of "
                "cluster batch that may be used"
            ),
        ),
        (
            {"executor": {"memory": "200g"}},
            (
                "executor: at most 31 vCPU and 222822 MiB with overheads, to fit a node of pool executor-large, the largest for "
                "executors of cluster batch that may be used"
            ),
        ),
        (
            # the heap alone would fit, with Python's overhead it does not
            {"executor": {"memory": "160g"}},
            (
                "executor: at most 31 vCPU and 222822 MiB with overheads, to fit a node of pool executor-large, the largest for "
                "executors of cluster batch that may be used"
            ),
        ),
        (
            {"application": {"file": "/here/job.py"}},
            "application.file: an address that pods reach: s3a://, https://, hdfs://, or local:// for a file in the image",
        ),
        (
            {"application": {"file": "s3a://b/j.py", "py_files": ["s3a://b/a.zip", "file:///b.zip"]}},
            "application.py_files.1: an address that pods reach: s3a://, https://, hdfs://, or local:// for a file in the image",
        ),
        (
            {"shuffle": "celeborn"},
            "shuffle: something that the Spark image can do: it has committers, s3a, not celeborn",
        ),
        ({"labels": {"queue": "x"}}, "labels.queue: a key of your own (YuniKorn acts on it; use the field `queue`)"),
        (
            {"labels": {"a/b/c": "x"}},
            "labels.a/b/c: a key as Kubernetes takes it: name, or dns.prefix/name with one slash",
        ),
    ],
)
def test_each_rule_refuses_with_its_own_words(fields: dict[str, Any], told: str) -> None:
    assert found(**fields) == [told]


def test_a_cluster_without_celeborn_and_an_image_with_it() -> None:
    clusters = [{key: value for key, value in DOCUMENT["clusters"][0].items() if key != "celeborn"}]

    told = found({"clusters": clusters, "spark_features": ["s3a", "celeborn"]}, shuffle="celeborn")

    assert told == ["shuffle: disk: cluster batch has no Celeborn"]


def test_an_image_of_the_jobs_own_may_have_celeborn() -> None:
    assert found(shuffle="celeborn", image="mine:1", spark_version="4.0") == []


def test_pod_identity_needs_spark_4() -> None:
    (told,) = found(team(identity="pod_identity"), spark_version="3.5")

    assert told.startswith("spark_version: 4.0 or newer: team ads gets its AWS role by EKS Pod Identity")
    assert found(team(identity="pod_identity")) == []


def test_a_team_without_the_cluster_is_told_where_it_may_go() -> None:
    other = {**DOCUMENT["clusters"][0], "name": "adhoc"}
    changes = {"clusters": [DOCUMENT["clusters"][0], other], **team(clusters=["adhoc"])}

    assert found(changes) == ["team: a team with a namespace on cluster batch; ads has one on adhoc"]


def test_a_quota_smaller_than_driver_and_executor_is_told() -> None:
    (told,) = found(team(quota={"vcores": 1, "memory_gib": 64}))

    assert told == "team: within the quota of team ads: 1 vCPU and 65536 MiB"


def test_a_quota_smaller_than_the_whole_job_is_told_with_how_many_executors_fit() -> None:
    config = lab(**team(quota={"vcores": 8, "memory_gib": 64}))

    problems = [
        check(job(executor=executor), config=config, cluster=config.clusters[0])
        for executor in ({"instances": 20}, {"max_instances": 20, "cores": 2})
    ]

    assert [(problem.path, problem.value, problem.fix) for (problem,) in problems] == [
        (
            "team",
            "21 vCPU and 30093 MiB for the driver and 20 executors",
            "lower `executor.instances` to 7 at most, or make the executors smaller",
        ),
        (
            "team",
            "41 vCPU and 30093 MiB for the driver and 20 executors",
            "lower `executor.max_instances` to 3 at most, or make the executors smaller",
        ),
    ]


def test_a_cluster_of_weight_0_takes_only_jobs_that_name_it() -> None:
    changes = {"clusters": [{**DOCUMENT["clusters"][0], "weight": 0}]}

    assert found(changes) == ["cluster: batch: this cluster takes only jobs that ask for it, its weight is 0"]
    assert not found(changes, cluster="batch")


def test_no_images_at_all_asks_for_one() -> None:
    assert found({"spark_images": []}) == ["image: an image: environment lab has none of its own"]


def test_a_manifest_that_etcd_would_not_store_is_refused() -> None:
    arguments = ["x" * 60_000] * 30

    (told,) = found(application={"file": "s3a://b/j.py", "arguments": arguments})

    assert told.startswith("(document): a job whose manifest has at most 1400000 bytes")


@pytest.mark.parametrize("entry", sorted(RESERVED_ON_KUBERNETES))
def test_every_key_that_is_reserved_here_says_what_to_do_instead(entry: str) -> None:
    config = lab()
    key = entry.replace("*", "x")

    (problem,) = check(job(conf={key: "1"}), config=config, cluster=config.clusters[0])

    assert problem.path == f"conf.{key}"
    assert problem.fix == next(reason for start, reason in RESERVED_ON_KUBERNETES.items() if fnmatchcase(key, start))


def test_annotations_that_mean_nothing_to_the_platform_are_the_jobs_own() -> None:
    ours = {"prometheus.io/scrape": "true", "example.com/kubernetes.io": "x", "owner": "ada"}

    assert not found(conf={f"spark.kubernetes.driver.annotation.{key}": value for key, value in ours.items()})


@pytest.mark.parametrize("key", OPERATOR_DENIES)
def test_no_job_sets_what_the_operators_webhook_would_refuse(key: str) -> None:
    """Most at this door, the rest already in the submission's own rules."""
    try:
        told = found(conf={key: "x"})
    except ValueError:
        return
    assert told


def test_a_refused_secret_is_not_repeated() -> None:
    config = lab()

    (problem,) = check(
        job(conf={"spark.hadoop.fs.s3a.secret.key": "hunter2"}), config=config, cluster=config.clusters[0]
    )

    assert "hunter2" not in str(problem)


def test_everything_wrong_is_told_at_once() -> None:
    told = found(
        team="nobody",
        spark_version="9.9",
        application={"file": "/here/job.py"},
        labels={"queue": "x"},
        conf={"spark.kubernetes.node.selector.x": "y"},
        shuffle="celeborn",
    )

    assert sorted(line.split(":")[0] for line in told) == [
        "application.file",
        "conf.spark.kubernetes.node.selector.x",
        "labels.queue",
        "shuffle",
        "spark_version",
        "team",
    ]


def test_too_large_pods_and_bounds_are_told_together() -> None:
    told = found(driver={"cores": 100}, executor={"memory": "2t"})

    assert [line.split(":")[0] for line in told] == ["driver", "executor", "team"]


def test_a_job_whose_environment_changed_fails_with_the_reason() -> None:
    stored = make_job(submission=job(), queue=samples.QUEUE)
    config = lab(spark_images=[])

    with pytest.raises(LaunchRefusedError, match="environment lab has none of its own"):
        build(stored, config=config, cluster=config.clusters[0], attempt=1, memory_rung=1.0)


def test_the_owner_is_told_what_will_be_different() -> None:
    config = lab(catalog={"kind": "glue"}, **team(pods=5))

    told = notes(job(executor={"instances": 10}), config=config, cluster=config.clusters[0])

    assert [note.split(" ")[0] for note in told] == ["asks", "SQL"]
    assert notes(job(), config=lab(), cluster=lab().clusters[0]) == []
