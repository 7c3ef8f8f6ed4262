from collections.abc import Callable
from typing import Any

from moka_constructs import ArcherReach, ArcherReachProps, ReachedCluster

Template = Callable[[Callable[[Any], object]], dict[str, dict[str, Any]]]
ROLE = "arn:aws:iam::111111111111:role/moka-prod-batch-archer"


def build(template: Template, *pods: str) -> dict[str, dict[str, Any]]:
    props = ArcherReachProps(
        role_arn=ROLE,
        kubernetes_group="moka:archer",
        host="batch",
        clusters={
            "batch": ReachedCluster(name="moka-prod-batch", security_group_id="sg-batch"),
            "adhoc": ReachedCluster(name="moka-prod-adhoc", security_group_id="sg-adhoc"),
        },
        pod_security_group_ids=pods,
        pod_ports=(8080,),
    )
    return template(lambda stack: ArcherReach(stack, "Reach", props))


def rules(resources: dict[str, dict[str, Any]]) -> set[tuple[str, str, str, int]]:
    """{(into, from, protocol, port)}."""
    return {
        (each["GroupId"], each["SourceSecurityGroupId"], each["IpProtocol"], each["FromPort"])
        for each in (resource["Properties"] for resource in resources.values())
        if "SourceSecurityGroupId" in each
    }


def test_archer_gets_into_every_cluster_as_a_group_without_a_policy(template: Template) -> None:
    entries = [each["Properties"] for each in build(template).values() if each["Type"] == "AWS::EKS::AccessEntry"]

    assert {each["ClusterName"] for each in entries} == {"moka-prod-batch", "moka-prod-adhoc"}
    for each in entries:
        assert each["PrincipalArn"] == ROLE
        assert each["KubernetesGroups"] == ["moka:archer"]
        assert each["Type"] == "STANDARD"
        assert "AccessPolicies" not in each


def test_the_other_clusters_admit_the_hosts_nodes_on_https(template: Template) -> None:
    assert rules(build(template)) == {("sg-adhoc", "sg-batch", "tcp", 443)}


def test_pods_with_groups_of_their_own_are_admitted_instead_of_nodes(template: Template) -> None:
    assert rules(build(template, "sg-pods")) == {
        ("sg-batch", "sg-pods", "tcp", 443),
        ("sg-adhoc", "sg-pods", "tcp", 443),
        ("sg-batch", "sg-pods", "tcp", 53),
        ("sg-batch", "sg-pods", "udp", 53),
        ("sg-pods", "sg-batch", "tcp", 8080),
    }
