from typing import Any

from testbed.spark_operator.submission import submission_of

APP: dict[str, Any] = {
    "metadata": {
        "name": "daily",
        "namespace": "spark-ads",
        "uid": "u-1",
        "labels": {"queue": "root.ads", "kueue.x-k8s.io/queue-name": "q"},
    },
    "spec": {
        "image": "spark:4",
        "mainApplicationFile": "local:///job.py",
        "arguments": ["1"],
        "sparkConf": {"spark.sql.shuffle.partitions": "10", "spark.kubernetes.driver.pod.name": "chosen"},
        "hadoopConf": {"fs.s3a.endpoint": "s3"},
        "driver": {"cores": 2, "memory": "2g", "labels": {"queue": "root.own"}, "envVars": {"TZ": "UTC"}},
        "executor": {"instances": 3, "deleteOnTermination": False, "template": {"spec": {"containers": []}}},
    },
    "status": {"submissionID": "one"},
}


def test_the_specification_becomes_sparks_properties() -> None:
    conf = submission_of(APP).conf
    assert {
        "spark.kubernetes.namespace": "spark-ads",
        "spark.kubernetes.driver.pod.name": "chosen",
        "spark.kubernetes.driver.container.image": "spark:4",
        "spark.driver.cores": "2",
        "spark.driver.memory": "2g",
        "spark.executor.instances": "3",
        "spark.kubernetes.executor.deleteOnTermination": "false",
        "spark.sql.shuffle.partitions": "10",
        "spark.hadoop.fs.s3a.endpoint": "s3",
        "spark.kubernetes.driverEnv.TZ": "UTC",
        "spark.kubernetes.submission.waitAppCompletion": "false",
    }.items() <= conf.items()


def test_labels_are_the_operators_then_the_applications_without_kueues_then_the_pods() -> None:
    conf = submission_of(APP).conf
    prefix = "spark.kubernetes.driver.label."
    labels = {key.removeprefix(prefix): value for key, value in conf.items() if key.startswith(prefix)}
    assert labels == {
        "sparkoperator.k8s.io/app-name": "daily",
        "sparkoperator.k8s.io/launched-by-spark-operator": "true",
        "sparkoperator.k8s.io/mutated-by-spark-operator": "true",
        "sparkoperator.k8s.io/submission-id": "one",
        "queue": "root.own",
    }
    assert "spark.kubernetes.executor.label.sparkoperator.k8s.io/mutated-by-spark-operator" not in conf


def test_the_application_owns_driver_and_executors_and_its_own_object_stays_as_it_is() -> None:
    submission = submission_of(APP)
    (driver,) = submission.driver_template["metadata"]["ownerReferences"]
    (executor,) = submission.executor_template["metadata"]["ownerReferences"]
    assert (driver["uid"], driver["controller"], driver["blockOwnerDeletion"]) == ("u-1", True, True)
    assert executor["uid"] == "u-1"
    assert "controller" not in executor
    assert "metadata" not in APP["spec"]["executor"]["template"]
