"""Runs each tool over a synthesised assembly and returns what it found. Refuses a tool that ran and says nothing readable."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from policy.findings import Finding

ROOT: Final = Path(__file__).parents[1]
CFN_LINT: Final = Path(sys.executable).with_name("cfn-lint")
CHECKOV: Final = ROOT / ".venv-checkov" / "bin" / "checkov"


class ToolError(Exception):
    """A tool failed, or is not there."""


def synthesise(assembly: Path, environments: Sequence[str]) -> None:
    """Write the assembly of `environments` with cdk-nag's report in it."""
    command = [sys.executable, "-m", "policy.nagged_synth", str(assembly), *environments]
    # in a process of its own: Node prints every finding, and only the end of a broken synth is of use
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode != 0:
        raise ToolError(f"the synth ended with {done.returncode}: {done.stderr[-2000:]}")


def cdk_nag(assembly: Path) -> list[Finding]:
    """Return what cdk-nag wrote into the assembly's validation report during the synth."""
    report = json.loads((assembly / "validation-report.json").read_text(encoding="utf-8"))
    (pack,) = (each for each in report["pluginReports"] if "AwsSolutions" in each["pluginName"])
    return [
        Finding(
            tool="cdk-nag", id=violation["ruleName"], path=construct["constructPath"], text=violation["description"]
        )
        for violation in pack["violations"]
        for construct in violation["violatingConstructs"]
    ]


def cfn_lint(templates: Mapping[Path, str], region: str) -> list[Finding]:
    """Return what cfn-lint finds in `templates`, {file: <environment>/<stack>}, which are deployed to `region`."""
    command = [str(CFN_LINT), "--non-zero-exit-code", "none", "--regions", region, "--format", "json", "--"]
    found = _json([*command, *map(str, templates)])
    return [
        Finding(
            tool="cfn-lint",
            id=each["Rule"]["Id"],
            path=f"{templates[Path(each['Filename'])]}/{_place(each)}",
            text=each["Message"],
        )
        for each in found
    ]


def _place(match: Mapping[str, Any]) -> str:
    """Return the logical id that a match of cfn-lint is about, or its path in the template."""
    path: Sequence[Any] = (match["Location"] or {}).get("Path") or []
    return str(path[1]) if len(path) > 1 and path[0] == "Resources" else "/".join(map(str, path))


def checkov(assembly: Path, templates: Mapping[Path, str]) -> list[Finding]:
    """Return what checkov finds in the templates of `assembly`."""
    if not CHECKOV.exists():
        raise ToolError("checkov is not installed; run make policy, which installs it in .venv-checkov")
    command = [str(CHECKOV), "--framework", "cloudformation", "--directory", str(assembly), "--output", "json"]
    answer = _json([*command, "--quiet", "--compact", "--skip-download", "--soft-fail"])
    reports = answer if isinstance(answer, list) else [answer]
    names = {str(file.relative_to(assembly)): name for file, name in templates.items()}
    # without a finding checkov answers with the summary alone
    failed = [check for report in reports for check in report.get("results", {}).get("failed_checks", [])]
    broken = [error for report in reports for error in report.get("results", {}).get("parsing_errors", [])]
    if broken or not sum(
        report.get("resource_count", report.get("summary", {}).get("resource_count", 0)) for report in reports
    ):
        raise ToolError(f"checkov read no resource or could not read {broken}")
    return [
        Finding(
            tool="checkov",
            id=check["check_id"],
            path=f"{names[check['file_path'].lstrip('/')]}/{check['resource'].rsplit('.', 1)[1]}",
            text=check["check_name"],
        )
        for check in failed
    ]


def _json(command: Sequence[str]) -> Any:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return json.loads(done.stdout or "[]" if done.returncode == 0 else "")
    except json.JSONDecodeError as error:
        raise ToolError(
            f"{Path(command[0]).name} ended with {done.returncode}: {(done.stderr or done.stdout)[-800:]}"
        ) from error
