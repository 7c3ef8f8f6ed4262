"""The CDK app before any stack is in it: feature flags, where it writes, and what it leaves out.

It stands apart from `infra.app` because the CDK's own process takes a while to make an app and to load the services' code, in which
Python can load the stacks.
"""

import json
import os
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk.region_info import RegionInfo

CDK_JSON: Final = Path(__file__).parents[1] / "cdk.json"
SERVICES: Final[Mapping[str, str]] = {
    "aws_ec2": "CfnVPC",
    "aws_iam": "CfnRole",
    "aws_logs": "CfnLogGroup",
    "aws_s3": "CfnBucket",
    "aws_kms": "CfnKey",
    "aws_eks_v2": "CfnCluster",
    "aws_rds": "CfnDBCluster",
    "aws_elasticloadbalancingv2": "CfnLoadBalancer",
}
"""{module: one of its resources}, of services that every environment has resources of."""


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
    """Return an empty app after the code of services has been loaded."""
    app = empty_app()
    load_services()
    return app


def load_services() -> tuple[str, ...]:
    """Make the CDK's process load the code of SERVICES, and return the types of their resources.

    It would load each at its first resource, and Python would wait. Whatever is not loaded here still is then.
    """
    RegionInfo.get("us-east-1")  # facts of regions are one more such part: files that a deploy copies need them
    return tuple(
        getattr(import_module(f"aws_cdk.{module}"), resource).CFN_RESOURCE_TYPE_NAME
        for module, resource in SERVICES.items()
    )
