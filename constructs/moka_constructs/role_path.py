"""Puts one IAM path on every role below a scope, roles that CDK makes for itself included.

The permissions boundary needs no aspect: `Stage(permissions_boundary=…)` does the same for it.
"""

import jsii
from aws_cdk import IAspect
from aws_cdk import aws_iam as iam
from constructs import IConstruct


@jsii.implements(IAspect)
class RolePath:
    """An aspect that sets `Path` on AWS::IAM::Role."""

    def __init__(self, path: str) -> None:
        self._path = path

    def visit(self, node: IConstruct) -> None:
        """Set the path when `node` is a role."""
        if getattr(node, "cfn_resource_type", None) == iam.CfnRole.CFN_RESOURCE_TYPE_NAME:
            node.add_property_override("Path", self._path)  # type: ignore[attr-defined]  # a CfnResource, by its type name
