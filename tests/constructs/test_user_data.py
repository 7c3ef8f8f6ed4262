import email
import json
import tomllib
from typing import Any

import pytest

from moka_constructs import NodeSettings
from moka_constructs.user_data import EVICTION_HARD, SYSTEM_RESERVED, OperatingSystem, kube_reserved, user_data


def settings(
    operating_system: OperatingSystem = "al2023", *, nvme_raid0: bool = False, max_pods: int = 110
) -> NodeSettings:
    return NodeSettings(operating_system=operating_system, max_pods=max_pods, vcpus=16, nvme_raid0=nvme_raid0)


def node_config(text: str) -> dict[str, Any]:
    """The NodeConfig of a MIME document, read as cloud-init reads it."""
    (part,) = (each for each in email.message_from_string(text).walk() if not each.is_multipart())
    assert part.get_content_type() == "application/node.eks.aws"
    config: dict[str, Any] = json.loads(str(part.get_payload()))
    return config


def test_amazon_linux_gets_one_node_config_in_a_mime_document() -> None:
    config = node_config(user_data(settings()))

    assert config["apiVersion"] == "node.eks.aws/v1alpha1"
    assert config["kind"] == "NodeConfig"
    kubelet = config["spec"]["kubelet"]["config"]
    assert kubelet["maxPods"] == 110
    assert kubelet["systemReserved"] == SYSTEM_RESERVED
    assert kubelet["evictionHard"] == EVICTION_HARD
    assert kubelet["kubeReserved"] == {"cpu": "110m", "memory": "1465Mi"}


def test_amazon_linux_joins_the_instance_store_into_raid0_only_when_asked() -> None:
    assert node_config(user_data(settings(nvme_raid0=True)))["spec"]["instance"] == {
        "localStorage": {"strategy": "RAID0"}
    }
    assert "instance" not in node_config(user_data(settings()))["spec"]


def test_bottlerocket_gets_the_same_in_toml() -> None:
    kubernetes = tomllib.loads(user_data(settings("bottlerocket")))["settings"]["kubernetes"]

    assert kubernetes == {
        "max-pods": 110,
        "kube-reserved": {"cpu": "110m", "memory": "1465Mi"},
        "system-reserved": SYSTEM_RESERVED,
        "eviction-hard": EVICTION_HARD,
    }


def test_bottlerocket_binds_the_array_where_kubelet_and_containerd_write() -> None:
    parsed = tomllib.loads(user_data(settings("bottlerocket", nvme_raid0=True)))["settings"]
    (command,) = parsed["bootstrap-commands"].values()

    assert command["mode"] == "always"
    assert command["essential"] is True
    init, bind = command["commands"]
    assert init == ["apiclient", "ephemeral-storage", "init"]
    assert bind[:4] == ["apiclient", "ephemeral-storage", "bind", "--dirs"]
    assert {"/var/lib/containerd", "/var/lib/kubelet"} <= set(bind[4:])
    assert "bootstrap-commands" not in tomllib.loads(user_data(settings("bottlerocket")))["settings"]


@pytest.mark.parametrize(
    ("vcpus", "max_pods", "cpu", "memory"),
    [(2, 29, "70m", "574Mi"), (4, 58, "80m", "893Mi"), (8, 110, "90m", "1465Mi"), (192, 250, "550m", "3005Mi")],
)
def test_the_reserve_follows_cores_and_pods_as_in_the_image(vcpus: int, max_pods: int, cpu: str, memory: str) -> None:
    given = NodeSettings(operating_system="al2023", max_pods=max_pods, vcpus=vcpus, nvme_raid0=False)

    assert kube_reserved(given) == {"cpu": cpu, "memory": memory}


def test_the_same_settings_give_the_same_text() -> None:
    assert user_data(settings()) == user_data(settings())
    assert user_data(settings()) != user_data(settings(max_pods=64))
