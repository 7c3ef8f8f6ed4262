import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from moka_constructs import (
    AutoScalingTagger,
    AutoScalingTaggerProps,
    Location,
    NodePool,
    NodePoolContext,
    NodePoolProps,
    NodeSettings,
    NodeSubnet,
    NodeTaint,
    PropsError,
)
from moka_constructs.auto_scaling_tagger.handler import index

Template = Callable[[Callable[[Any], object]], dict[str, dict[str, Any]]]
OUTSIDE = Location(partition="aws", account="111111111111", region="us-east-1")
TEMPLATE = "k8s.io/cluster-autoscaler/node-template"


def node_pool(stack: Any, role: Any, **changes: Any) -> NodePool:
    context = NodePoolContext(
        cluster_name="moka-test-c",
        cluster_key="moka-test-c",
        kubernetes_version="1.35",
        node_role_arn="arn:aws:iam::111111111111:role/nodes",
        node_role_key="nodes",
        security_group_ids=("sg-1",),
        volumes_key_arn="arn:aws:kms:us-east-1:111111111111:key/2",
        tags={},
    )
    given: dict[str, Any] = {
        "name": role,
        "role": role,
        "instance_types": ("m8g.xlarge",),
        "architecture": "arm64",
        "settings": NodeSettings(operating_system="al2023", max_pods=32, vcpus=4, nvme_raid0=False),
        "subnets": {f"us-east-1{letter}": (NodeSubnet(id=f"subnet-{letter}", key=letter),) for letter in "ab"},
        "min_nodes_per_zone": 1,
        "max_nodes_per_zone": 2,
        "ami_release": "1.35.6-20260714",
    }
    return NodePool(stack, f"Pool{role.capitalize()}", context, NodePoolProps(**{**given, **changes}))


def tagger(stack: Any, *pools: NodePool, tags: Mapping[str, str] | None = None) -> AutoScalingTagger:
    return AutoScalingTagger(
        stack,
        "Tags",
        AutoScalingTaggerProps(
            name="moka-test-c-asg-tagger",
            location=OUTSIDE,
            cluster_name="moka-test-c",
            pools=pools,
            tags=tags if tags is not None else {"owner": "platform"},
            log_retention_days=30,
        ),
    )


def build(template: Template, *roles: str, **changes: Any) -> dict[str, dict[str, Any]]:
    return template(lambda stack: tagger(stack, *(node_pool(stack, role, **changes) for role in roles)))


def of_kind(resources: dict[str, dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = (each for each in resources.values() if each["Type"] == kind)
    return found


def groups(resources: dict[str, dict[str, Any]]) -> dict[str, dict[str, str]]:
    listed = json.loads(of_kind(resources, "Custom::MokaAutoScalingTags")["Properties"]["Groups"])
    return {each["name"]: each["tags"] for each in listed}


def test_the_groups_are_those_that_eks_makes(template: Template) -> None:
    resources = build(template, "system", "driver")
    named = {each["Properties"]["NodegroupName"] for each in resources.values() if "Nodegroup" in each["Type"]}

    assert set(groups(resources)) == named
    assert len(named) == 4


def test_the_autoscaler_learns_labels_taints_storage_and_idle_time(template: Template) -> None:
    resources = build(
        template,
        "driver",
        labels={"example.com/team": "ads"},
        taints=(NodeTaint(key="example.com/gpu", value="", effect="NoExecute"),),
        ephemeral_storage_gib=85,
        scale_down_unneeded_seconds=1800,
    )

    for tags in groups(resources).values():
        assert tags == {
            "owner": "platform",
            "moka.dev/cluster-autoscaler": "moka-test-c",
            f"{TEMPLATE}/label/example.com/team": "ads",
            f"{TEMPLATE}/label/moka.dev/pool": "driver",
            f"{TEMPLATE}/label/moka.dev/role": "driver",
            f"{TEMPLATE}/label/moka.dev/capacity": "on_demand",
            f"{TEMPLATE}/taint/moka.dev/role": "driver:NoSchedule",
            f"{TEMPLATE}/taint/example.com/gpu": ":NoExecute",
            f"{TEMPLATE}/resources/ephemeral-storage": "85Gi",
            f"{TEMPLATE}/autoscaling-options/scaledownunneededtime": "1800s",
        }


def test_a_system_group_is_never_the_autoscalers(template: Template) -> None:
    for tags in groups(build(template, "system")).values():
        assert tags == {"owner": "platform"}


def test_it_waits_for_every_group_and_gives_the_name_of_each(template: Template) -> None:
    places: list[tuple[str, str]] = []

    def make(stack: Any) -> None:
        from aws_cdk import CfnOutput

        made = tagger(stack, node_pool(stack, "driver"))
        places.extend(made.auto_scaling_groups)
        CfnOutput(stack, "Second", value=made.auto_scaling_groups["driver", "us-east-1b"])

    resources = template(make)
    node_groups = {key for key, each in resources.items() if each["Type"] == "AWS::EKS::Nodegroup"}

    assert node_groups <= set(of_kind(resources, "Custom::MokaAutoScalingTags")["DependsOn"])
    assert places == [("driver", "us-east-1a"), ("driver", "us-east-1b")]


def test_the_function_may_tag_this_clusters_groups_only(template: Template) -> None:
    role = of_kind(build(template, "driver"), "AWS::IAM::Role")["Properties"]
    statements = {each["Sid"]: each for each in role["Policies"][0]["PolicyDocument"]["Statement"]}

    assert statements["TagAutoScalingGroups"] == {
        "Sid": "TagAutoScalingGroups",
        "Effect": "Allow",
        "Action": [
            "autoscaling:CreateOrUpdateTags",
            "autoscaling:DeleteTags",
            "autoscaling:EnableMetricsCollection",
        ],
        "Resource": ["arn:aws:autoscaling:us-east-1:111111111111:autoScalingGroup:*:autoScalingGroupName/eks-*"],
        "Condition": {"StringEquals": {"aws:ResourceTag/eks:cluster-name": "moka-test-c"}},
    }
    assert statements["FindAutoScalingGroups"]["Resource"] == [
        "arn:aws:eks:us-east-1:111111111111:nodegroup/moka-test-c/*"
    ]
    assert "managed_policy_arns" not in role


def test_the_function_answers_before_cloudformation_gives_up_and_its_log_group_is_there_first(
    template: Template,
) -> None:
    resources = build(template, "driver")
    function = of_kind(resources, "AWS::Lambda::Function")
    log_group = next(key for key, each in resources.items() if each["Type"] == "AWS::Logs::LogGroup")

    assert (
        function["Properties"]["Timeout"]
        < of_kind(resources, "Custom::MokaAutoScalingTags")["Properties"]["ServiceTimeout"]
    )
    assert log_group in function["DependsOn"]
    assert resources[log_group]["Properties"] == {
        "LogGroupName": "/aws/lambda/moka-test-c-asg-tagger",
        "RetentionInDays": 30,
    }
    assert function["Properties"]["Handler"] == "index.handle"


def test_the_code_that_is_tested_is_the_code_that_is_deployed(template: Template) -> None:
    code = of_kind(build(template, "driver"), "AWS::Lambda::Function")["Properties"]["Code"]

    assert code == {"ZipFile": Path(index.__file__).read_text(encoding="utf-8")}


@pytest.mark.parametrize(
    ("labels", "tags", "code", "text"),
    [
        ({}, {f"tag{n}": "x" for n in range(40)}, "TooManyTags", r"at most 45 tags, got 47; drop tags or labels"),
        ({"a" * 90: "x"}, {}, "TagTooLong", r"at most 128 characters and its value 256, got .* \(136, 1\)"),
        ({}, {"owner": "x" * 257}, "TagTooLong", r"got owner \(5, 257\)"),
    ],
)
def test_fails_on_tags_that_auto_scaling_would_refuse(
    template: Template, labels: dict[str, str], tags: dict[str, str], code: str, text: str
) -> None:
    with pytest.raises(PropsError, match=text) as error:
        template(lambda stack: tagger(stack, node_pool(stack, "driver", labels=labels), tags=tags))

    assert error.value.code == code
