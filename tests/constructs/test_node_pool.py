from collections.abc import Callable
from typing import Any

import pytest

from moka_constructs import NodePool, NodePoolContext, NodePoolProps, NodeSettings, NodeSubnet, NodeTaint, PropsError

Template = Callable[[Callable[[Any], object]], dict[str, dict[str, Any]]]
Only = Callable[[dict[str, dict[str, Any]], str], dict[str, Any]]

CONTEXT = NodePoolContext(
    cluster_name="moka-test-c",
    cluster_key="moka-test-c",
    kubernetes_version="1.35",
    node_role_arn="arn:aws:iam::111111111111:role/nodes",
    node_role_key="nodes",
    security_group_ids=("sg-1",),
    volumes_key_arn="arn:aws:kms:us-east-1:111111111111:key/1",
    tags={"platform": "moka"},
)
BOTTLEROCKET = NodeSettings(operating_system="bottlerocket", max_pods=64, vcpus=8, nvme_raid0=True)


def props(**changes: Any) -> NodePoolProps:
    given: dict[str, Any] = {
        "name": "executor",
        "role": "executor",
        "instance_types": ("r8gd.4xlarge",),
        "architecture": "arm64",
        "settings": NodeSettings(operating_system="al2023", max_pods=32, vcpus=16, nvme_raid0=True),
        "subnets": {"us-east-1a": (NodeSubnet(id="subnet-1", key="100.64.0.0/18"),)},
        "max_nodes_per_zone": 10,
        "ami_release": "1.35.6-20260714",
    }
    return NodePoolProps(**{**given, **changes})


def make(template: Template, **changes: Any) -> dict[str, dict[str, Any]]:
    return template(lambda stack: NodePool(stack, "Pool", CONTEXT, props(**changes)))


def test_minimal_props_give_an_empty_on_demand_group_of_amazon_linux(template: Template, only: Only) -> None:
    group = only(make(template), "AWS::EKS::Nodegroup")["Properties"]

    assert group["CapacityType"] == "ON_DEMAND"
    assert group["AmiType"] == "AL2023_ARM_64_STANDARD"
    assert group["ScalingConfig"] == {"MinSize": 0, "MaxSize": 10}
    assert "Version" not in group


@pytest.mark.parametrize(
    ("system", "architecture", "ami_type"),
    [
        ("al2023", "arm64", "AL2023_ARM_64_STANDARD"),
        ("al2023", "x86_64", "AL2023_x86_64_STANDARD"),
        ("bottlerocket", "arm64", "BOTTLEROCKET_ARM_64"),
        ("bottlerocket", "x86_64", "BOTTLEROCKET_x86_64"),
    ],
)
def test_the_image_follows_system_and_architecture(
    template: Template, only: Only, system: Any, architecture: str, ami_type: str
) -> None:
    settings = NodeSettings(operating_system=system, max_pods=32, vcpus=16, nvme_raid0=False)

    group = only(make(template, settings=settings, architecture=architecture), "AWS::EKS::Nodegroup")

    assert group["Properties"]["AmiType"] == ami_type


def test_bottlerocket_names_its_kubernetes_version_and_keeps_data_on_the_second_volume(
    template: Template, only: Only
) -> None:
    resources = make(template, settings=BOTTLEROCKET, disk_gib=200)
    volumes = only(resources, "AWS::EC2::LaunchTemplate")["Properties"]["LaunchTemplateData"]["BlockDeviceMappings"]

    assert only(resources, "AWS::EKS::Nodegroup")["Properties"]["Version"] == "1.35"
    assert {each["DeviceName"]: each["Ebs"]["VolumeSize"] for each in volumes} == {"/dev/xvda": 4, "/dev/xvdb": 200}


def test_extra_labels_cannot_replace_mokas_own(template: Template, only: Only) -> None:
    group = only(make(template, labels={"moka.dev/role": "driver", "team": "ads"}), "AWS::EKS::Nodegroup")

    assert group["Properties"]["Labels"]["moka.dev/role"] == "executor"
    assert group["Properties"]["Labels"]["team"] == "ads"


def test_taints_are_written_in_eks_words(template: Template, only: Only) -> None:
    taints = (NodeTaint(key="a", effect="PreferNoSchedule"), NodeTaint(key="b", value="c", effect="NoExecute"))

    group = only(make(template, taints=taints), "AWS::EKS::Nodegroup")

    assert group["Properties"]["Taints"] == [
        {"Effect": "NO_SCHEDULE", "Key": "moka.dev/role", "Value": "executor"},
        {"Effect": "PREFER_NO_SCHEDULE", "Key": "a"},
        {"Effect": "NO_EXECUTE", "Key": "b", "Value": "c"},
    ]


def test_groups_of_two_zones_share_one_launch_template(template: Template) -> None:
    subnets = {
        "us-east-1a": (NodeSubnet(id="subnet-1", key="1"),),
        "us-east-1b": (NodeSubnet(id="subnet-2", key="2"), NodeSubnet(id="subnet-3", key="3")),
    }
    resources = make(template, subnets=subnets)
    groups = [each["Properties"] for each in resources.values() if each["Type"] == "AWS::EKS::Nodegroup"]

    assert [group["Subnets"] for group in groups] == [["subnet-1"], ["subnet-2", "subnet-3"]]
    assert len([each for each in resources.values() if each["Type"] == "AWS::EC2::LaunchTemplate"]) == 1
    assert groups[0]["LaunchTemplate"] == groups[1]["LaunchTemplate"]


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"min_nodes_per_zone": 12}, "MinAboveMax", r"must be at most `max_nodes_per_zone` \(10\), got 12; raise"),
        ({"role": "system"}, "EmptySystemPool", "of a system pool must be at least 1, got 0"),
        ({"role": "driver", "capacity": "spot"}, "SpotNotForExecutors", "of a driver pool must be on_demand, got spot"),
        ({"subnets": {}}, "NoSubnets", "must hold a subnet per zone"),
        ({"subnets": {"us-east-1a": ()}}, "NoSubnets", "must hold a subnet per zone"),
    ],
)
def test_fails_on_a_pool_that_could_not_work(template: Template, changes: dict[str, Any], code: str, text: str) -> None:
    with pytest.raises(PropsError, match=text) as error:
        make(template, **changes)

    assert error.value.code == code
    assert "[Test/Pool]" in str(error.value)
