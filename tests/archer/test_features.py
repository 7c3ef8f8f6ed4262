"""A job that needs what the Spark image lacks is refused at the door, with the feature and the way out."""

from typing import Any

import pytest

from archer.cluster_config import ClusterConfig
from archer.tenancy import Tenancy
from testbed.archer_builders import make_cluster_config, make_submission

CELEBORN = {"spark.shuffle.manager": "org.apache.spark.shuffle.celeborn.SparkShuffleManager"}
COMMITTER = {
    "spark.sql.sources.commitProtocolClass": "org.apache.spark.internal.io.cloud.PathOutputCommitProtocol",
    "spark.sql.parquet.output.committer.class": "org.apache.spark.internal.io.cloud.BindingParquetOutputCommitter",
}
PROFILE = {"name": "shuffled", "conf": {"spark.celeborn.master.endpoints": "celeborn-master-0:9097"}}


def lab(*features: str, known: bool = True) -> ClusterConfig:
    config = make_cluster_config("root.shared.adhoc.tier3", profiles=[PROFILE])
    return config.model_copy(update={"spark_features": features if known else None})


def refused(config: ClusterConfig, **fields: Any) -> list[tuple[str, str]]:
    admitted = Tenancy(config).admit(make_submission(**fields))
    return [(problem.path, str(problem)) for problem in admitted.problems]


@pytest.mark.parametrize(
    ("feature", "fields", "path"),
    [
        ("celeborn", {"conf": CELEBORN}, "conf.spark.shuffle.manager"),
        ("celeborn", {"conf": {"spark.celeborn.client.push.replicate.enabled": "true"}}, "conf.spark.celeborn.client.push.replicate.enabled"),
        ("committers", {"conf": COMMITTER}, "conf.spark.sql.sources.commitProtocolClass"),
        ("s3a", {"conf": {"spark.hadoop.fs.s3a.endpoint": "x"}}, "conf.spark.hadoop.fs.s3a.endpoint"),
        ("s3a", {"conf": {"spark.sql.warehouse.dir": "s3a://bucket/x"}}, "conf.spark.sql.warehouse.dir"),
        ("s3a", {"application": {"file": "s3a://bucket/job.py"}}, "application.file"),
        (
            "s3a",
            {"application": {"file": "local:///job.py", "py_files": ["/a.py", "s3a://bucket/b.py"]}},
            "application.py_files.1",
        ),
    ],
)  # fmt: skip
def test_a_job_that_needs_a_feature_is_refused_without_it_and_taken_with_it(
    feature: str, fields: dict[str, Any], path: str
) -> None:
    others = [each for each in ("s3a", "committers", "celeborn") if each != feature]
    ((where, text),) = refused(lab(*others), **fields)

    assert where == path
    assert f"it has {', '.join(sorted(others))}, not {feature}" in text
    assert refused(lab(*others, feature), **fields) == []


def test_every_missing_feature_is_told_once() -> None:
    found = refused(lab(), conf={**CELEBORN, **COMMITTER, "spark.celeborn.client.fetch.maxRetriesForEachReplica": "5"})

    assert [path for path, _ in found] == ["conf.spark.shuffle.manager", "conf.spark.sql.sources.commitProtocolClass"]
    assert "it has no features, not celeborn" in found[0][1]


def test_a_feature_that_the_profile_asks_for_is_told_as_the_profiles() -> None:
    ((path, text),) = refused(lab("s3a"), profile="shuffled")

    assert path == "conf.spark.celeborn.master.endpoints"
    assert text.endswith("the value is profile shuffled's")


def test_a_job_with_an_image_of_its_own_is_its_owners_business() -> None:
    assert refused(lab(), conf=CELEBORN, image="registry.example.com/spark:1") == []


def test_nothing_is_refused_where_nobody_said_what_the_image_has() -> None:
    assert refused(lab(known=False), conf=CELEBORN) == []
    assert Tenancy(None).admit(make_submission(conf=CELEBORN)).problems == []


def test_a_job_that_needs_nothing_is_taken_by_an_image_without_features() -> None:
    conf = {"spark.sql.shuffle.partitions": "64", "spark.shuffle.manager": "sort"}

    assert refused(lab(), conf=conf, application={"file": "local:///opt/spark/examples/src/main/python/pi.py"}) == []
