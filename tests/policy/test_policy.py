"""The command; that the tools find nothing but what is accepted is what `make policy` says, which the CI runs."""

import json
from pathlib import Path

import pytest

from policy import __main__ as policy
from policy import tools
from policy.findings import Finding
from policy.tools import ToolError, cdk_nag, cfn_lint

REASON = "Planted for a test, to be accepted where it is."
BUCKET = Finding(tool="cdk-nag", id="AwsSolutions-S1", path="dev/data/Logs/Resource", text="no access logs")


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    """What the tools find: the test plants it."""
    planted: list[Finding] = []
    monkeypatch.setattr(policy, "look", lambda *_: (planted, 7))
    return planted


def accept(folder: Path, *paths: str) -> list[str]:
    file = folder / "suppressions.yaml"
    entries = [{"tool": "cdk-nag", "id": "AwsSolutions-S1", "path": path, "reason": REASON} for path in paths]
    file.write_text(json.dumps(entries), encoding="utf-8")
    return ["--suppressions", str(file)]


def test_what_is_accepted_passes_and_is_counted(
    found: list[Finding], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found.append(BUCKET)

    assert policy.main(accept(tmp_path, "dev/data/*")) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["cdk-nag", "7", "1", "1", "0"]


def test_a_finding_that_nothing_accepts_fails_and_says_what_to_do(
    found: list[Finding], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found.append(BUCKET)

    assert policy.main(accept(tmp_path)) == 1
    said = capsys.readouterr()
    assert said.out.splitlines()[1].split() == ["cdk-nag", "7", "1", "0", "1"]
    assert said.err == (
        "cdk-nag AwsSolutions-S1 dev/data/Logs/Resource: no access logs; "
        "mend it, or add it to policy/suppressions.yaml with a reason\n"
    )


def test_an_entry_that_accepts_nothing_fails_where_all_environments_were_looked_at(
    found: list[Finding], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found.append(BUCKET)
    arguments = accept(tmp_path, "dev/data/*", "prod/data/*")

    assert policy.main(arguments) == 1
    assert (
        "suppression cdk-nag AwsSolutions-S1 prod/data/* accepts nothing any more; remove it" in capsys.readouterr().err
    )
    assert policy.main([*arguments, "dev"]) == 0


@pytest.mark.usefixtures("found")
def test_an_unknown_environment_and_a_bad_file_are_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert policy.main(["prodd", *accept(tmp_path)]) == 2
    assert "prodd" in capsys.readouterr().err
    assert policy.main(["--suppressions", str(tmp_path / "none.yaml")]) == 2
    assert "none.yaml" in capsys.readouterr().err


def test_cfn_lint_finds_a_planted_error_at_its_logical_id(tmp_path: Path) -> None:
    template = tmp_path / "planted.template.json"
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketNames": "x"}}
    template.write_text(json.dumps({"Resources": {"Planted": bucket}}), encoding="utf-8")

    (error,) = cfn_lint({template: "dev/data"}, "us-east-1")

    assert (error.tool, error.id, error.path) == ("cfn-lint", "E3002", "dev/data/Planted")


def test_cdk_nags_report_is_read_per_rule_and_construct(tmp_path: Path) -> None:
    violation = {
        "ruleName": "AwsSolutions-S1",
        "description": "no access logs",
        "violatingConstructs": [
            {"constructPath": "dev/data/Logs/Resource"},
            {"constructPath": "dev/data/Other/Resource"},
        ],
    }
    pack = {"pluginName": "cdk-nag-AwsSolutions", "violations": [violation]}
    (tmp_path / "validation-report.json").write_text(json.dumps({"pluginReports": [pack]}), encoding="utf-8")

    assert [each.path for each in cdk_nag(tmp_path)] == ["dev/data/Logs/Resource", "dev/data/Other/Resource"]


def test_a_tool_that_is_not_there_or_says_nothing_readable_is_no_clean_bill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "CHECKOV", tmp_path / "checkov")
    with pytest.raises(ToolError, match="make policy"):
        tools.checkov(tmp_path, {})

    for answer in ("exit 3", "echo oops", "echo '{\"resource_count\": 0}'"):
        (tmp_path / "checkov").write_text(f"#!/bin/sh\n{answer}\n", encoding="utf-8")
        (tmp_path / "checkov").chmod(0o755)
        with pytest.raises(ToolError, match="checkov"):
            tools.checkov(tmp_path, {})


def test_a_synth_that_fails_is_an_error_and_no_clean_bill(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="the synth ended with 1"):
        tools.synthesise(tmp_path / "assembly", ["no-such-environment"])
