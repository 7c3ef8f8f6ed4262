"""A stack to try a construct in, and its template as CloudFormation would get it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import infra  # noqa: F401 - names the Node before aws_cdk is imported

Build = Callable[[Any], object]
"""Makes constructs in the stack that it is given."""


@pytest.fixture
def template(tmp_path: Path) -> Callable[[Build], dict[str, dict[str, Any]]]:
    """`template(lambda stack: Foo(stack, "Foo", props))` returns the resources, {logical id: resource}."""
    import aws_cdk as cdk

    def synthesise(build: Build) -> dict[str, dict[str, Any]]:
        app = cdk.App(
            outdir=str(tmp_path / "assembly"), analytics_reporting=False, builtin_cloud_formation_validation=False
        )
        stack = cdk.Stack(app, "Test", env=cdk.Environment(account="111111111111", region="us-east-1"))
        build(stack)
        app.synth()
        found = json.loads((tmp_path / "assembly" / "Test.template.json").read_text())
        resources: dict[str, dict[str, Any]] = found.get("Resources", {})
        return resources

    return synthesise


@pytest.fixture
def only() -> Callable[[dict[str, dict[str, Any]], str], dict[str, Any]]:
    """`only(resources, "AWS::S3::Bucket")` returns the one resource of a kind, whole."""

    def find(resources: dict[str, dict[str, Any]], kind: str) -> dict[str, Any]:
        (found,) = (resource for resource in resources.values() if resource["Type"] == kind)
        return found

    return find
