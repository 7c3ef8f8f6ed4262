"""What Archer writes is what a real API server takes: the CRD's schema, the namespace's Pod Security, quota and limits.

The namespace is the chart's, rendered for a team of the same name; nothing runs, so no operator and no node is needed.
"""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from environments import load
from environments.loading import FOLDER
from testbed import spark_application_samples as samples
from testbed.cluster import Cluster
from testbed.kubernetes import ApiError, Client
from testbed.operator_chart import OperatorChart
from testbed.spark_applications import API, KIND

NAMESPACE = "spark-ads"
NAMES = sorted(samples.JOBS)


@pytest.fixture(scope="module")
def prepared(plane: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A cluster with the chart's CRDs, priority classes and namespace of team ads; the team's quota as in the samples."""
    document = yaml.safe_load((FOLDER / "test.yaml").read_text())
    team = samples.DOCUMENT["teams"][0]
    quota = {**team["quota"], "pods": team["pods"]}
    document["teams"] = [
        {"name": "ads", "queues": ["root.shared"], "submitters": ["everyone"], "quota": quota},
    ]
    # a quota may not exceed what the team's queues may hold
    document["queues"]["tree"][1]["max"] = {"vcores": quota["vcores"], "memory_gib": quota["memory_gib"]}
    file = tmp_path_factory.mktemp("environment") / "test.yaml"
    file.write_text(yaml.safe_dump(document))
    environment = load(file)
    chart = OperatorChart.of(environment, environment.clusters[0])
    chart.install(plane)
    with plane.client() as client:
        yield client
        client.request("DELETE", client.path(API, KIND, None, NAMESPACE))
        client.delete("v1", "Namespace", NAMESPACE, missing_ok=True)


def golden(name: str) -> dict[str, Any]:
    manifest: dict[str, Any] = yaml.safe_load((samples.GOLDEN / f"{name}.yaml").read_text())
    return manifest


def pod(manifest: dict[str, Any], role: str) -> dict[str, Any]:
    """The pod that Spark makes of a template: image, arguments, sizes and its own labels come on top."""
    spec = manifest["spec"]
    part = spec[role]
    made = copy.deepcopy(part["template"])
    name = manifest["metadata"]["name"]
    made["metadata"] |= {"name": f"{name}-driver" if role == "driver" else f"{name}-exec-1", "namespace": NAMESPACE}
    made["metadata"]["labels"] |= {"spark-role": role, **manifest["metadata"]["labels"]}
    (container,) = made["spec"]["containers"]
    mib = int(part["memory"].removesuffix("m")) + int(part["memoryOverhead"].removesuffix("m"))
    container |= {
        "image": spec["image"],
        "args": [role],
        "resources": {
            "requests": {"cpu": str(part["cores"]), "memory": f"{mib}Mi"},
            "limits": {"memory": f"{mib}Mi"},
        },
    }
    made["spec"]["restartPolicy"] = "Never"
    return {"apiVersion": "v1", "kind": "Pod", **made}


@pytest.mark.parametrize("name", NAMES)
def test_the_api_server_takes_a_manifest_and_keeps_all_of_it(name: str, prepared: Client) -> None:
    manifest = golden(name)

    tried = prepared.create(manifest, dryRun="All", fieldValidation="Strict")
    made = prepared.create(manifest, fieldValidation="Strict")
    prepared.delete(API, KIND, manifest["metadata"]["name"], NAMESPACE)

    assert tried["spec"] == made["spec"] == manifest["spec"], "a field was dropped, or a default came in"
    assert made["metadata"]["labels"] == manifest["metadata"]["labels"]


@pytest.mark.parametrize("role", ["driver", "executor"])
@pytest.mark.parametrize("name", NAMES)
def test_the_namespace_admits_a_manifests_pods(name: str, role: str, prepared: Client) -> None:
    manifest = golden(name)
    wanted = pod(manifest, role)

    made = prepared.create(wanted, fieldValidation="Strict")
    _remove(prepared, made)

    assert made["spec"]["priority"] > 0, "its priority class is one of the cluster's"
    assert made["spec"]["schedulerName"] == "yunikorn"
    assert made["spec"]["enableServiceLinks"] is False
    assert made["spec"]["nodeSelector"] == manifest["spec"][role]["template"]["spec"]["nodeSelector"]
    assert made["metadata"].get("finalizers", []) == (["archer.moka.dev/outcome"] if role == "driver" else [])
    mounts = [mount["name"] for mount in made["spec"]["containers"][0]["volumeMounts"]]
    # an executor's pod has no token of the API server
    assert len(mounts) == (2 if role == "driver" else 1)
    assert mounts[0] == "spark-local-dir-1"


def test_a_driver_stands_above_its_executors(prepared: Client) -> None:
    manifest = golden("python-minimal")
    pods = [prepared.create(pod(manifest, role)) for role in ("driver", "executor")]
    for each in pods:
        _remove(prepared, each)

    driver, executor = (each["spec"]["priority"] for each in pods)
    assert driver > executor


@pytest.mark.parametrize("role", ["driver", "executor"])
def test_the_namespace_would_refuse_a_template_without_its_security_context(role: str, prepared: Client) -> None:
    bare = pod(golden("python-minimal"), role)
    del bare["spec"]["securityContext"]

    with pytest.raises(ApiError) as refused:
        prepared.create(bare, dryRun="All")

    assert refused.value.code == 403
    assert 'violates PodSecurity "restricted' in str(refused.value)


def test_the_api_server_would_refuse_a_wrong_field(prepared: Client) -> None:
    wrong = golden("python-minimal")
    wrong["spec"]["driver"]["cores"] = 0

    with pytest.raises(ApiError) as refused:
        prepared.create(wrong, dryRun="All")

    assert refused.value.code == 422


def _remove(client: Client, made: dict[str, Any]) -> None:
    name = made["metadata"]["name"]
    client.patch("v1", "Pod", name, NAMESPACE, body={"metadata": {"finalizers": None}})
    client.delete("v1", "Pod", name, NAMESPACE, grace_period_seconds=0, missing_ok=True)
