from collections.abc import Callable
from typing import Any

import pytest

from moka_constructs import (
    Access,
    ControlPlaneProps,
    Location,
    NodePoolProps,
    NodeSettings,
    NodeSubnet,
    PropsError,
    SparkCluster,
    SparkClusterProps,
)

Template = Callable[[Callable[[Any], object]], dict[str, dict[str, Any]]]


def pool(name: str, role: Any, zones: int = 2, **changes: Any) -> NodePoolProps:
    given: dict[str, Any] = {
        "name": name,
        "role": role,
        "instance_types": ("m8g.xlarge",),
        "architecture": "arm64",
        "settings": NodeSettings(operating_system="al2023", max_pods=32, vcpus=4, nvme_raid0=False),
        "subnets": {
            f"us-east-1{letter}": (NodeSubnet(id=f"subnet-{letter}", key=letter),) for letter in "abcdef"[:zones]
        },
        "min_nodes_per_zone": 1,
        "max_nodes_per_zone": 2,
        "ami_release": "1.35.6-20260714",
    }
    return NodePoolProps(**{**given, **changes})


def control_plane(**changes: Any) -> ControlPlaneProps:
    given: dict[str, Any] = {
        "cluster_name": "moka-test-c",
        "location": Location(partition="aws", account="111111111111", region="us-east-1"),
        "kubernetes_version": "1.35",
        "role_arn": "arn:aws:iam::111111111111:role/control-plane",
        "vpc_id": "vpc-1",
        "subnet_ids": ("subnet-1", "subnet-2"),
        "secrets_key_arn": "arn:aws:kms:us-east-1:111111111111:key/1",
        "access": (Access(role_arn="arn:aws:iam::111111111111:role/Admin", policy="cluster-admin"),),
    }
    return ControlPlaneProps(**{**given, **changes})


def props(**changes: Any) -> SparkClusterProps:
    given: dict[str, Any] = {
        "control_plane": control_plane(),
        "pools": (pool("system", "system"), pool("driver", "driver")),
        "node_role_arn": "arn:aws:iam::111111111111:role/nodes",
        "node_role_key": "nodes",
        "volumes_key_arn": "arn:aws:kms:us-east-1:111111111111:key/2",
        "cni_role_name": "moka-test-c-vpc-cni",
        "ebs_csi_role_name": "moka-test-c-ebs-csi",
        "tagger_name": "moka-test-c-asg-tagger",
    }
    return SparkClusterProps(**{**given, **changes})


def test_minimal_props_give_a_cluster_whose_one_function_is_the_tagger(template: Template) -> None:
    resources = template(lambda stack: SparkCluster(stack, "Cluster", props()))
    kinds: dict[str, int] = {}
    for resource in resources.values():
        kinds[resource["Type"]] = kinds.get(resource["Type"], 0) + 1

    assert kinds == {
        "AWS::EKS::Cluster": 1,
        "AWS::EKS::AccessEntry": 1,
        "AWS::EKS::Addon": 9,
        "AWS::EKS::Nodegroup": 4,
        "AWS::EC2::LaunchTemplate": 2,
        "AWS::EC2::SecurityGroup": 1,
        "AWS::IAM::OIDCProvider": 1,
        "AWS::IAM::Role": 3,
        "AWS::Lambda::Function": 1,
        "AWS::Logs::LogGroup": 2,
        "Custom::MokaAutoScalingTags": 1,
    }


def test_the_csi_driver_may_use_the_volumes_key_and_grant_it_to_aws_only(template: Template) -> None:
    resources = template(lambda stack: SparkCluster(stack, "Cluster", props()))
    (role,) = (
        each["Properties"] for each in resources.values() if each["Properties"].get("RoleName") == "moka-test-c-ebs-csi"
    )
    statements = role["Policies"][0]["PolicyDocument"]["Statement"]

    assert {resource for each in statements for resource in each["Resource"]} == {props().volumes_key_arn}
    assert role["ManagedPolicyArns"] == ["arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"]


def test_system_pools_may_be_several_and_addons_wait_for_all(template: Template) -> None:
    pools = (pool("system", "system"), pool("system-b", "system"), pool("driver", "driver"))
    resources = template(lambda stack: SparkCluster(stack, "Cluster", props(pools=pools)))
    (coredns,) = (each for each in resources.values() if each["Properties"].get("AddonName") == "coredns")
    waited = {
        resources[each]["Properties"]["Labels"]["moka.dev/pool"]
        for each in coredns["DependsOn"]
        if resources[each]["Type"] == "AWS::EKS::Nodegroup"
    }

    assert waited == {"system", "system-b"}


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"pools": (pool("driver", "driver"),)}, "NoSystemPool", "must hold a system pool, got none"),
        (
            {"pools": (pool("system", "system"), *(pool(f"p{number}", "driver", zones=6) for number in range(5)))},
            "TooManyGroups",
            r"at most 30 node groups, got 32 \(6 pools by zone\)",
        ),
        (
            {"node_security_group_ids": tuple(f"sg-{number}" for number in range(5))},
            "TooManySecurityGroups",
            "at most 4 groups beside the cluster's, got 5",
        ),
        (
            {"control_plane": control_plane(kubernetes_version="1.29")},
            "UnknownKubernetesVersion",
            r"must be one of 1\.34, 1\.35, 1\.36, got 1\.29",
        ),
        (
            {
                "control_plane": control_plane(
                    access=(
                        Access(
                            role_arn="arn:aws:iam::111111111111:role/A", policy="cluster-admin", namespaces=("team",)
                        ),
                    )
                )
            },
            "NoAdministrator",
            "must give one role cluster-admin on the whole cluster",
        ),
        (
            {"control_plane": control_plane(public_cidrs=("0.0.0.0/0",))},
            "OpenToTheWorld",
            r"must name networks, got 0\.0\.0\.0/0",
        ),
    ],
)
def test_fails_on_a_cluster_that_could_not_work(
    template: Template, changes: dict[str, Any], code: str, text: str
) -> None:
    with pytest.raises(PropsError, match=text) as error:
        template(lambda stack: SparkCluster(stack, "Cluster", props(**changes)))

    assert error.value.code == code
