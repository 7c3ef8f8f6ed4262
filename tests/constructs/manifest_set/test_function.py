from collections.abc import Callable
from typing import Any

from moka_constructs import Location, ManifestFunction, ManifestFunctionProps

Resources = dict[str, dict[str, Any]]
Template = Callable[[Callable[[Any], object]], Resources]
Only = Callable[[Resources, str], dict[str, Any]]


def props(**changes: Any) -> ManifestFunctionProps:
    given: dict[str, Any] = {
        "name": "moka-test-c-manifests",
        "location": Location(partition="aws", account="111111111111", region="us-east-1"),
        "cluster_name": "moka-test-c",
        "cluster_endpoint": "https://c.example.com",
        "cluster_ca": "Y2E=",
        "cluster_security_group_id": "sg-cluster",
        "vpc_id": "vpc-1",
        "subnet_ids": ("subnet-a", "subnet-b"),
        "image_repositories": ("arn:aws:ecr:us-east-1:111111111111:repository/moka-test/*",),
        "log_retention_days": 30,
    }
    return ManifestFunctionProps(**{**given, **changes})


def built(template: Template, **changes: Any) -> Resources:
    return template(lambda stack: ManifestFunction(stack, "Manifests", props(**changes)))


def statements(role: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["Sid"]: each for each in role["Policies"][0]["PolicyDocument"]["Statement"]}


def test_the_function_is_small_has_no_layer_and_knows_its_cluster(template: Template, only: Only) -> None:
    function = only(built(template), "AWS::Lambda::Function")["Properties"]

    assert (function["Runtime"], function["Handler"]) == ("python3.13", "handler.index.handle")
    assert "Layers" not in function
    assert function["MemorySize"] <= 512
    assert function["Environment"]["Variables"] == {
        "ACCOUNT": "111111111111",
        "CLUSTER_NAME": "moka-test-c",
        "CLUSTER_ENDPOINT": "https://c.example.com",
        "CLUSTER_CA": "Y2E=",
    }


def test_its_time_is_over_after_its_answer(template: Template, only: Only) -> None:
    from moka_constructs.manifest_set.handler.cloudformation import ANSWER_SECONDS
    from moka_constructs.manifest_set.resource import SERVICE_TIMEOUT_SECONDS

    function = only(built(template), "AWS::Lambda::Function")["Properties"]

    assert ANSWER_SECONDS == 12 * 60
    assert ANSWER_SECONDS < SERVICE_TIMEOUT_SECONDS < function["Timeout"] == 15 * 60


def test_it_runs_in_the_given_subnets_and_reaches_the_api_server(template: Template, only: Only) -> None:
    resources = built(template)
    function = only(resources, "AWS::Lambda::Function")["Properties"]
    (group,) = (key for key, each in resources.items() if each["Type"] == "AWS::EC2::SecurityGroup")
    into = only(resources, "AWS::EC2::SecurityGroupIngress")["Properties"]
    out = only(resources, "AWS::EC2::SecurityGroupEgress")["Properties"]
    own = {"Fn::GetAtt": [group, "GroupId"]}

    assert function["VpcConfig"] == {"SubnetIds": ["subnet-a", "subnet-b"], "SecurityGroupIds": [own]}
    assert (into["GroupId"], into["SourceSecurityGroupId"]) == ("sg-cluster", own)
    assert (into["FromPort"], into["ToPort"]) == (443, 443)
    assert (out["GroupId"], out["FromPort"], out["ToPort"]) == (own, 443, 443)
    assert resources[group]["Properties"]["SecurityGroupIngress"] == []


def test_it_is_the_clusters_administrator_by_an_access_entry_of_its_own(template: Template, only: Only) -> None:
    resources = built(template)
    entry = only(resources, "AWS::EKS::AccessEntry")["Properties"]
    (role,) = (key for key, each in resources.items() if each["Type"] == "AWS::IAM::Role")

    assert entry["PrincipalArn"] == {"Fn::GetAtt": [role, "Arn"]}
    assert entry["ClusterName"] == "moka-test-c"
    assert [each["PolicyArn"] for each in entry["AccessPolicies"]] == [
        "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
    ]


def test_its_role_reads_zips_of_the_bootstrap_bucket_looks_up_images_and_writes_its_log(
    template: Template, only: Only
) -> None:
    role = only(built(template), "AWS::IAM::Role")["Properties"]
    allowed = statements(role)

    assert set(allowed) == {"ReadBundles", "LookUpImages", "WriteLogs", "LetLambdaJoinTheNetwork", "Look"}
    assert allowed["ReadBundles"]["Action"] == ["s3:GetObject"]
    assert (
        allowed["ReadBundles"]["Resource"][0]["Fn::Sub"].endswith("/*.zip")
        if isinstance(allowed["ReadBundles"]["Resource"][0], dict)
        else allowed["ReadBundles"]["Resource"] == ["arn:aws:s3:::cdk-hnb659fds-assets-111111111111-us-east-1/*.zip"]
    )
    assert allowed["LookUpImages"]["Action"] == ["ecr:DescribeImages"]
    assert allowed["LookUpImages"]["Resource"] == ["arn:aws:ecr:us-east-1:111111111111:repository/moka-test/*"]
    assert allowed["WriteLogs"]["Resource"] == [
        "arn:aws:logs:us-east-1:111111111111:log-group:/aws/lambda/moka-test-c-manifests:*"
    ]
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": "lambda.amazonaws.com"}


def test_the_functions_code_may_not_use_what_lambda_needs_for_its_network(template: Template, only: Only) -> None:
    allowed = statements(only(built(template), "AWS::IAM::Role")["Properties"])

    assert allowed["LetLambdaJoinTheNetwork"]["Condition"] == {"Null": {"lambda:SourceFunctionArn": "true"}}
    # a subnet that another account shares has that account's ARN
    assert allowed["LetLambdaJoinTheNetwork"]["Resource"] == ["arn:aws:ec2:us-east-1:*:*/*"]
    assert allowed["Look"]["Action"] == ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"]


def test_without_repositories_of_the_account_it_may_ask_no_registry(template: Template, only: Only) -> None:
    allowed = statements(only(built(template, image_repositories=()), "AWS::IAM::Role")["Properties"])

    assert "LookUpImages" not in allowed


def test_its_log_group_is_there_first_and_forgets(template: Template, only: Only) -> None:
    resources = built(template)
    (group,) = (key for key, each in resources.items() if each["Type"] == "AWS::Logs::LogGroup")

    assert resources[group]["Properties"]["RetentionInDays"] == 30
    assert group in only(resources, "AWS::Lambda::Function")["DependsOn"]
