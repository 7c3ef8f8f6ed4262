"""Planes of one's own: they do not see each other, take faults, run elsewhere, and leave nothing behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest

from testbed import control_plane
from testbed.components import Settings
from testbed.control_plane import ControlPlane
from testbed.errors import ForeignClusterError
from testbed.foreign import ForeignCluster
from testbed.kubernetes import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from testbed.kubernetes import Manifest

ROOT = Path(__file__).parents[2]
HOLDER = """
import json, sys, time
from testbed.control_plane import ControlPlane
from testbed.nodes import PretendedNodes
plane = ControlPlane()
plane.start()
nodes = PretendedNodes(plane)
nodes.start()
print(json.dumps({"folder": str(plane.folder), "keeper": plane.keeper.pid}), flush=True)
time.sleep(600)
"""


def config_map(name: str, namespace: str, **data: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": data,
    }


def family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [each for each in processes if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]


def wait_until(condition: Callable[[], bool], seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_two_planes_side_by_side_do_not_see_each_other(plane_factory: Callable[..., ControlPlane]) -> None:
    with plane_factory(scheduler=False) as one, plane_factory(scheduler=False) as two:
        one.client().create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "only-here"}})

        assert one.client().find("v1", "Namespace", "only-here") is not None
        assert two.client().find("v1", "Namespace", "only-here") is None
        assert one.server != two.server
        # the administrator of the one is nobody at the other: another authority signed
        stranger = one.kubeconfig.read_text().replace(one.server, two.server)
        mixed = one.folder / "mixed.kubeconfig"
        mixed.write_text(stranger)
        assert one.kubectl("get", "nodes", kubeconfig=mixed, check=False).returncode != 0


def test_it_listens_on_loopback_alone_and_leaves_neither_process_nor_folder(
    plane_factory: Callable[..., ControlPlane],
) -> None:
    with plane_factory() as plane:
        processes, folder = family(plane.keeper.pid), plane.folder
        listening = {
            connection.laddr.ip
            for process in processes
            for connection in process.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
        }
        names = {process.name() for process in processes}

    assert {"etcd", "kube-apiserver", "kube-scheduler"} <= names
    assert listening == {"127.0.0.1"}
    assert alive(processes) == []
    assert not folder.exists()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_nothing_outlives_a_process_that_held_a_plane(programs: None, number: signal.Signals) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert holder.stdout is not None
    started = json.loads(holder.stdout.readline())
    processes = family(started["keeper"])
    assert {"etcd", "kube-apiserver", "kwok"} <= {process.name() for process in processes}

    os.kill(holder.pid, number)
    holder.wait()
    holder.stdout.close()

    wait_until(lambda: not alive(processes) and not Path(started["folder"]).exists())


def test_lists_and_watches_from_before_a_compaction_end_in_410_after_a_restart(
    plane_factory: Callable[..., ControlPlane],
) -> None:
    with plane_factory(scheduler=False) as plane:
        client = plane.client()
        before = client.create(config_map("first", "default"))["metadata"]["resourceVersion"]
        client.create(config_map("second", "default"))

        plane.compact_etcd()
        plane.restart_api_server()
        with pytest.raises(ApiError) as listed:
            client.list("v1", "ConfigMap", "default", resourceVersion=before, resourceVersionMatch="Exact")
        with pytest.raises(ApiError) as watched:
            list(client.watch("v1", "ConfigMap", "default", resource_version=before, timeout_seconds=5))

    assert (listed.value.code, listed.value.reason) == (410, "Expired")
    assert watched.value.code == 410


@pytest.mark.parametrize("graceful", [True, False])
def test_an_api_server_that_was_away_comes_back_with_all_it_had(
    plane_factory: Callable[..., ControlPlane], graceful: bool
) -> None:
    with plane_factory(scheduler=False) as plane:
        client, server = plane.client(), plane.server
        client.create(config_map("kept", "default", key="value"))

        plane.stop_api_server(graceful=graceful)
        with pytest.raises(httpx.ConnectError):
            client.get("v1", "ConfigMap", "kept", "default")
        plane.start_api_server()

        assert plane.server == server
        assert client.get("v1", "ConfigMap", "kept", "default")["data"] == {"key": "value"}
        # the controllers came back too
        client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "after"}})
        wait_until(lambda: client.find("v1", "ServiceAccount", "default", "after") is not None)


def test_a_port_that_was_taken_meanwhile_is_left_to_who_has_it(programs: None, monkeypatch: pytest.MonkeyPatch) -> None:
    real = control_plane._some_port
    with socket.create_server(("127.0.0.1", 0)) as taken:
        answers = iter([taken.getsockname()[1]])
        monkeypatch.setattr(
            control_plane, "_some_port", lambda host, avoid=0: next(answers, None) or real(host, avoid=avoid)
        )
        with ControlPlane(Settings(scheduler=False)) as plane:
            assert plane.client().find("v1", "Namespace", "default") is not None
            assert str(taken.getsockname()[1]) not in plane.ground.etcd


def test_a_certificate_makes_somebody_of_a_group(plane_factory: Callable[..., ControlPlane]) -> None:
    with plane_factory(scheduler=False) as plane:
        rbac = "rbac.authorization.k8s.io"
        plane.client().create(
            {
                "apiVersion": f"{rbac}/v1",
                "kind": "RoleBinding",
                "metadata": {"name": "archer", "namespace": "default"},
                "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "edit"},
                "subjects": [{"apiGroup": rbac, "kind": "Group", "name": "moka:archer"}],
            }
        )

        archer = plane.client(kubeconfig_file=plane.kubeconfig_as("archer", ["moka:archer"]))
        nobody = plane.client(kubeconfig_file=plane.kubeconfig_as("archer"))

        assert archer.create(config_map("made", "default"))["metadata"]["name"] == "made"
        with pytest.raises(ApiError, match='User "archer" cannot list'):
            archer.list("v1", "ConfigMap", "kube-system")
        with pytest.raises(ApiError, match='User "archer" cannot list'):
            nobody.list("v1", "Pod", "default")


@pytest.fixture
def network_namespace() -> Iterator[str]:
    """A network namespace of its own, with loopback up; needs root and iproute2."""
    name = f"moka-test-{os.getpid()}"
    try:
        subprocess.run(["ip", "netns", "add", name], check=True, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("no `ip` (iproute2) on this machine")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"this machine makes no network namespace: {error.stderr.strip()}")
    subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
    yield name
    subprocess.run(["ip", "netns", "delete", name], check=True)


def test_it_runs_in_a_network_namespace_and_is_used_from_outside(
    plane_factory: Callable[..., ControlPlane], network_namespace: str
) -> None:
    enter = ("nsenter", f"--net=/var/run/netns/{network_namespace}")
    with plane_factory(enter=enter, scheduler=False) as plane:
        plane.client().create(config_map("inside", "default"))

        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", plane.ground.api_port), timeout=5)
        assert "inside" in plane.kubectl("get", "configmaps").stdout
        plane.restart_api_server()
        assert plane.client().find("v1", "ConfigMap", "inside", "default") is not None
        limited = plane.kubectl("get", "pods", kubeconfig=plane.kubeconfig_for("default", "default"), check=False)
        assert "system:serviceaccount:default:default" in limited.stderr


def test_a_kubeconfig_or_a_proxy_of_the_shell_leads_nowhere(
    plane_factory: Callable[..., ControlPlane], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.write_text("no kubeconfig")
    monkeypatch.setenv("KUBECONFIG", str(other))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")

    with plane_factory(scheduler=False) as plane:
        assert "default" in plane.kubectl("get", "namespaces").stdout
        assert plane.client().find("v1", "Namespace", "default") is not None
        plane.run("env", ["env"])
        wait_until(lambda: not plane.is_running("env"))
        said = plane.log("env").read_text()

    assert "PATH=" in said
    assert "KUBECONFIG" not in said
    assert "HTTPS_PROXY" not in said


def test_a_real_cluster_is_taken_with_the_label_and_refused_without(
    plane_factory: Callable[..., ControlPlane], monkeypatch: pytest.MonkeyPatch
) -> None:
    with plane_factory(scheduler=False) as plane:
        monkeypatch.setenv("MOKA_TESTBED_KUBECONFIG", str(plane.kubeconfig))
        monkeypatch.setenv("MOKA_TESTBED_CONTEXT", plane.context)

        taken = ForeignCluster.from_environment()
        assert taken is not None
        assert taken.client().find("v1", "Namespace", "default") is not None
        assert "kube-system" in taken.kubectl("get", "namespaces").stdout
        taken.close()

        plane.kubectl("label", "namespace", "kube-system", "moka.dev/testbed-")
        with pytest.raises(ForeignClusterError, match="does not say that tests may break it"):
            ForeignCluster.from_environment()
