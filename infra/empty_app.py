"""The CDK app before any stack is in it: feature flags, where it writes, and what it leaves out.

It stands apart from `infra.app` because the CDK's own process takes a while to make an app and to load the services' code, in which
Python can load the stacks.
"""

import json
import os
from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk
import jsii
from aws_cdk.region_info import RegionInfo

if __debug__:
    import typeguard  # noqa: F401 - jsii would load it at its first check of an argument

CDK_JSON: Final = Path(__file__).parents[1] / "cdk.json"
SERVICES: Final = (
    "aws_ec2.CfnVPC",
    "aws_iam.CfnRole",
    "aws_logs.CfnLogGroup",
    "aws_s3.CfnBucket",
    "aws_kms.CfnKey",
    "aws_eks_v2.CfnCluster",
    "aws_rds.CfnDBCluster",
    "aws_elasticloadbalancingv2.CfnLoadBalancer",
)
"""A resource of each service that every environment has resources of."""


def feature_flags() -> dict[str, Any]:
    """Return the context of cdk.json, so that a synth without the CDK CLI makes the same templates as one with it."""
    flags: dict[str, Any] = json.loads(CDK_JSON.read_text(encoding="utf-8"))["context"]
    return flags


def empty_app(*, outdir: str | None = None, validate: bool = True) -> cdk.App:
    """Return an app that `synth()` writes to `outdir`, by default where the CLI says.

    `validate` runs the CDK's template rules, whose findings are errors; CDK_VALIDATION=false turns them off as well.
    """
    return cdk.App(
        outdir=outdir or os.environ.get("CDK_OUTDIR", "cdk.out"),
        context=feature_flags(),
        # no metadata resource, tree file or stack traces: they cost time and say nothing that the templates do not
        analytics_reporting=False,
        tree_metadata=False,
        stack_traces=False,
        builtin_cloud_formation_validation=validate,
    )


def app_and_services() -> cdk.App:
    """Return an empty app after the code of services has been loaded.

    Nothing in it imports a module, because another thread imports the stacks meanwhile: two that import modules which need each
    other can get half of one.
    """
    app = empty_app()
    load_services()
    return app


def load_services() -> tuple[str, ...]:
    """Make the CDK's process load the code of SERVICES, and return the types of their resources.

    It would load each at its first resource, and Python would wait. Whatever is not loaded here still is then.
    """
    RegionInfo.get("us-east-1")  # facts of regions are one more such part: files that a deploy copies need them
    return tuple(jsii.sget(_Named(f"aws-cdk-lib.{name}"), "CFN_RESOURCE_TYPE_NAME") for name in SERVICES)


class _Named:
    """As much of a class as jsii reads to ask for what is static in it."""

    def __init__(self, name: str) -> None:
        self.__jsii_type__ = name
