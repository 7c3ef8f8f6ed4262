import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import pytest

from archer.backends.local.java import find_java
from archer.backends.local.spark import spark_home
from archer.ports import listen
from environments import Environment
from infra.workload import EVENT_LOG_PREFIX
from k8s_manifests.own_images import SPARK

NAMESPACE = "moka-system"
APP = "spark-00000000000000000000000000000001"


def pod(rendered: Any) -> dict[str, Any]:
    found: dict[str, Any] = rendered.one("Deployment", "history-server", NAMESPACE)["spec"]["template"]
    return found


def container(rendered: Any) -> dict[str, Any]:
    (found,) = pod(rendered)["spec"]["containers"]
    read: dict[str, Any] = found
    return read


def settings(rendered: Any) -> dict[str, str]:
    (text,) = rendered.one("ConfigMap", "history-server", NAMESPACE)["data"].values()
    return dict(line.split(" ", 1) for line in text.splitlines())


@pytest.fixture(scope="module")
def hosts(every_cluster: list[Any]) -> list[Any]:
    """The clusters that host Archer."""
    return [each for each in every_cluster if each.environment.archer.cluster == each.cluster]


def test_it_is_where_archer_is_and_nowhere_else(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        here = rendered.environment.archer.cluster == rendered.cluster
        assert ("40-history-server.yaml" in rendered.files) == here


def test_it_reads_where_its_role_may_read(hosts: list[Any]) -> None:
    for rendered in hosts:
        environment = rendered.environment
        bucket = f"moka-{environment.name}-event-logs-{environment.account}-{environment.region}"
        assert settings(rendered)["spark.history.fs.logDirectory"] == f"s3a://{bucket}/{EVENT_LOG_PREFIX}"
        account = rendered.one("ServiceAccount", pod(rendered)["spec"]["serviceAccountName"], NAMESPACE)["metadata"]
        role = account.get("annotations", {}).get("eks.amazonaws.com/role-arn")
        if environment.name == "staging":
            assert role is None, "there Pod Identity gives the role"
        else:
            assert role.endswith(f"/moka-{environment.name}-{rendered.cluster}-history-server")


def test_it_forgets_a_log_only_after_the_bucket_has_deleted_it(hosts: list[Any]) -> None:
    for rendered in hosts:
        given = settings(rendered)
        days = int(given["spark.history.fs.cleaner.maxAge"].removesuffix("d"))
        assert given["spark.history.fs.cleaner.enabled"] == "true"
        assert days > rendered.environment.storage.event_log_days


def test_heap_and_what_lies_beside_it_fit_the_container_and_the_store_its_volume(hosts: list[Any]) -> None:
    for rendered in hosts:
        found, given = container(rendered), settings(rendered)
        variables = {each["name"]: each["value"] for each in found["env"]}
        heap = int(variables["SPARK_DAEMON_MEMORY"].removesuffix("m"))
        limit = int(found["resources"]["limits"]["memory"].removesuffix("Mi"))
        hybrid = int(given["spark.history.store.hybridStore.maxMemoryUsage"].removesuffix("m"))
        assert hybrid * 2 <= heap <= limit * 0.75
        (store,) = (each for each in pod(rendered)["spec"]["volumes"] if each["name"] == "store")
        (mount,) = (each for each in found["volumeMounts"] if each["name"] == "store")
        assert given["spark.history.store.path"] == mount["mountPath"]
        size = int(store["emptyDir"]["sizeLimit"].removesuffix("Mi"))
        assert int(given["spark.history.store.maxDiskUsage"].removesuffix("m")) < size


def test_another_setting_starts_another_pod(
    dev: Any, dev_with: Callable[..., Environment], render: Callable[[Environment], Any]
) -> None:
    changed = render(dev_with(storage={"retain": False, "event_log_days": 99, "container_log_days": 7}))

    marks = {pod(each)["metadata"]["annotations"]["moka.dev/configuration"] for each in (dev, changed)}
    assert len(marks) == 2


def test_it_has_no_token_for_the_api_server_and_no_right_there(dev: Any) -> None:
    assert pod(dev)["spec"]["automountServiceAccountToken"] is False
    subjects = [each for kind in ("RoleBinding", "ClusterRoleBinding") for each in dev.of_kind(kind)]
    assert "history-server" not in {each["subjects"][0]["name"] for each in subjects}


def test_with_pod_identity_it_asks_the_agent_for_its_credentials(
    dev_with: Callable[..., Environment], render: Callable[[Environment], Any]
) -> None:
    rendered = render(dev_with(identity={"mechanism": "irsa", "overrides": {"history-server": "pod_identity"}}))

    provider = settings(rendered)["spark.hadoop.fs.s3a.aws.credentials.provider"]
    assert provider == "software.amazon.awssdk.auth.credentials.ContainerCredentialsProvider"
    assert "annotations" not in rendered.one("ServiceAccount", "history-server", NAMESPACE)["metadata"]


def test_it_runs_the_spark_image_which_is_of_the_spark_that_is_tried_below(dev: Any) -> None:
    assert container(dev)["image"].endswith(f"/spark:{SPARK.tag}")
    assert pod(dev)["spec"]["securityContext"]["runAsUser"] == SPARK.user
    assert SPARK.version == version("pyspark")


def test_it_is_asked_for_its_health_where_the_load_balancer_asks(dev: Any) -> None:
    found = container(dev)

    assert found["livenessProbe"]["httpGet"]["path"] == found["readinessProbe"]["httpGet"]["path"] == "/api/v1/version"


def _event_log(folder: Path) -> None:
    """A finished application as Spark 4 writes it: design's `eventlog_v2_<app>/`."""
    log = folder / f"eventlog_v2_{APP}"
    log.mkdir(parents=True)
    now = int(time.time() * 1000)
    events: list[dict[str, Any]] = [
        {"Event": "SparkListenerLogStart", "Spark Version": SPARK.version},
        {
            "Event": "SparkListenerApplicationStart",
            "App Name": "flights",
            "App ID": APP,
            "Timestamp": now - 5000,
            "User": "ads",
        },
        {
            "Event": "SparkListenerEnvironmentUpdate",
            "JVM Information": {"Java Version": "17", "Java Home": "/opt/java", "Scala Version": "2.13"},
            "Spark Properties": {"spark.app.name": "flights"},
            **{f"{kind} Properties": {} for kind in ("Hadoop", "System", "Metrics")},
            "Classpath Entries": {},
        },
        {"Event": "SparkListenerApplicationEnd", "Timestamp": now},
    ]
    # without spaces: Spark knows the events that it looks for by how their lines begin
    lines = "".join(json.dumps(event, separators=(",", ":")) + "\n" for event in events)
    (log / f"events_1_{APP}").write_text(lines, encoding="utf-8")
    (log / f"appstatus_{APP}").touch()


@contextmanager
def _running(rendered: Any, folder: Path, port: int) -> Iterator[str]:
    """Spark's own History Server with the rendered settings; only what names S3, the pod's folders and the port differs."""
    _event_log(folder / "logs")
    given = {
        **settings(rendered),
        "spark.history.ui.port": str(port),
        "spark.history.fs.logDirectory": (folder / "logs").as_uri(),
        "spark.history.store.path": str(folder / "store"),
        "spark.history.fs.update.interval": "1s",
    }
    file = folder / "history-server.conf"
    file.write_text("".join(f"{key} {value}\n" for key, value in given.items()), encoding="utf-8")
    _server, option, _file = container(rendered)["args"]
    variables = {each["name"]: each["value"] for each in container(rendered)["env"]}
    command = [
        str(find_java(None, os.environ).executable),
        f"-Xmx{variables['SPARK_DAEMON_MEMORY']}",
        *variables["SPARK_HISTORY_OPTS"].split(),
        f"-Djava.io.tmpdir={folder}",
        *("-cp", str(spark_home() / "jars" / "*"), "org.apache.spark.deploy.history.HistoryServer"),
        *(option, str(file)),
    ]
    surroundings = {"PATH": os.environ["PATH"], "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_HOME": str(spark_home())}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=surroundings, stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}"
        assert process.poll() is None, (folder / "log").read_text(encoding="utf-8")[-2000:]
    finally:
        process.terminate()
        process.wait()


def _asked(url: str) -> Any:
    """The answer, once there is one that says something."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            answer = httpx.get(url, trust_env=False)
            if answer.status_code == 200 and answer.json():
                return answer.json()
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"{url} did not answer")


def test_sparks_own_server_takes_the_settings_and_reads_a_log_in_the_layout_of_spark_4(
    dev: Any, tmp_path: Path
) -> None:
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    with _running(dev, tmp_path, port) as url:
        assert _asked(f"{url}/api/v1/version") == {"spark": SPARK.version}
        (found,) = _asked(f"{url}/api/v1/applications")
        assert (found["id"], found["name"]) == (APP, "flights")
        page = httpx.get(f"{url}/history/{APP}/jobs/", trust_env=False, timeout=60, follow_redirects=True)
        assert page.is_success, page.text
        written = list((tmp_path / "store").rglob("*.rdb"))
    assert written, "the store is RocksDB's"
    assert not re.search(
        r"\bERROR (?!HistoryServer: RECEIVED SIGNAL TERM)", (tmp_path / "log").read_text(encoding="utf-8")
    )
