"""Our images, built here by `moka images build`, as pods of a real kubelet: under the charts' names, contexts and probes.

Where a pod is not the chart's to the letter, the difference stands in one function beside its reason.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import pytest

from environments.names import PLATFORM_CONFIG_MAP, SYSTEM_NAMESPACE
from k8s_manifests.own_images import ARCHER, SPARK
from k8s_manifests.pods import CONTAINER_SECURITY
from testbed.real_node.spark_jobs import end_of

from .platform import Deployed, be_a_system_node, component, named, ready

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.kubernetes import Client, Manifest
    from testbed.operator_chart import OperatorChart
    from testbed.real_node.node import RealNode
    from testbed.real_node.spark_jobs import Job, SparkJobs

EVENTS = "/var/spark-events"
"""Where the job and the History Server have the folder of event logs, which on AWS is a bucket."""


@pytest.fixture(scope="module")
def client(node: RealNode, chart: OperatorChart) -> Client:
    """The administrator's; the node is one of the system pool, and the namespaces and priority classes are there."""
    made = node.plane.client()
    be_a_system_node(made)
    return made


# -- Archer


def with_a_database_beside_it(manifest: Manifest) -> Manifest:
    """The Deployment with one difference: its database is a file in the scratch folder, for there is no RDS here."""
    changed = copy.deepcopy(manifest)
    (container,) = changed["spec"]["template"]["spec"]["containers"]
    elsewhere = {"PGHOST", "PGPORT", "ARCHER_DATABASE_IAM"}
    assert elsewhere <= {each["name"] for each in container["env"]}
    container["env"] = [each for each in container["env"] if each["name"] not in elsewhere]
    return changed


@pytest.fixture(scope="module")
def archer(node: RealNode, client: Client, built_archer: str) -> Iterator[Deployed]:
    """Archer's chart, with the role `api` alone."""
    manifests = component("archer")
    data = {"database_endpoint": "database.invalid", "database_port": "5432"}
    where = {"name": PLATFORM_CONFIG_MAP, "namespace": SYSTEM_NAMESPACE}
    client.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": where, "data": data})
    rendered = named(manifests, "Deployment", "archer-api")
    assert rendered["spec"]["template"]["spec"]["containers"][0]["image"] == built_archer
    for manifest in manifests:
        if manifest["kind"] != "Deployment":
            client.apply(manifest)
    client.apply(with_a_database_beside_it(rendered))
    deployed = Deployed(node, rendered)
    yield deployed
    deployed.delete()


def test_archers_pod_of_the_chart_becomes_ready_and_answers(archer: Deployed, built_archer: str) -> None:
    pod = archer.wait_available()
    (status,) = pod["status"]["containerStatuses"]

    assert ready(pod)
    assert (status["image"], status["restartCount"]) == (built_archer, 0)
    assert archer.get("/healthz") == (200, {"status": "alive"})
    assert archer.get("/readyz") == (200, {"status": "ready"})


def test_archers_pod_lets_in_who_has_a_token_that_was_made_in_it(archer: Deployed) -> None:
    archer.wait_available()
    words = ("token", "create", "--direct", "--subject", "tester", "--role", "viewer")
    made = archer.inside("python3", "-m", "archer.cli", *words)
    assert made.returncode == 0, made.stderr

    status, description = archer.get("/api/openapi.json", token=made.stdout.strip())
    assert (status, description["info"]["version"]) == (200, ARCHER.version)
    assert archer.get("/api/openapi.json")[0] == 401


def test_archers_pod_runs_as_its_user_and_writes_to_its_scratch_folder_alone(archer: Deployed) -> None:
    archer.wait_available()

    assert archer.inside("id").stdout == "uid=10001(archer) gid=10001(archer) groups=10001(archer)\n"
    assert (
        archer.inside("sh", "-c", "ls /tmp/archer/archer.db && cat /etc/archer/archer.yaml >/dev/null").returncode == 0
    )
    refused = archer.inside("sh", "-c", "touch /opt/archer/x /etc/archer/x")
    assert refused.stderr.count("Read-only file system") == 2
    assert "No such file" in archer.inside("ls", "/var/run/secrets/kubernetes.io").stderr, "a token for the API server"


# -- Spark, and the History Server that reads what it wrote


@pytest.fixture(scope="module")
def events(node: RealNode, client: Client, jobs: SparkJobs) -> str:
    """A folder of the node for event logs, as a volume claim `events` beside the jobs and beside the History Server."""
    folder = node.keeper.folder / "spark-events"
    folder.mkdir()
    folder.chmod(0o1777)
    for namespace in (jobs.namespace, SYSTEM_NAMESPACE):
        shared = {"accessModes": ["ReadWriteMany"], "storageClassName": ""}
        amount = {"storage": "1Gi"}
        volume = {
            **shared,
            "capacity": amount,
            "hostPath": {"path": str(folder)},
            "claimRef": {"namespace": namespace, "name": "events"},
        }
        claim = {**shared, "resources": {"requests": amount}, "volumeName": f"events-{namespace}"}
        for kind, where, spec in (
            ("PersistentVolume", {"name": f"events-{namespace}"}, volume),
            ("PersistentVolumeClaim", {"name": "events", "namespace": namespace}, claim),
        ):
            client.create({"apiVersion": "v1", "kind": kind, "metadata": where, "spec": spec})
    return "events"


@pytest.fixture(scope="module")
def job(jobs: SparkJobs, built_spark: str, events: str) -> Job:
    """pi.py in a team's namespace, in pods that cannot write to their root; it has ended."""
    volume = "spark.kubernetes.driver.volumes.persistentVolumeClaim.events"
    conf = {
        "spark.kubernetes.container.image": built_spark,
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": f"file://{EVENTS}",
        f"{volume}.options.claimName": events,
        f"{volume}.mount.path": EVENTS,
    }
    job = jobs.submit(arguments=("2",), conf=conf, read_only_root=True)
    job.wait_end()
    return job


def test_a_spark_job_completes_in_a_teams_namespace_on_read_only_roots(
    job: Job, client: Client, built_spark: str
) -> None:
    driver, (executor,) = job.driver(), job.executors()

    assert [end_of(pod) for pod in (driver, executor)] == [("Succeeded", 0, "Completed")] * 2
    assert "Pi is roughly 3.1" in job.log()
    for pod in (driver, executor):
        (container,) = pod["spec"]["containers"]
        assert container["image"] == built_spark
        assert container["securityContext"] == CONTAINER_SECURITY
        assert pod["spec"]["securityContext"]["runAsUser"] == SPARK.user
        assert pod["spec"]["serviceAccountName"] == "spark"
    labels = client.get("v1", "Namespace", job.namespace)["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    quota = client.get("v1", "ResourceQuota", "team", job.namespace)
    assert quota["status"]["hard"]["requests.cpu"] == "32"
    policies = client.list("networking.k8s.io/v1", "NetworkPolicy", job.namespace)
    assert "default-deny" in {each["metadata"]["name"] for each in policies}


def with_event_logs_in_a_folder(manifests: list[Manifest]) -> list[Manifest]:
    """The chart with one difference: event logs are in the claim's folder, for there is no bucket here."""
    changed = copy.deepcopy(manifests)
    settings = named(changed, "ConfigMap", "history-server")["data"]
    (file,) = settings
    lines = [line.split(" ", 1) for line in settings[file].splitlines()]
    assert dict(lines)["spark.history.fs.logDirectory"].startswith("s3a://")
    there = {**dict(lines), "spark.history.fs.logDirectory": f"file://{EVENTS}"}
    settings[file] = "".join(f"{key} {value}\n" for key, value in there.items())
    spec = named(changed, "Deployment", "history-server")["spec"]["template"]["spec"]
    spec["volumes"].append({"name": "events", "persistentVolumeClaim": {"claimName": "events"}})
    spec["containers"][0]["volumeMounts"].append({"name": "events", "mountPath": EVENTS})
    return changed


def test_the_history_servers_pod_of_the_chart_becomes_ready_and_shows_the_job(
    node: RealNode, client: Client, job: Job, built_spark: str
) -> None:
    manifests = with_event_logs_in_a_folder(component("history-server"))
    for manifest in manifests:
        client.apply(manifest)
    history = Deployed(node, named(manifests, "Deployment", "history-server"))
    try:
        pod = history.wait_available()
        (status,) = pod["status"]["containerStatuses"]
        answered, applications = history.get("/api/v1/applications")
        refused = history.inside("touch", "/opt/spark/conf/x")
    finally:
        history.delete()

    assert ready(pod)
    assert (status["image"], status["restartCount"]) == (built_spark, 0)
    assert answered == 200
    (shown,) = applications
    assert shown["id"] == job.driver()["metadata"]["labels"]["spark-app-selector"]
    assert shown["attempts"][0]["completed"] is True
    assert "Read-only file system" in refused.stderr
