from collections.abc import Callable
from typing import Any

from moka_constructs import EncryptionKey, EncryptionKeyProps, Location

Template = Callable[[Callable[[Any], object]], dict[str, dict[str, Any]]]
Only = Callable[[dict[str, dict[str, Any]], str], dict[str, Any]]


def props(**changes: Any) -> EncryptionKeyProps:
    given: dict[str, Any] = {
        "alias": "moka-test-data",
        "description": "Test",
        "location": Location(partition="aws-us-gov", account="111111111111", region="us-gov-west-1"),
        "retain": True,
    }
    return EncryptionKeyProps(**{**given, **changes})


def test_minimal_props_give_a_rotating_key_that_the_accounts_policies_govern(template: Template, only: Only) -> None:
    resources = template(lambda stack: EncryptionKey(stack, "Key", props()))
    key = only(resources, "AWS::KMS::Key")
    (statement,) = key["Properties"]["KeyPolicy"]["Statement"]

    assert key["Properties"]["EnableKeyRotation"] is True
    assert key["DeletionPolicy"] == "Retain"
    assert statement["Principal"] == {"AWS": "arn:aws-us-gov:iam::111111111111:root"}
    assert only(resources, "AWS::KMS::Alias")["Properties"]["AliasName"] == "alias/moka-test-data"


def test_auto_scaling_is_admitted_by_its_service_linked_role(template: Template, only: Only) -> None:
    key = only(template(lambda stack: EncryptionKey(stack, "Key", props(for_auto_scaling=True))), "AWS::KMS::Key")
    principals = {each["Sid"]: each["Principal"] for each in key["Properties"]["KeyPolicy"]["Statement"]}
    role = "role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"

    assert principals["AutoScalingUsesTheKey"] == {"AWS": f"arn:aws-us-gov:iam::111111111111:{role}"}
    assert principals["AutoScalingGrantsToEc2"] == principals["AutoScalingUsesTheKey"]
