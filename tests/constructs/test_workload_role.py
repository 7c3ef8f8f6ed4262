import json
from collections.abc import Callable
from typing import Any

import pytest

from moka_constructs import ClusterIdentity, Location, PropsError, ServiceAccount, WorkloadRole, WorkloadRoleProps

Template = Callable[[Callable[[Any], object]], dict[str, dict[str, Any]]]
Only = Callable[[dict[str, dict[str, Any]], str], dict[str, Any]]


def props(**changes: Any) -> WorkloadRoleProps:
    given: dict[str, Any] = {
        "role_name": "moka-test-c-x",
        "location": Location(partition="aws", account="111111111111", region="us-east-1"),
        "purpose": "Runs jobs",
        "cluster": ClusterIdentity(
            cluster_name="moka-test-c",
            cluster_arn="arn:aws:eks:us-east-1:111111111111:cluster/moka-test-c",
            oidc_provider_arn="arn:aws:iam::111111111111:oidc-provider/oidc.example.com/id/A",
            oidc_issuer="oidc.example.com/id/A",
        ),
        "service_account": ServiceAccount(namespace="spark-ads", name="spark"),
    }
    return WorkloadRoleProps(**{**given, **changes})


def test_irsa_trusts_one_service_account_by_exact_match(template: Template, only: Only) -> None:
    resources = template(lambda stack: WorkloadRole(stack, "Role", props()))
    text, values = only(resources, "AWS::IAM::Role")["Properties"]["AssumeRolePolicyDocument"]["Fn::Sub"]
    (statement,) = json.loads(text)["Statement"]

    assert set(statement["Condition"]) == {"StringEquals"}
    assert statement["Condition"]["StringEquals"]["${Issuer}:sub"] == "system:serviceaccount:spark-ads:spark"
    assert statement["Condition"]["StringEquals"]["${Issuer}:aud"] == "sts.amazonaws.com"
    assert values["Issuer"] == "oidc.example.com/id/A"
    assert (
        only(resources, "AWS::IAM::Role")["Properties"]["Description"]
        == "Runs jobs (pods of spark-ads/spark on moka-test-c)"
    )
    assert len(resources) == 1


def test_pod_identity_trusts_the_cluster_and_binds_the_service_account(template: Template, only: Only) -> None:
    resources = template(lambda stack: WorkloadRole(stack, "Role", props(mechanism="pod_identity")))
    (statement,) = only(resources, "AWS::IAM::Role")["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    association = only(resources, "AWS::EKS::PodIdentityAssociation")["Properties"]

    assert statement["Condition"]["ArnEquals"]["aws:SourceArn"].endswith(":cluster/moka-test-c")
    assert statement["Condition"]["StringEquals"] == {
        "aws:RequestTag/kubernetes-namespace": "spark-ads",
        "aws:RequestTag/kubernetes-service-account": "spark",
    }
    assert association["ClusterName"] == "moka-test-c"
    assert association["ServiceAccount"] == "spark"


def test_an_addon_binds_its_own_service_account(template: Template) -> None:
    given = props(mechanism="pod_identity", associate=False)

    kinds = [each["Type"] for each in template(lambda stack: WorkloadRole(stack, "Role", given)).values()]

    assert kinds == ["AWS::IAM::Role"]


@pytest.mark.parametrize("account", [("*", "spark"), ("spark-*", "spark"), ("spark-ads", "*")])
def test_fails_when_the_service_account_is_a_pattern(template: Template, account: tuple[str, str]) -> None:
    given = props(service_account=ServiceAccount(namespace=account[0], name=account[1]))

    with pytest.raises(PropsError, match="must name one account") as error:
        template(lambda stack: WorkloadRole(stack, "Role", given))

    assert error.value.code == "WildcardServiceAccount"
