"""The host stays as it was: addresses, packet filters, settings, mounts, processes, cgroups; while a node runs, and after it.

After an ordinary end at once; after `kill -9` of the process that holds the node, what the kernel does not end itself is gone
with the next start.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from testbed.real_node import files, remains
from testbed.real_node.node import RealNode
from testbed.real_node.room import SYSCTLS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from testbed.kubernetes import Client

FOREIGN_FINALIZER = "archer.moka.dev/outcome"
PLACES = ("/var/lib/kubelet", "/var/lib/cni", "/var/log/pods", "/var/log/containers", "/opt/containerd", "/etc/cni")
"""Where a node of a machine of its own would write."""
NETWORK_SETTINGS = (
    "net/ipv4/ip_forward",
    "net/ipv4/conf/all/route_localnet",
    "net/ipv4/vs/conntrack",
    "net/netfilter/nf_conntrack_max",
    "net/netfilter/nf_conntrack_tcp_timeout_established",
    "net/netfilter/nf_conntrack_tcp_timeout_close_wait",
    "net/netfilter/nf_conntrack_tcp_be_liberal",
)
HOLDER = """
import sys, time
from testbed.real_node.node import RealNode
node = RealNode(spark=False)
node.start()
print(node.keeper.folder, node.pid, node.plane.keeper.folder, flush=True)
time.sleep(600)
"""


def host() -> Mapping[str, object]:
    """What a node could change, as the host has it now."""
    addresses = subprocess.run(["ip", "-oneline", "address"], capture_output=True, text=True, check=True).stdout
    rules = subprocess.run(["iptables-save"], capture_output=True, text=True, check=True).stdout
    settings = [*SYSCTLS, *NETWORK_SETTINGS]
    return {
        "addresses": re.findall(r"^\d+: (\S+)\s+inet6? (\S+)", addresses, re.MULTILINE),
        "interfaces": sorted(path.name for path in Path("/sys/class/net").iterdir()),
        "rules": [re.sub(r"\[\d+:\d+\]", "", line) for line in rules.splitlines() if not line.startswith("#")],
        "settings": {name: path.read_text() for name in settings if (path := Path("/proc/sys") / name).exists()},
        "places": [place for place in PLACES if Path(place).exists()],
        "named networks": sorted(path.name for path in Path("/run/netns").glob("*")),
    }


def processes_that_name(*folders: Path) -> list[str]:
    """Command lines and mounts, of any process, with one of the folders in them."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "mountinfo"):
            try:
                text = (process / name).read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue  # it has ended
            found += [f"{process.name} {name}: {text[:300]}" for folder in folders if str(folder) in text]
    return found


def cgroups() -> set[Path]:
    return {path for root in remains.hierarchies() for path in root.glob("moka-testbed-*")}


def run_a_pod(client: Client, *finalizers: str) -> None:
    """Make a pod that runs for ever, and wait until it does."""
    metadata = {"name": "held", "namespace": "default", "finalizers": list(finalizers)}
    spec = {"containers": [{"name": "held", "image": files.PAUSE}]}
    client.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    wait_until(lambda: client.get("v1", "Pod", "held", "default")["status"]["phase"] == "Running", "the pod runs")


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, f"not within 120 s: {what}"
        time.sleep(0.2)


def test_a_node_changes_nothing_of_the_host_and_leaves_nothing(capable: None) -> None:
    before, cgroups_before = host(), cgroups()
    with RealNode(spark=False) as node:
        run_a_pod(node.plane.client(), FOREIGN_FINALIZER)
        network = subprocess.run([*node.enter_network, "iptables-save"], capture_output=True, text=True, check=True)
        during, folders = host(), (node.keeper.folder, node.plane.keeper.folder)
        assert processes_that_name(*folders)
        assert len(cgroups()) > len(cgroups_before)

    assert "KUBE-SERVICES" in network.stdout
    assert during == before
    # the pod's finalizer held nothing up
    assert host() == before
    assert processes_that_name(*folders) == []
    assert not any(folder.exists() for folder in folders)
    assert cgroups() == cgroups_before


def test_after_kill_9_the_next_start_finds_and_leaves_nothing(capable: None) -> None:
    before, cgroups_before = host(), cgroups()
    with subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        words = holder.stdout.readline().split()
        if len(words) != 3:
            pytest.fail(f"the holder did not start: {words}")
        folder, first, plane_folder = Path(words[0]), int(words[1]), Path(words[2])
        namespaces = {name: str(Path(f"/proc/{first}/ns/{name}").readlink()) for name in ("net", "mnt", "pid")}
        holder.send_signal(signal.SIGKILL)

    # nobody asked for this: the kernel and the two keepers did it
    wait_until(lambda: processes_that_name(folder, plane_folder) == [], "every process and mount is gone")
    wait_until(lambda: not (namespaces.items() & in_use()), "the namespaces are gone")

    with RealNode(spark=False):
        assert not folder.exists()
        assert not plane_folder.exists()
        assert len(cgroups() - cgroups_before) == len(remains.hierarchies())
    assert host() == before
    assert cgroups() == cgroups_before


def in_use() -> set[tuple[str, str]]:
    """The namespaces of all processes."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("net", "mnt", "pid"):
            try:
                found.add((name, str((process / "ns" / name).readlink())))
            except OSError:
                continue  # it has ended
    return found
