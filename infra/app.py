"""The CDK app with its environments: one stage for each."""

from collections.abc import Sequence

import aws_cdk as cdk

from environments import Environment
from infra.bundles import BundleError, Bundles
from infra.empty_app import empty_app
from infra.stage import EnvironmentStage
from moka_constructs import PropsError


def build_app(environments: Sequence[Environment], *, outdir: str | None = None, validate: bool = True) -> cdk.App:
    """Return an app with a stage per environment; `outdir` and `validate` as in `empty_app`.

    Raises BundleError when an environment's manifests cannot be rendered.
    """
    bundles = Bundles()
    bundles.prepare(environments)
    return fill(empty_app(outdir=outdir, validate=validate), environments, bundles)


def fill(app: cdk.App, environments: Sequence[Environment], bundles: Bundles) -> cdk.App:
    """Return `app` with a stage per environment; `bundles` has the rendered manifests, perhaps still on their way.

    Raises BundleError when there are none.
    """
    for environment in environments:
        EnvironmentStage(app, environment, bundles.of(environment))
    return app


__all__ = ["BundleError", "PropsError", "build_app", "fill"]
