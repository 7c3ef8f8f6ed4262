import re
from typing import Any

import pytest

from archer.clock import SystemClock
from archer.ids import attempt_name, new_job_id
from environments.names import SERVICE_ACCOUNTS
from infra.workload import CONTAINER_LOG_PREFIX

NAMESPACE = "moka-logs"
JOB = "j-01k9zq3v5w8x2y4a6b7c8d9e0f"
CONTAINER_ID = "0123456789abcdef" * 4


def daemon_set(rendered: Any) -> dict[str, Any]:
    found: dict[str, Any] = rendered.one("DaemonSet", "log-shipper", NAMESPACE)["spec"]
    return found


def sections(rendered: Any) -> dict[str, dict[str, str]]:
    """The configuration as Fluent Bit's own classic format reads it."""
    (text,) = rendered.one("ConfigMap", "log-shipper", NAMESPACE)["data"].values()
    found: dict[str, dict[str, str]] = {}
    for line in text.splitlines():
        if line.startswith("["):
            current = found.setdefault(line.strip("[]"), {})
        elif line.strip():
            key, value = line.split(maxsplit=1)
            assert key not in current, "a setting is given twice"
            current[key] = value
    return found


def place(rendered: Any, file: str, *, epoch: int, number: int) -> str | None:
    """The key of an object of that file's records, by Fluent Bit's rules; None for a file that it does not read."""
    source, target = sections(rendered)["INPUT"], sections(rendered)["OUTPUT"]
    # its glob is the shell's, its regular expressions are Ruby's, where (?<name>…) is Python's (?P<name>…)
    glob = re.escape(source["Path"]).replace(r"\*", "[^/]*")
    match = re.search(source["Tag_Regex"].replace("(?<", "(?P<"), file)
    if not re.fullmatch(glob, file) or match is None:
        return None
    tag = re.sub(r"<(\w+)>", lambda part: match[part[1]], source["Tag"])
    assert re.fullmatch(target["Match"].replace(".", r"\.").replace("*", ".*"), tag)
    parts = tag.split(target["s3_key_format_tag_delimiters"])
    key = re.sub(r"\$TAG\[(\d)\]", lambda part: parts[int(part[1])], target["s3_key_format"])
    return key.replace("%s", str(epoch)).replace("$INDEX", str(number))


@pytest.mark.parametrize(
    ("pod", "attempt"),
    [(f"{JOB}-1-driver", "1"), (f"{JOB}-1-exec-1", "1"), (f"{JOB}-12-exec-1043", "12")],
)
@pytest.mark.parametrize("container", ["spark-kubernetes-driver", "spark-kubernetes-executor", "side"])
def test_a_log_is_placed_by_job_attempt_pod_and_container(dev: Any, pod: str, attempt: str, container: str) -> None:
    file = f"/var/log/containers/{pod}_spark-ads_{container}-{CONTAINER_ID}.log"

    key = place(dev, file, epoch=1764090000, number=7)

    assert key == f"/logs/{JOB}/{attempt}/{pod}/{container}/1764090000000-7.log.gz"
    assert key.startswith(f"/{CONTAINER_LOG_PREFIX}"), "the role may add objects below it alone"


def test_an_id_that_archer_makes_is_one_that_is_shipped(dev: Any) -> None:
    name = attempt_name(new_job_id(SystemClock().now()), 1)

    file = f"/var/log/containers/{name}-driver_spark-ads_spark-kubernetes-driver-{CONTAINER_ID}.log"
    assert place(dev, file, epoch=1, number=0) is not None


@pytest.mark.parametrize(
    "name",
    [
        "coredns-5d78c9869d-abcde_kube-system_coredns",
        "archer-api-6f7d_moka-system_archer",
        "somebodys-driver_spark-ads_spark-kubernetes-driver",
        f"{JOB}-1-driver_default_spark-kubernetes-driver",
        f"{JOB}-driver_spark-ads_spark-kubernetes-driver",
        "j-short-1-driver_spark-ads_spark-kubernetes-driver",
    ],
)
def test_what_is_no_pod_of_an_archer_job_is_not_shipped(dev: Any, name: str) -> None:
    assert place(dev, f"/var/log/containers/{name}-{CONTAINER_ID}.log", epoch=1, number=0) is None


def test_each_cluster_ships_to_its_environments_bucket(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        environment, target = rendered.environment, sections(rendered)["OUTPUT"]
        bucket = f"moka-{environment.name}-container-logs-{environment.account}-{environment.region}"
        assert (target["bucket"], target["region"]) == (bucket, environment.region)
        # the role has PutObject and nothing of uploads in parts
        assert target["use_put_object"] == "On"


def test_it_is_on_every_node_of_drivers_and_executors_and_on_no_other(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        spec = daemon_set(rendered)["template"]["spec"]
        required = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        assert required == {
            "nodeSelectorTerms": [
                {"matchExpressions": [{"key": "moka.dev/role", "operator": "In", "values": ["driver", "executor"]}]}
            ]
        }
        assert "nodeSelector" not in spec
        assert (NAMESPACE, spec["serviceAccountName"]) == SERVICE_ACCOUNTS["log-shipper"]


def test_of_the_node_it_reads_logs_and_writes_only_its_own_folder(dev: Any) -> None:
    spec = daemon_set(dev)["template"]["spec"]
    (container,) = spec["containers"]
    read_only = {mount["mountPath"]: mount.get("readOnly", False) for mount in container["volumeMounts"]}
    folders = {volume["hostPath"]["path"] for volume in spec["volumes"] if "hostPath" in volume}

    assert {path: read_only[path] for path in folders} == {"/var/log": True, "/var/lib/moka-log-shipper": False}
    written = sections(dev)
    for path in (written["SERVICE"]["storage.path"], written["INPUT"]["DB"], written["OUTPUT"]["store_dir"]):
        assert path.startswith("/var/lib/moka-log-shipper/"), "or a restart ships everything again"
    assert spec["automountServiceAccountToken"] is False


def test_it_has_time_to_upload_what_it_holds_before_it_is_killed(dev: Any) -> None:
    stop = daemon_set(dev)["template"]["spec"]["terminationGracePeriodSeconds"]

    assert int(sections(dev)["SERVICE"]["Grace"]) < stop <= 110, "a spot node is gone after two minutes"


def test_its_namespace_holds_nothing_else(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        there = {
            each["metadata"]["labels"]["app.kubernetes.io/name"]
            for each in rendered.manifests
            if each["metadata"].get("namespace") == NAMESPACE
        }
        assert there == {"log-shipper"}
