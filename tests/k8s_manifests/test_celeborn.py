import re
from typing import Any

import pytest

from environments.instances import instance_types

NAMESPACE = "moka-celeborn"


@pytest.fixture(scope="module")
def batch(every_cluster: list[Any]) -> Any:
    """The shipped cluster that has Celeborn."""
    (found,) = (each for each in every_cluster if (each.environment.name, each.cluster) == ("prod", "batch"))
    return found


def stateful_set(rendered: Any, role: str) -> dict[str, Any]:
    found: dict[str, Any] = rendered.one("StatefulSet", f"celeborn-{role}", NAMESPACE)["spec"]
    return found


def container(rendered: Any, role: str) -> dict[str, Any]:
    (found,) = stateful_set(rendered, role)["template"]["spec"]["containers"]
    read: dict[str, Any] = found
    return read


def settings(rendered: Any) -> dict[str, str]:
    text = rendered.one("ConfigMap", "celeborn", NAMESPACE)["data"]["celeborn-defaults.conf"]
    return dict(line.split(" ", 1) for line in text.splitlines())


def test_it_is_where_the_file_has_it_and_nodes_for_it(every_cluster: list[Any]) -> None:
    having = {(each.environment.name, each.cluster) for each in every_cluster if "37-celeborn.yaml" in each.files}

    assert having == {("prod", "batch")}


def test_masters_know_each_other_by_names_that_their_service_gives_before_they_are_ready(batch: Any) -> None:
    masters = stateful_set(batch, "master")
    service = batch.one("Service", masters["serviceName"], NAMESPACE)["spec"]
    hosts = [
        f"celeborn-master-{number}.{masters['serviceName']}.{NAMESPACE}.svc.cluster.local"
        for number in range(masters["replicas"])
    ]

    assert (service["clusterIP"], service["publishNotReadyAddresses"]) == ("None", True)
    assert masters["podManagementPolicy"] == "Parallel", "a first master alone is never ready"
    given = settings(batch)
    assert given["celeborn.master.ha.enabled"] == "true"
    assert [given[f"celeborn.master.ha.node.{number}.host"] for number in range(3)] == hosts
    assert given["celeborn.master.endpoints"] == ",".join(f"{host}:9097" for host in hosts)
    for role in ("master", "worker"):
        (script,) = container(batch, role)["args"]
        assert all(host in script for host in hosts)
        assert script.endswith(f"exec /opt/celeborn/sbin/start-{role}.sh")


def test_what_masters_agree_on_outlives_their_pods_on_a_volume_of_the_clusters_class(batch: Any) -> None:
    masters = stateful_set(batch, "master")
    (claim,) = masters["volumeClaimTemplates"]
    (known,) = batch.of_kind("StorageClass")

    assert claim["spec"]["storageClassName"] == known["metadata"]["name"]
    (mount,) = (
        each for each in container(batch, "master")["volumeMounts"] if each["name"] == claim["metadata"]["name"]
    )
    assert mount["mountPath"] == settings(batch)["celeborn.master.ha.ratis.raft.server.storage.dir"]


def test_every_port_is_fixed_and_opened(batch: Any) -> None:
    given = settings(batch)
    opened = {port["name"]: str(port["containerPort"]) for port in container(batch, "worker")["ports"]}

    for name in ("rpc", "fetch", "push", "replicate"):
        assert given[f"celeborn.worker.{name}.port"] == opened[name] != "0"
    assert given["celeborn.worker.http.port"] == opened["metrics"]


def test_a_worker_takes_one_node_and_leaves_room_on_it(batch: Any) -> None:
    (pool,) = (p for p in batch.environment.cluster("batch").pools if p.role == "celeborn")
    node, resources = instance_types()[pool.instance_types[0]], container(batch, "worker")["resources"]["requests"]
    cpu, memory = int(resources["cpu"].removesuffix("m")), int(resources["memory"].removesuffix("Mi"))

    assert node.vcpu * 500 < cpu < node.vcpu * 900, "a second one never fits, the node's own pods do"
    assert memory < node.memory_mib * 0.8
    (disk,) = (v for v in stateful_set(batch, "worker")["template"]["spec"]["volumes"] if v["name"] == "disk")
    size = int(disk["emptyDir"]["sizeLimit"].removesuffix("Mi"))
    assert size * 1024 * 1024 < node.nvme_gb * 10**9
    match = re.fullmatch(
        r"/mnt/disk1:disktype=SSD:capacity=(\d+)m:flushthread=\d+", settings(batch)["celeborn.worker.storage.dirs"]
    )
    assert match is not None
    assert int(match[1]) < size, "or the kubelet evicts a full worker"
    assert pool.nvme == "raid0"


def test_memory_for_heap_and_buffers_fits_the_container(batch: Any) -> None:
    for role in ("master", "worker"):
        found = container(batch, role)
        used = sum(int(v["value"].removesuffix("m")) for v in found["env"] if v["name"].endswith("_MEMORY"))
        assert used < int(found["resources"]["limits"]["memory"].removesuffix("Mi"))


def test_a_worker_has_time_to_write_out_and_is_never_restarted_or_moved_by_others(batch: Any) -> None:
    worker, given = stateful_set(batch, "worker"), settings(batch)

    timeout = int(given["celeborn.worker.graceful.shutdown.timeout"].removesuffix("s"))
    assert given["celeborn.worker.graceful.shutdown.enabled"] == "true"
    assert given["celeborn.worker.graceful.shutdown.recoverPath"].startswith("/mnt/disk1/")
    assert worker["template"]["spec"]["terminationGracePeriodSeconds"] >= timeout + 120
    assert worker["updateStrategy"] == {"type": "OnDelete"}
    annotations = worker["template"]["metadata"]["annotations"]
    assert annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "false"
    assert stateful_set(batch, "master")["updateStrategy"] == {"type": "RollingUpdate"}


def test_it_has_no_token_and_no_folder_of_the_node(batch: Any) -> None:
    for role in ("master", "worker"):
        spec = stateful_set(batch, role)["template"]["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert all("hostPath" not in volume for volume in spec["volumes"])
    namespace = batch.one("Namespace", NAMESPACE)["metadata"]["labels"]
    assert namespace["pod-security.kubernetes.io/enforce"] == "restricted"
