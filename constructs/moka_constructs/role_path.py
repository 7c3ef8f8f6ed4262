"""Puts one IAM path on every role below a scope, roles that CDK makes for itself included.

It looks at what is there when it is called, so it is called last. An aspect would look at every construct, each look a
call from the CDK's process into this one: most of a second for a large environment. The permissions boundary needs
neither: `Stage(permissions_boundary=…)` is an aspect on the other side.
"""

from typing import cast

from aws_cdk import CfnResource, ConstructSelector, Mixins
from constructs import IConstruct


def set_role_path(scope: IConstruct, path: str) -> None:
    """Set `Path` on every AWS::IAM::Role that exists below `scope`; a path given before is overruled."""
    roles = Mixins.of(scope, ConstructSelector.resources_of_type("AWS::IAM::Role")).selected_constructs
    for role in roles:
        cast(CfnResource, role).add_property_override("Path", path)
