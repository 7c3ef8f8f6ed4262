"""What a node's programs are told: every place that they write to is the testbed's own, and who asks kubelet is known."""

from __future__ import annotations

import ipaddress
import json
import tomllib
from pathlib import Path

import pytest
import yaml

from testbed.real_node import files
from testbed.real_node.files import Places


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(folder=tmp_path, cgroup="moka-testbed-1")


def test_containerd_keeps_everything_below_the_folder(places: Places) -> None:
    program, _, file = files.containerd_command(places)
    told = tomllib.loads(Path(file).read_text())
    plugins = told["plugins"]
    cri = plugins["io.containerd.grpc.v1.cri"]
    written = [
        *(told["root"], told["state"], told["grpc"]["address"]),
        *(plugins["io.containerd.internal.v1.opt"]["path"], cri["cni"]["conf_dir"]),
    ]

    assert program == "containerd"
    assert all(Path(each).is_relative_to(places.folder) for each in written)
    assert cri["sandbox_image"] == files.PAUSE
    (network,) = Path(cri["cni"]["conf_dir"]).iterdir()
    bridge = json.loads(network.read_text())["plugins"][0]
    assert Path(bridge["ipam"]["dataDir"]).is_relative_to(places.folder)
    assert bridge["bridge"] == files.BRIDGE


def test_kubelet_stays_in_its_cgroup_and_folder_and_asks_who_is_calling(places: Places) -> None:
    words = files.kubelet_command(places, Path("kubelet"), Path("node.kubeconfig"), Path("ca.crt"))
    flags = dict(str(word).removeprefix("--").split("=", 1) for word in words[1:])
    told = yaml.safe_load(Path(flags["config"]).read_text())

    assert told["cgroupRoot"] == "/moka-testbed-1"
    assert told["authentication"]["anonymous"] == {"enabled": False}
    assert told["authorization"] == {"mode": "Webhook"}
    for folder in (flags["root-dir"], flags["cert-dir"], flags["volume-plugin-dir"], told["podLogsDir"]):
        assert Path(folder).is_relative_to(places.folder)


def test_kube_proxy_leaves_the_settings_of_the_whole_machine_alone() -> None:
    flags = {str(word) for word in files.kube_proxy_command(Path("kube-proxy"), Path("proxy.kubeconfig"))}

    assert {
        "--iptables-localhost-nodeports=false",
        "--conntrack-max-per-core=0",
        "--conntrack-min=0",
        "--conntrack-tcp-timeout-established=0s",
        "--conntrack-tcp-timeout-close-wait=0s",
    } <= flags


def test_pods_find_the_dns_server_behind_its_service(places: Places) -> None:
    service, endpoints, *_ = files.dns_objects()
    kubelet = files.kubelet_command(places, Path("kubelet"), Path("k"), Path("c"))
    told = yaml.safe_load(Path(str(kubelet[1]).removeprefix("--config=")).read_text())
    corefile = Path(
        str(files.coredns_command(places, Path("coredns"), Path("k"))[1]).removeprefix("-conf=")
    ).read_text()

    assert told["clusterDNS"] == [service["spec"]["clusterIP"]]
    assert ipaddress.ip_address(service["spec"]["clusterIP"]) in ipaddress.ip_network(files.SERVICE_CIDR)
    assert {port["targetPort"] for port in service["spec"]["ports"]} == {files.DNS_PORT}
    assert endpoints["endpoints"][0]["addresses"] == [files.ADDRESS]
    assert f".:{files.DNS_PORT} {{" in corefile
    assert f"bind {files.ADDRESS}" in corefile
