from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from moka.architecture.environment import Architecture

from .conftest import Templates, made, ref

Read = Callable[[Templates], Architecture]


def test_node_groups_have_pool_zone_capacity_bounds_types_and_volume(demo: Templates, read: Read) -> None:
    (found,) = read(demo).clusters

    assert found.pools == ("driver", "executor")
    assert [(g.pool, g.zone, g.spot, g.min_nodes, g.max_nodes, g.volume) for g in found.node_groups] == [
        ("driver", "eu-west-1a", False, 1, 9, "80 GiB gp3"),
        ("driver", "eu-west-1b", False, 1, 9, ""),
        ("executor", "eu-west-1a", True, 1, 9, ""),
    ]
    assert found.node_groups[2].instance_types == ("r8gd.4xlarge", "r7gd.4xlarge")


def test_a_group_without_label_or_known_subnet_is_placed_by_its_name(demo: Templates, read: Read) -> None:
    properties = demo["cluster-c"]["DriverA"]["Properties"]
    properties["Subnets"] = ["subnet-001"]
    del properties["Labels"]

    group = read(demo).clusters[0].node_groups[0]
    assert (group.pool, group.zone) == ("driver", "eu-west-1a")


def test_the_control_plane_is_told_in_facts(demo: Templates, read: Read) -> None:
    (found,) = read(demo).clusters

    assert (found.name, found.version) == ("demo-c", "1.35")
    assert [fact.text for fact in found.facts] == ["private API", "1 add-on", "1 access entry", "own key for secrets"]
    assert [fact.tip for fact in found.facts if fact.tip] == ["coredns v1", "Admin"]


def test_who_has_access_is_named_also_by_a_role_of_the_templates(demo: Templates, read: Read) -> None:
    entry = demo["cluster-c"]["Admin"]["Properties"]
    demo["cluster-c"]["Deployer"] = made("IAM::Role", RoleName="demo-deployer")
    demo["cluster-c"]["More"] = made(
        "EKS::AccessEntry", **{**entry, "PrincipalArn": {"Fn::GetAtt": ["Deployer", "Arn"]}}
    )

    assert [(fact.text, fact.tip) for fact in read(demo).clusters[0].facts if "access" in fact.text] == [
        ("2 access entries", "Admin, demo-deployer")
    ]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"ResourcesVpcConfig": {"EndpointPublicAccess": True}}, "public API"),
        ({"EncryptionConfig": [{"Provider": {"KeyArn": "arn:aws:kms:x"}}]}, "existing key for secrets"),
        ({"DeletionProtection": True}, "protected from deletion"),
        ({"ControlPlaneScalingConfig": {"Tier": "tier-xl"}}, "control plane tier-xl"),
    ],
)
def test_what_differs_is_said(changed: dict[str, Any], said: str, demo: Templates, read: Read) -> None:
    assert said not in [fact.text for fact in read(demo).clusters[0].facts]

    demo["cluster-c"]["Cluster"]["Properties"].update(changed)
    assert said in [fact.text for fact in read(demo).clusters[0].facts]


def test_pods_with_a_role_come_from_trust_policies_and_pod_identity(demo: Templates, read: Read) -> None:
    demo["platform-c"]["Shipper"] = made("IAM::Role", RoleName="demo-c-shipper")
    demo["platform-c"]["Link"] = made(
        "EKS::PodIdentityAssociation",
        ClusterName={"Fn::ImportValue": "demo-cluster-c:Cluster"},
        Namespace="moka-system",
        ServiceAccount="log-shipper",
        RoleArn={"Fn::GetAtt": ["Shipper", "Arn"]},
    )
    demo["cluster-c"]["Csi"] = made("IAM::Role", RoleName="demo-c-csi")
    demo["cluster-c"]["Dns"]["Properties"]["PodIdentityAssociations"] = [
        {"ServiceAccount": "csi", "RoleArn": {"Fn::GetAtt": ["Csi", "Arn"]}}
    ]
    (found,) = read(demo).clusters

    assert [(each.namespace, each.account, each.role, each.mechanism) for each in found.workloads] == [
        ("moka-system", "archer", "demo-c-archer", "IRSA"),
        ("spark-ads", "spark", "demo-c-team", "IRSA"),
        ("moka-system", "log-shipper", "demo-c-shipper", "Pod Identity"),
        ("kube-system", "csi", "demo-c-csi", "Pod Identity"),
    ]


def test_a_role_that_trusts_another_clusters_pods_is_not_this_clusters(demo: Templates, read: Read) -> None:
    other = {"Cluster": made("EKS::Cluster", Name="demo-d"), "P": made("IAM::OIDCProvider", Url=ref("Cluster"))}
    first, second = read({**demo, "cluster-d": other}).clusters

    assert len(first.workloads) == 2
    assert (second.workloads, second.node_groups) == ((), ())
