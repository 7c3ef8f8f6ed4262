from collections.abc import Callable
from typing import Any

from moka_constructs import Access, ControlPlane, ControlPlaneProps, Location
from moka_constructs.control_plane import pascal

Template = Callable[[Callable[[Any], object]], dict[str, dict[str, Any]]]
Only = Callable[[dict[str, dict[str, Any]], str], dict[str, Any]]

SSO = "arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef"


def props(**changes: Any) -> ControlPlaneProps:
    given: dict[str, Any] = {
        "cluster_name": "moka-test-c",
        "location": Location(partition="aws-cn", account="111111111111", region="cn-north-1"),
        "kubernetes_version": "1.36",
        "role_arn": "arn:aws:iam::111111111111:role/control-plane",
        "vpc_id": "vpc-1",
        "subnet_ids": ("subnet-1", "subnet-2"),
        "secrets_key_arn": "arn:aws:kms:us-east-1:111111111111:key/1",
        "access": (Access(role_arn=SSO, policy="cluster-admin"),),
    }
    return ControlPlaneProps(**{**given, **changes})


def test_minimal_props_give_a_private_cluster_with_all_logs(template: Template, only: Only) -> None:
    resources = template(lambda stack: ControlPlane(stack, "ControlPlane", props()))
    cluster = only(resources, "AWS::EKS::Cluster")["Properties"]

    assert cluster["ResourcesVpcConfig"]["EndpointPublicAccess"] is False
    assert len(cluster["Logging"]["ClusterLogging"]["EnabledTypes"]) == 5
    assert cluster["UpgradePolicy"] == {"SupportType": "STANDARD"}


def test_nobody_outside_the_nodes_reaches_the_api_server_by_default(template: Template, only: Only) -> None:
    resources = template(lambda stack: ControlPlane(stack, "ControlPlane", props()))
    group = only(resources, "AWS::EC2::SecurityGroup")["Properties"]

    assert not group.get("SecurityGroupIngress")
    assert [rule["CidrIp"] for rule in group["SecurityGroupEgress"]] == ["255.255.255.255/32"]


def test_access_policies_belong_to_the_partition_and_roles_keep_their_path(template: Template, only: Only) -> None:
    resources = template(lambda stack: ControlPlane(stack, "ControlPlane", props()))
    entry = only(resources, "AWS::EKS::AccessEntry")["Properties"]

    assert entry["PrincipalArn"] == SSO
    assert entry["AccessPolicies"][0]["PolicyArn"].startswith("arn:aws-cn:eks::aws:cluster-access-policy/")


def test_the_oidc_provider_is_the_clusters_issuer_for_sts(template: Template, only: Only) -> None:
    resources = template(lambda stack: ControlPlane(stack, "ControlPlane", props()))
    provider = only(resources, "AWS::IAM::OIDCProvider")["Properties"]

    assert provider["ClientIdList"] == ["sts.amazonaws.com"]
    assert provider["Url"]["Fn::GetAtt"][1] == "OpenIdConnectIssuerUrl"


def test_ids_are_made_of_letters_and_digits() -> None:
    assert pascal("aws-reserved/sso.amazonaws.com/Admin_1") == "AwsReservedSsoAmazonawsComAdmin1"
