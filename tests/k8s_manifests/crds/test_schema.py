"""What the CRD's schema admits and what it refuses, on whole SparkApplications."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

Refusals = Callable[[dict[str, Any]], list[str]]

APPLICATION: dict[str, Any] = {
    "apiVersion": "sparkoperator.k8s.io/v1beta2",
    "kind": "SparkApplication",
    "metadata": {
        "name": "j-01k0000000000000000000000-1",
        "namespace": "spark-ads",
        "labels": {"queue": "root.ads.ctr.tier1"},
    },
    "spec": {
        "type": "Python",
        "pythonVersion": "3",
        "mode": "cluster",
        "sparkVersion": "4.0.1",
        "image": "registry.example.com/spark:4.0.1",
        "mainApplicationFile": "s3a://moka/artifacts/job.py",
        "arguments": ["--date", "2026-01-01"],
        "sparkConf": {"spark.eventLog.enabled": "true"},
        "restartPolicy": {"type": "Never"},
        "timeToLiveSeconds": 3600,
        "driver": {
            "cores": 1,
            "memory": "4g",
            "serviceAccount": "spark",
            "template": {
                "metadata": {"finalizers": ["archer.moka.dev/outcome"]},
                "spec": {
                    "schedulerName": "yunikorn",
                    "priorityClassName": "moka-tier1-driver",
                    "aFieldOfALaterKubernetes": {"kept": True},
                    "containers": [{"name": "spark-kubernetes-driver"}],
                },
            },
        },
        "executor": {"cores": 4, "memory": "16g", "instances": 10, "template": {"spec": {}}},
    },
}


def _changed(path: str, value: Any) -> dict[str, Any]:
    """The application with one field set, or taken away for `...`."""
    manifest = copy.deepcopy(APPLICATION)
    node = manifest["spec"]
    *parents, last = path.split(".")
    for part in parents:
        node = node.setdefault(part, {})
    if value is ...:
        del node[last]
    else:
        node[last] = value
    return manifest


def test_an_application_as_archer_writes_it_is_admitted_with_all_of_its_template(refusals: Refusals) -> None:
    assert refusals(APPLICATION) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("type", "Java"),
        ("type", "R"),
        ("mode", "client"),
        ("pythonVersion", "2"),
        ("restartPolicy", {"type": "OnFailure", "onFailureRetries": 0, "onFailureRetryInterval": 1}),
        ("suspend", True),
        ("executor.instances", 1),
        ("driver.coreRequest", "500m"),
        ("driver.env", [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]),
        ("driver.tolerations", [{"key": "moka.dev/role", "operator": "Exists", "tolerationSeconds": 5}]),
        ("driver.envSecretKeyRefs", {"TOKEN": {"name": "secret", "key": "token"}}),
        ("driver.lifecycle", {"preStop": {"httpGet": {"port": "ui"}}}),
        ("driver.lifecycle", {"preStop": {"httpGet": {"port": 4040}}}),
        ("volumes", [{"name": "scratch", "emptyDir": {"sizeLimit": "10Gi"}}]),
        ("batchSchedulerOptions", {"queue": "root.ads", "resources": {"cpu": 4, "memory": "16Gi"}}),
        (
            "monitoring",
            {"exposeDriverMetrics": True, "exposeExecutorMetrics": False, "prometheus": {"jmxExporterJar": "/jmx.jar"}},
        ),
        ("dynamicAllocation", {"enabled": True, "minExecutors": 0, "maxExecutors": 50}),
        ("sparkConf", {}),
    ],
)
def test_a_field_with_a_value_that_the_release_takes_is_admitted(refusals: Refusals, path: str, value: Any) -> None:
    assert refusals(_changed(path, value)) == []


@pytest.mark.parametrize(
    ("path", "value", "refusal"),
    [
        ("type", "Rust", "spec.type: 'Rust' is not one of ['Java', 'Python', 'Scala', 'R']"),
        ("type", ..., "spec: 'type' is a required property"),
        ("mode", "in-cluster", "spec.mode: 'in-cluster' is not one of ['cluster', 'client']"),
        ("pythonVersion", "3.11", "spec.pythonVersion: '3.11' is not one of ['2', '3']"),
        ("pythonVersion", 3, "spec.pythonVersion: 3 is not of type 'string'"),
        ("sparkVersion", ..., "spec: 'sparkVersion' is a required property"),
        ("mainApplicationFile", ..., "spec: 'mainApplicationFile' is a required property"),
        ("driver", ..., "spec: 'driver' is a required property"),
        ("executor", ..., "spec: 'executor' is a required property"),
        ("restartPolicy.type", "Sometimes", "spec.restartPolicy.type: 'Sometimes' is not one of"),
        ("restartPolicy.onFailureRetries", -1, "spec.restartPolicy.onFailureRetries: -1 is less than the minimum of 0"),
        ("restartPolicy.onFailureRetryInterval", 0, "0 is less than the minimum of 1"),
        ("driver.cores", 0, "spec.driver.cores: 0 is less than the minimum of 1"),
        ("driver.cores", "1", "spec.driver.cores: '1' is not of type 'integer'"),
        ("driver.cores", 1.5, "spec.driver.cores: 1.5 is not of type 'integer'"),
        ("executor.instances", 0, "spec.executor.instances: 0 is less than the minimum of 1"),
        ("executor.memory", 4, "spec.executor.memory: 4 is not of type 'string'"),
        ("driver.podName", "A B", "spec.driver.podName: 'A B' does not match"),
        ("arguments", "--date", "spec.arguments: '--date' is not of type 'array'"),
        ("arguments", [1], "spec.arguments.0: 1 is not of type 'string'"),
        ("sparkConf", {"spark.executor.cores": 4}, "spec.sparkConf.spark.executor.cores: 4 is not of type 'string'"),
        ("batchSchedulerOptions.resources", {"memory": "16 GB"}, "'16 GB' does not match"),
        ("driver.tolerations", [{"tolerationSeconds": "5"}], "'5' is not of type 'integer'"),
        ("driver.env", [{"value": "x"}], "spec.driver.env.0: 'name' is a required property"),
        ("driver.configMaps", [{"name": "x"}], "spec.driver.configMaps.0: 'path' is a required property"),
        ("driver.gpu", {"name": "nvidia.com/gpu"}, "spec.driver.gpu: 'quantity' is a required property"),
        ("volumes", [{"emptyDir": {}}], "spec.volumes.0: 'name' is a required property"),
        ("monitoring.exposeDriverMetrics", "yes", "'yes' is not of type 'boolean'"),
        ("monitoring", {"exposeDriverMetrics": True}, "'exposeExecutorMetrics' is a required property"),
        ("dynamicAllocation.enabled", "true", "'true' is not of type 'boolean'"),
        ("timeToLiveSeconds", "1h", "spec.timeToLiveSeconds: '1h' is not of type 'integer'"),
        ("executor.replicas", 3, "Additional properties are not allowed ('replicas' was unexpected)"),
        ("templates", {}, "spec: Additional properties are not allowed ('templates' was unexpected)"),
    ],
)
def test_a_bad_field_is_refused_with_its_path(refusals: Refusals, path: str, value: Any, refusal: str) -> None:
    found = refusals(_changed(path, value))

    assert any(refusal in message for message in found), found


@pytest.mark.parametrize(("port", "admitted"), [(1023, False), (1024, True), (49151, True), (49152, False)])
def test_the_metrics_port_has_the_releases_bounds(refusals: Refusals, port: int, admitted: bool) -> None:
    prometheus = {"jmxExporterJar": "/prometheus/jmx.jar", "port": port}
    monitoring = {"exposeDriverMetrics": True, "exposeExecutorMetrics": True, "prometheus": prometheus}

    assert (refusals(_changed("monitoring", monitoring)) == []) is admitted


def test_an_application_without_a_spec_is_refused(refusals: Refusals) -> None:
    manifest = {key: value for key, value in APPLICATION.items() if key != "spec"}

    assert refusals(manifest) == [": 'spec' is a required property"]


def test_a_status_with_times_not_yet_known_is_admitted(refusals: Refusals) -> None:
    status = {
        "applicationState": {"state": "RUNNING"},
        "driverInfo": {},
        "lastSubmissionAttemptTime": "2026-01-01T00:00:00Z",
        "terminationTime": None,
        "executorState": {"exec-1": "RUNNING"},
    }

    assert refusals({**APPLICATION, "status": status}) == []


def test_a_scheduled_application_holds_an_application_and_a_schedule(refusals: Refusals) -> None:
    scheduled = {
        "apiVersion": "sparkoperator.k8s.io/v1beta2",
        "kind": "ScheduledSparkApplication",
        "metadata": {"name": "nightly"},
        "spec": {"schedule": "0 1 * * *", "template": APPLICATION["spec"]},
    }

    assert refusals(scheduled) == []
    del scheduled["spec"]["schedule"]  # type: ignore[attr-defined]  # a dict of dicts
    assert refusals(scheduled) == ["spec: 'schedule' is a required property"]


def test_a_connect_server_may_have_no_executors_but_not_a_negative_number(refusals: Refusals) -> None:
    connect: dict[str, Any] = {
        "apiVersion": "sparkoperator.k8s.io/v1alpha1",
        "kind": "SparkConnect",
        "metadata": {"name": "shell"},
        "spec": {"sparkVersion": "4.0.1", "server": {"cores": 1}, "executor": {"instances": 0}},
    }

    assert refusals(connect) == []
    connect["spec"]["executor"]["instances"] = -1
    assert refusals(connect) == ["spec.executor.instances: -1 is less than the minimum of 0"]
