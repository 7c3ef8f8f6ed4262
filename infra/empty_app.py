"""The CDK app before any stack is in it: feature flags, where it writes, and what it leaves out.

It stands apart from `infra.app` because the CDK's own process takes a while to make an app, in which Python can load the stacks.
"""

import json
import os
from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk

CDK_JSON: Final = Path(__file__).parents[1] / "cdk.json"


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
