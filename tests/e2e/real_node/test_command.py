"""`python -m testbed real-node up` says how to reach the node, and `real-node down` ends it; nothing is left."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from testbed.real_node import files

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
REAL_NODE = [sys.executable, "-m", "testbed", "real-node"]


@pytest.fixture
def up(capable: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[str]]:
    """A real node that was started by hand; the list of running ones is this test's own."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    process = subprocess.Popen(
        [*REAL_NODE, "up", "--no-spark"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    yield process
    process.terminate()
    process.communicate()


def test_it_says_how_to_reach_the_node_and_down_ends_it(up: subprocess.Popen[str]) -> None:
    assert up.stdout is not None
    lines: list[str] = []
    for line in up.stdout:
        lines.append(line)
        if "Ctrl-C ends it" in line:
            break
    command = next(line for line in lines if line.strip().startswith("nsenter"))
    kubeconfig = re.search(r"--kubeconfig=(\S+)", command)
    assert kubeconfig is not None

    nodes = subprocess.run([*shlex.split(command), "--output=name"], capture_output=True, text=True, check=True)
    ended = subprocess.run([*REAL_NODE, "down"], cwd=ROOT, capture_output=True, text=True, check=True)

    assert nodes.stdout == f"node/{files.NODE}\n"
    assert re.fullmatch(r"moka-testbed-\w+ has ended\n", ended.stdout)
    assert up.wait(timeout=60) == 143
    assert not Path(kubeconfig[1]).parent.exists()
