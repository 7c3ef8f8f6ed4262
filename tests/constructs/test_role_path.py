from collections.abc import Callable
from typing import Any

from moka_constructs import set_role_path

Template = Callable[[Callable[[Any], object]], dict[str, dict[str, Any]]]


def test_roles_that_the_cdk_makes_get_the_path_too_and_nothing_else_does(template: Template) -> None:
    import aws_cdk as cdk
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_s3 as s3

    def build(stack: Any) -> None:
        iam.CfnRole(stack, "Own", assume_role_policy_document={}, path="/wrong/")
        # brings a Lambda function of the CDK's with a role that no prop of ours reaches
        s3.Bucket(stack, "Bucket", removal_policy=cdk.RemovalPolicy.DESTROY, auto_delete_objects=True)
        set_role_path(stack, "/platform/")

    resources = template(build)
    roles = {key: each for key, each in resources.items() if each["Type"] == "AWS::IAM::Role"}

    assert len(roles) == 2
    assert {each["Properties"]["Path"] for each in roles.values()} == {"/platform/"}
    assert not [each for key, each in resources.items() if key not in roles and "Path" in each.get("Properties", {})]
