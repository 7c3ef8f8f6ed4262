import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from environments import environment_names, load, names
from environments.tenancy import DataGrant
from moka.assembly import SynthesizedStack

Stacks = dict[str, SynthesizedStack]
OfKind = Callable[[SynthesizedStack, str], list[dict[str, Any]]]


def roles(stack: SynthesizedStack) -> dict[str, dict[str, Any]]:
    """{role name: properties}."""
    return {
        resource["Properties"]["RoleName"]: resource["Properties"]
        for resource in stack.resources.values()
        if resource["Type"] == "AWS::IAM::Role"
    }


def statements(role: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["Sid"]: each for policy in role["Policies"] for each in policy["PolicyDocument"]["Statement"]}


def trust(role: dict[str, Any]) -> dict[str, Any]:
    """The one statement of a trust policy that is written as a string."""
    text, _ = role["AssumeRolePolicyDocument"]["Fn::Sub"]
    (statement,) = json.loads(text)["Statement"]
    found: dict[str, Any] = statement
    return found


def test_every_team_of_a_cluster_has_a_role_there_and_no_other_team(stacks: Stacks) -> None:
    for name in environment_names():
        environment = load(name)
        for cluster in environment.clusters:
            found = roles(stacks[f"{name}/platform-{cluster.name}"])
            workloads = [names.team_workload(team) for team in environment.teams_on(cluster)]
            workloads += ["history-server", "log-shipper", "cluster-autoscaler"]
            if environment.delivery.manifests == "manifest_set":
                workloads.append("manifests")
            if environment.archer.cluster == cluster.name:
                workloads += ["archer", "load-balancer-controller"]

            assert set(found) == {names.role(environment, cluster, workload) for workload in workloads}


def test_charts_compute_the_same_arn_as_the_role_gets(stacks: Stacks) -> None:
    environment = load("prod")
    cluster = environment.cluster("batch")
    role = roles(stacks["prod/platform-batch"])["moka-prod-batch-team-ads"]

    assert (
        names.role_arn(environment, cluster, "team-ads")
        == f"arn:aws:iam::111111111111:role{role['Path']}{role['RoleName']}"
    )


def test_a_teams_role_is_for_one_service_account_of_one_namespace_of_one_cluster(stacks: Stacks) -> None:
    role = roles(stacks["dev/platform-batch"])["moka-dev-batch-team-ads"]
    statement = trust(role)
    _, values = role["AssumeRolePolicyDocument"]["Fn::Sub"]

    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert statement["Principal"] == {"Federated": "${Provider}"}
    assert statement["Condition"] == {
        "StringEquals": {
            "${Issuer}:sub": "system:serviceaccount:spark-ads:spark",
            "${Issuer}:aud": "sts.amazonaws.com",
        }
    }
    assert set(values) == {"Provider", "Issuer"}
    assert "Fn::Split" in json.dumps(values["Issuer"])


def test_a_workload_with_an_override_uses_pod_identity_and_is_bound_to_its_service_account(
    stacks: Stacks, of_kind: OfKind
) -> None:
    assert load("prod").identity.overrides == {"archer": "pod_identity"}
    stack = stacks["prod/platform-batch"]
    role = roles(stack)["moka-prod-batch-archer"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    (association,) = of_kind(stack, "AWS::EKS::PodIdentityAssociation")

    assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert statement["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    assert statement["Condition"] == {
        "ArnEquals": {"aws:SourceArn": "arn:aws:eks:us-east-1:111111111111:cluster/moka-prod-batch"},
        "StringEquals": {
            "aws:RequestTag/kubernetes-namespace": "moka-system",
            "aws:RequestTag/kubernetes-service-account": "archer",
        },
    }
    assert (association["Namespace"], association["ServiceAccount"]) == ("moka-system", "archer")


def test_archer_may_ask_where_every_cluster_of_its_environment_is_and_no_other(stacks: Stacks) -> None:
    for name in environment_names():
        environment = load(name)
        host = environment.archer.cluster
        found = roles(stacks[f"{name}/platform-{host}"])[f"moka-{name}-{host}-archer"]
        allowed = statements(found)["FindClusters"]

        assert allowed["Action"] == ["eks:DescribeCluster"]
        place = f"arn:aws:eks:{environment.region}:{environment.account}:cluster"
        assert sorted(allowed["Resource"]) == sorted(
            f"{place}/{names.eks_cluster(environment, cluster)}" for cluster in environment.clusters
        )


def test_teams_reach_their_own_prefixes_and_no_other_teams(stacks: Stacks) -> None:
    environment = load("prod")
    found = roles(stacks["prod/platform-batch"])

    for team in environment.teams_on(environment.cluster("batch")):
        allowed = statements(found[f"moka-prod-batch-team-{team.name}"])
        staging = f"arn:aws:s3:::{names.bucket(environment, 'staging')}"
        artifacts = f"arn:aws:s3:::{names.bucket(environment, 'artifacts')}"

        assert allowed["WriteStaging"]["Resource"] == [f"{staging}/{team.name}/*"]
        assert allowed["ReadArtifacts"]["Resource"] == [f"{artifacts}/{team.name}/*"]
        assert allowed["ReadArtifacts"]["Action"] == ["s3:GetObject"]
        assert allowed["ListStaging"]["Condition"]["StringLike"]["s3:prefix"] == [team.name, f"{team.name}/*"]


def test_data_of_the_file_is_granted_as_written_with_its_key(stacks: Stacks) -> None:
    found = roles(stacks["prod/platform-batch"])
    ads = statements(found["moka-prod-batch-team-ads"])
    homefeed = statements(found["moka-prod-batch-team-homefeed"])

    assert ads["ReadData1"]["Action"] == ["s3:GetObject"]
    assert ads["ReadData1"]["Resource"] == ["arn:aws:s3:::example-ads-events/*"]
    assert ads["WriteData2"]["Resource"] == ["arn:aws:s3:::example-ads-models/training/*"]
    assert "s3:DeleteObject" in ads["WriteData2"]["Action"]
    assert homefeed["UseDataKey1"]["Resource"] == [
        "arn:aws:kms:us-east-1:333333333333:key/00000000-0000-4000-8000-00000000f001"
    ]
    assert homefeed["AssumeNamedRoles"]["Resource"] == ["arn:aws:iam::333333333333:role/FeedFeaturesWriter"]


def test_a_glue_catalog_gives_teams_their_databases_and_other_catalogs_give_nothing(stacks: Stacks) -> None:
    assert load("dev").catalog.kind == "glue"
    assert load("prod").catalog.kind == "hive"
    dev = statements(roles(stacks["dev/platform-batch"])["moka-dev-batch-team-ads"])
    resources = dev["UseGlueDatabases"]["Resource"]

    assert "arn:aws:glue:us-east-1:111111111111:database/ads_dev" in resources
    assert "arn:aws:glue:us-east-1:111111111111:table/ads_dev/*" in resources
    assert not any(resource.endswith(("database/*", "table/*")) for resource in resources)
    for role in roles(stacks["prod/platform-batch"]).values():
        assert not any("glue:" in action for each in statements(role).values() for action in each["Action"])


def test_the_history_server_only_reads_event_logs(stacks: Stacks) -> None:
    role = roles(stacks["dev/platform-batch"])["moka-dev-batch-history-server"]
    actions = {action for each in statements(role).values() for action in each["Action"]}

    assert actions == {"s3:ListBucket", "s3:GetObject", "kms:Decrypt"}
    assert trust(role)["Condition"]["StringEquals"]["${Issuer}:sub"] == (
        "system:serviceaccount:moka-system:history-server"
    )


def all_statements(stack: SynthesizedStack) -> Iterator[dict[str, Any]]:
    """Every statement that gives a role something, wherever it stands."""
    for resource in stack.resources.values():
        properties = resource.get("Properties", {})
        documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
        if resource["Type"] in {"AWS::IAM::RolePolicy", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"}:
            documents.append(properties["PolicyDocument"])
        for document in documents if resource["Type"].startswith("AWS::IAM::") else []:
            yield from document["Statement"]


def test_on_every_resource_roles_may_only_look_and_only_in_their_region(stacks: Stacks) -> None:
    seen = set()
    for path, stack in stacks.items():
        for statement in all_statements(stack):
            where = f"{path} {statement['Sid']}"
            assert not any(action.endswith(":*") or action == "*" for action in statement["Action"]), where
            if "*" not in statement["Resource"]:
                continue
            seen.add(statement["Sid"])
            verbs = {action.split(":")[1][:3] for action in statement["Action"]}
            assert verbs <= {"Des", "Get", "Lis"}, where
            region = load(path.split("/")[0]).region
            assert statement["Condition"] == {"StringEquals": {"aws:RequestedRegion": region}}, where
    assert seen == {"Look"}


LOOKS_OF_AUTOSCALER = {
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeAutoScalingInstances",
    "autoscaling:DescribeLaunchConfigurations",
    "autoscaling:DescribeScalingActivities",
    "ec2:DescribeImages",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeLaunchTemplateVersions",
    "ec2:GetInstanceTypesFromInstanceRequirements",
}
LOOKS_OF_CONTROLLER = {
    "ec2:DescribeAvailabilityZones",
    "ec2:DescribeInstances",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "elasticloadbalancing:DescribeTags",
    "elasticloadbalancing:DescribeTargetGroupAttributes",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
}
S3A_WRITES = {
    "s3:GetObject",
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
}


@pytest.mark.parametrize(
    ("workload", "allowed"),
    [
        (
            "cluster-autoscaler",
            {
                "Look": LOOKS_OF_AUTOSCALER,
                "LookAtNodeGroups": {"eks:DescribeNodegroup"},
                "ResizeOwnGroups": {
                    "autoscaling:SetDesiredCapacity",
                    "autoscaling:TerminateInstanceInAutoScalingGroup",
                },
            },
        ),
        (
            "load-balancer-controller",
            {
                "Look": LOOKS_OF_CONTROLLER,
                "RegisterArchersPods": {
                    "elasticloadbalancing:RegisterTargets",
                    "elasticloadbalancing:DeregisterTargets",
                },
            },
        ),
        (
            "log-shipper",
            {"AddContainerLogs": {"s3:PutObject"}, "UsePlatformKey": {"kms:Decrypt", "kms:GenerateDataKey"}},
        ),
        (
            "history-server",
            {
                "ListEventLogs": {"s3:ListBucket"},
                "ReadEventLogs": {"s3:GetObject"},
                "UsePlatformKey": {"kms:Decrypt"},
            },
        ),
        (
            "archer",
            {
                "FindClusters": {"eks:DescribeCluster"},
                "ListContainerLogs": {"s3:ListBucket"},
                "ReadContainerLogs": {"s3:GetObject"},
                "ListArtifacts": {"s3:ListBucket"},
                "SeeWhetherApplicationsExist": {"s3:GetObject"},
                "UsePlatformKey": {"kms:Decrypt"},
            },
        ),
        (
            "team-homefeed",
            {
                "ListEventLogs": {"s3:ListBucket"},
                "WriteEventLogs": S3A_WRITES - {"s3:DeleteObject"},
                "WriteEventLogsEndMarker": {"s3:DeleteObject"},
                "ListStaging": {"s3:ListBucket"},
                "WriteStaging": S3A_WRITES,
                "ListArtifacts": {"s3:ListBucket"},
                "ReadArtifacts": {"s3:GetObject"},
                "UsePlatformKey": {"kms:Decrypt", "kms:GenerateDataKey"},
                "ListData1": {"s3:ListBucket"},
                "WriteData1": S3A_WRITES,
                "UseDataKey1": {"kms:Decrypt", "kms:GenerateDataKey"},
                "AssumeNamedRoles": {"sts:AssumeRole"},
            },
        ),
    ],
)
def test_a_role_allows_these_calls_and_no_other(stacks: Stacks, workload: str, allowed: dict[str, set[str]]) -> None:
    role = roles(stacks["prod/platform-batch"])[f"moka-prod-batch-{workload}"]

    assert {sid: set(each["Action"]) for sid, each in statements(role).items()} == allowed
    assert {each["Effect"] for each in statements(role).values()} == {"Allow"}
    assert "ManagedPolicyArns" not in role or role["ManagedPolicyArns"] == []


def test_the_autoscaler_resizes_groups_of_its_own_cluster_only(stacks: Stacks) -> None:
    allowed = statements(roles(stacks["prod/platform-adhoc"])["moka-prod-adhoc-cluster-autoscaler"])
    resize = allowed["ResizeOwnGroups"]

    assert resize["Condition"] == {"StringEquals": {"aws:ResourceTag/moka.dev/cluster-autoscaler": "moka-prod-adhoc"}}
    assert allowed["LookAtNodeGroups"]["Resource"] == ["arn:aws:eks:us-east-1:111111111111:nodegroup/moka-prod-adhoc/*"]


def test_the_load_balancer_controller_binds_pods_to_archers_target_groups_and_changes_nothing_else(
    stacks: Stacks,
) -> None:
    allowed = statements(roles(stacks["prod/platform-batch"])["moka-prod-batch-load-balancer-controller"])
    writes = [each for sid, each in allowed.items() if sid != "Look"]

    assert "moka-prod-adhoc-load-balancer-controller" not in roles(stacks["prod/platform-adhoc"])
    (register,) = writes
    assert register["Resource"] == [
        f"arn:aws:elasticloadbalancing:us-east-1:111111111111:targetgroup/moka-prod-archer-{service}/*"
        for service in ("api", "livy", "history")
    ]


def test_the_log_shipper_adds_logs_and_reads_none(stacks: Stacks) -> None:
    role = roles(stacks["prod/platform-adhoc"])["moka-prod-adhoc-log-shipper"]
    allowed = statements(role)

    assert allowed["AddContainerLogs"]["Resource"] == [
        "arn:aws:s3:::moka-prod-container-logs-111111111111-us-east-1/logs/*"
    ]


def test_an_override_for_the_log_shipper_takes_effect(stacks: Stacks) -> None:
    assert load("staging").identity.overrides["log-shipper"] == "pod_identity"
    role = roles(stacks["staging/platform-batch"])["moka-staging-batch-log-shipper"]

    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": "pods.eks.amazonaws.com"}


def test_a_grant_of_a_whole_bucket_lists_all_of_it(dev_with: Callable[..., Stacks]) -> None:
    ads, *rest = load("dev").teams
    team = ads.model_copy(update={"data": (DataGrant(bucket="example-raw", access="read"),)})

    role = roles(dev_with(teams=(team, *rest))["dev/platform-batch"])["moka-dev-batch-team-ads"]

    assert "Condition" not in statements(role)["ListData1"]
    assert statements(role)["ListData1"]["Resource"] == ["arn:aws:s3:::example-raw"]
