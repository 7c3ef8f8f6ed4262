"""The rules that the CDK itself has for templates, run over every stack as CI and a deploy run them: as errors."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from aws_cdk import CfnResource
from constructs import Construct

from environments import environment_names, load, load_all
from infra.app import build_app


def violations(folder: Path) -> Iterator[dict[str, Any]]:
    report = json.loads((folder / "validation-report.json").read_text())
    for plugin in report["pluginReports"]:
        yield from plugin["violations"]


def test_no_template_of_any_environment_breaks_a_rule(tmp_path: Path) -> None:
    build_app(load_all(environment_names()), outdir=str(tmp_path)).synth()

    assert list(violations(tmp_path)) == []


def test_a_broken_rule_fails_the_synth(tmp_path: Path) -> None:
    app = build_app([load("test")], outdir=str(tmp_path))
    stack = app.node.find_child("test").node.find_child("data")
    CfnResource(cast(Construct, stack), "Planted", type="AWS::S3::Bucket", properties={"BucketNmae": "typo"})

    with pytest.raises(Exception, match="BucketNmae"):
        app.synth()


def test_what_is_acknowledged_has_a_reason(tmp_path: Path) -> None:
    build_app([load("dev")], outdir=str(tmp_path)).synth()

    report = json.loads((tmp_path / "validation-report.json").read_text())
    suppressed = [each for plugin in report["pluginReports"] for each in plugin["suppressedViolations"]]

    assert {each["ruleName"] for each in suppressed} == {"W3010"}
    assert all(len(each["reason"]) > 20 for each in suppressed)
