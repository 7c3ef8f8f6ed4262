import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from environments import environment_names
from environments.loading import FOLDER
from infra.empty_app import CDK_JSON, feature_flags, load_services
from moka.assembly import SynthesizedStack

ROOT = Path(__file__).parents[2]


def run(context: dict[str, str], outdir: Path) -> subprocess.CompletedProcess[str]:
    """Run app.py as the CDK CLI does."""
    surroundings = {
        **os.environ,
        "CDK_CONTEXT_JSON": json.dumps(context),
        "CDK_OUTDIR": str(outdir),
        "CDK_VALIDATION": "false",
    }
    return subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=surroundings, capture_output=True, text=True, check=False
    )


def test_env_narrows_the_synth_to_one_environment(tmp_path: Path) -> None:
    done = run({"env": "dev"}, tmp_path)

    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.glob("assembly-*")] == ["assembly-dev"]
    assert done.stdout + done.stderr == ""


def test_an_unknown_environment_is_named_with_those_that_exist_and_ends_with_2(tmp_path: Path) -> None:
    done = run({"env": "dve"}, tmp_path)

    assert done.returncode == 2
    assert "dve" in done.stderr
    assert "one of dev, prod, staging, test" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_bad_file_is_told_whole_and_ends_with_2(tmp_path: Path) -> None:
    file = tmp_path / "dev.yaml"
    text = (FOLDER / "dev.yaml").read_text()
    file.write_text(text.replace("10.40.0.0/20", "10.40.0.1/20").replace("nat: single", "nat: double"))

    done = run({"env": str(file)}, tmp_path / "out")

    assert done.returncode == 2
    assert "10.40.0.1/20" in done.stderr
    assert "double" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_synth_with_and_without_the_cli_reads_the_same_flags() -> None:
    flags = json.loads(CDK_JSON.read_text())["context"]

    assert feature_flags() == flags
    assert flags["@aws-cdk/core:validateAgainstDefaultRules"] is True


def test_the_services_loaded_beforehand_are_those_of_every_environment(stacks: dict[str, SynthesizedStack]) -> None:
    for name in environment_names():
        used = {
            resource["Type"]
            for stack in stacks.values()
            if stack.environment == name
            for resource in stack.resources.values()
        }
        # an existing network has no VPC of ours
        assert {each for each in load_services() if each != "AWS::EC2::VPC"} <= used


@pytest.mark.parametrize("options", [[], ["-O"]])
def test_making_the_app_imports_nothing_so_that_another_thread_can_import_the_stacks(options: list[str]) -> None:
    script = """
import sys
import infra, infra.empty_app, environments
before = set(sys.modules)
infra.empty_app.app_and_services()
new = set(sys.modules) - before
print(sorted(name for name in new if name.partition(".")[0] not in sys.stdlib_module_names))
"""
    done = subprocess.run(
        [sys.executable, *options, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"


def test_loading_the_stacks_calls_nothing_in_the_cdks_process_so_that_it_can_make_the_app_meanwhile() -> None:
    script = """
import infra, aws_cdk
from jsii._kernel.providers.process import _NodeProcess
send, calls = _NodeProcess.send, []
_NodeProcess.send = lambda self, request, kind: (calls.append(type(request).__name__), send(self, request, kind))[1]
from infra.app import fill
print(calls)
aws_cdk.App()
print(calls)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["[]", "['CreateRequest']"]


def test_app_reads_as_a_table_of_contents() -> None:
    lines = [line.strip() for line in (ROOT / "app.py").read_text().splitlines()]

    assert not [line for line in lines if line.startswith(("for ", "while ", "class ", "if env"))]
