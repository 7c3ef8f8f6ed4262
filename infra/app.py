"""The CDK app: feature flags, which environments to synthesise, one stage for each."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aws_cdk as cdk

from environments import Environment
from infra.bundles import BundleError, Bundles
from infra.stage import EnvironmentStage
from moka_constructs import PropsError

CDK_JSON = Path(__file__).parents[1] / "cdk.json"


def feature_flags() -> dict[str, Any]:
    """Return the context of cdk.json, so that a synth without the CDK CLI makes the same templates as one with it."""
    flags: dict[str, Any] = json.loads(CDK_JSON.read_text(encoding="utf-8"))["context"]
    return flags


def build_app(
    environments: Sequence[Environment],
    *,
    outdir: str | None = None,
    validate: bool = True,
    bundles: Bundles | None = None,
) -> cdk.App:
    """Return an app with a stage per environment, written to `outdir` by `synth()`; by default where the CLI says.

    `validate` runs the CDK's template rules, whose findings are errors; CDK_VALIDATION=false turns them off as well.
    `bundles` has the rendered manifests, perhaps already on their way. Raises BundleError when there are none.
    """
    rendered = bundles or Bundles()
    rendered.prepare(environments)
    app = cdk.App(
        outdir=outdir or os.environ.get("CDK_OUTDIR", "cdk.out"),
        context=feature_flags(),
        # no metadata resource, tree file or stack traces: they cost time and say nothing that the templates do not
        analytics_reporting=False,
        tree_metadata=False,
        stack_traces=False,
        builtin_cloud_formation_validation=validate,
    )
    for environment in environments:
        EnvironmentStage(app, environment, rendered.of(environment))
    return app


__all__ = ["BundleError", "PropsError", "build_app", "feature_flags"]
