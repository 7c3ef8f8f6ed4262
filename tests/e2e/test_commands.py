"""`python -m testbed up` stays until it is told to end, can be found and used meanwhile, and leaves nothing."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
TESTBED = [sys.executable, "-m", "testbed"]


@pytest.fixture
def up(programs: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[str]]:
    """A testbed that was started by hand; the list of running ones is this test's own."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    process = subprocess.Popen(
        [*TESTBED, "up", "test"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    )
    yield process
    process.kill()
    process.communicate()


def said_until(process: subprocess.Popen[str], word: str) -> str:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if word in line:
            return "".join(lines)
    raise AssertionError("".join(lines))


def run(*words: str) -> str:
    return subprocess.run([*TESTBED, *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_it_says_how_to_use_it_and_ctrl_c_ends_it(up: subprocess.Popen[str]) -> None:
    said = said_until(up, "Ctrl-C ends it")
    kubeconfig = re.search(r"export KUBECONFIG=(\S+)", said)
    kubectl = re.search(r"(\S+) get nodes", said)
    assert kubeconfig is not None
    assert kubectl is not None

    nodes = subprocess.run(
        [kubectl[1], "--kubeconfig", kubeconfig[1], "get", "nodes", "-o", "json"], capture_output=True, check=True
    )
    roles = {node["metadata"]["labels"]["moka.dev/role"] for node in json.loads(nodes.stdout)["items"]}
    assert {"system", "driver", "executor"} <= roles

    up.send_signal(signal.SIGINT)
    _, error = up.communicate(timeout=60)

    assert (up.returncode, error) == (130, "")
    assert not Path(kubeconfig[1]).parent.exists()


def test_status_lists_it_and_down_ends_it(up: subprocess.Popen[str]) -> None:
    said = said_until(up, "Ctrl-C ends it")
    context = re.search(r"MOKA_TESTBED_CONTEXT=(\S+)", said)
    assert context is not None

    listed = run("status")
    ended = run("down")

    assert re.search(rf"^{up.pid}  {context[1]}  https://127.0.0.1:\d+  /\S+$", listed.strip())
    assert ended.strip() == f"{context[1]} has ended"
    up.wait(timeout=60)
    assert up.returncode == 143
    assert run("status").startswith("no testbed runs")


def test_a_program_that_dies_ends_it_with_what_that_program_said(up: subprocess.Popen[str]) -> None:
    import psutil

    said_until(up, "Ctrl-C ends it")
    kwok = next(each for each in psutil.Process(up.pid).children(recursive=True) if each.name() == "kwok")

    kwok.kill()
    _, error = up.communicate(timeout=60)

    assert up.returncode == 1
    assert error.startswith("testbed: kwok ended with code -9; it said:")
    assert "Traceback" not in error
