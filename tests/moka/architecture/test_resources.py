from __future__ import annotations

from typing import Any

import pytest

from moka.architecture.resources import Resource, Resources, keys, last_part, texts, written

from .conftest import Templates, made, ref, stacks_of


def resources_of(value: Any) -> tuple[Resources, Resource]:
    """Resource `data/R` holds the value; `cluster-c/Cluster` exports an attribute, `network/Vpc` itself."""
    templates: Templates = {
        "network": {"Vpc": made("EC2::VPC")},
        "cluster-c": {"Cluster": made("EKS::Cluster"), "Provider": made("IAM::OIDCProvider")},
        "data": {"Other": made("S3::Bucket"), "R": made("S3::Bucket", P=value)},
    }
    resources = Resources(stacks_of(templates))
    return resources, next(each for each in resources if each.key == "data/R")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (ref("Other"), "data/Other"),
        ({"Fn::GetAtt": ["Other", "Arn"]}, "data/Other"),
        ({"Fn::GetAtt": "Other.Arn"}, "data/Other"),
        ({"Fn::ImportValue": "demo-network:Vpc"}, "network/Vpc"),
        ({"Fn::ImportValue": "demo-cluster-c:Cluster"}, "cluster-c/Cluster"),
        (ref("Vpc"), None),  # of another stack
        (ref("AWS::Region"), None),
        ({"Fn::ImportValue": "demo-network:Nobody"}, None),
        ({"Fn::Join": ["", ["a"]]}, None),
        ("Other", None),
        (None, None),
    ],
)
def test_a_value_is_followed_to_the_resource_that_it_refers_to(value: Any, found: str | None) -> None:
    resources, holder = resources_of(value)
    target = resources.at(holder, holder.get("P"))

    assert (target.key if target else None) == found


def test_those_that_refer_to_a_resource_are_found_by_type_and_property() -> None:
    resources, holder = resources_of(ref("Other"))
    other = next(each for each in resources if each.key == "data/Other")

    assert resources.referring(other, ["AWS::S3::Bucket"], "P") == [holder]
    assert resources.referring(other, ["AWS::KMS::Key"], "P") == []
    assert resources.referring(other, ["AWS::S3::Bucket"], "Q") == []


def test_statistics_of_the_cdk_are_no_resource() -> None:
    resources = Resources(stacks_of({"data": {"CDKMetadata": {"Type": "AWS::CDK::Metadata"}, "B": made("S3::Bucket")}}))

    assert [each.key for each in resources] == ["data/B"]
    assert len(resources) == 1


@pytest.mark.parametrize(
    ("value", "name"),
    [("arn:aws:iam::1:role/team/Deployer", "Deployer"), (ref("Other"), "Other"), (ref("Nobody"), ""), (None, "")],
)
def test_a_role_is_named_by_its_arn_or_by_a_reference(value: Any, name: str) -> None:
    resources, holder = resources_of(value)

    assert resources.role_name(holder, holder.get("P")) == name


def test_a_missing_property_is_the_default_at_any_depth() -> None:
    _, holder = resources_of({"a": {"b": 0}})

    assert holder.get("P", "a", "b", default=7) == 0
    assert holder.get("P", "a", "c", default=7) == holder.get("P", "x", "y", default=7) == 7


@pytest.mark.parametrize(("value", "text"), [("sg-1", "sg-1"), (443, "443"), (ref("A"), None), (True, None)])
def test_only_what_is_written_out_is_an_id(value: Any, text: str | None) -> None:
    assert written(value) == text


def test_keys_come_once_and_without_what_is_not_there() -> None:
    resources, holder = resources_of("x")

    assert keys(holder, None, [holder, None], next(iter(resources))) == ("data/R", "network/Vpc")


def test_texts_are_found_at_any_depth() -> None:
    assert list(texts({"a": ["x", {"b": "y"}], "c": 1})) == ["x", "y"]


@pytest.mark.parametrize("arn", ["arn:aws:iam::1:role/team/Deployer", "arn:aws:sns:eu-west-1:1:Deployer", "Deployer"])
def test_the_last_part_of_an_arn_is_its_name(arn: str) -> None:
    assert last_part(arn) == "Deployer"
