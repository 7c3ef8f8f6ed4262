"""A child takes its whole tree with it, keeps its words in a log, and hears of our end."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from moka.processes import Child, kill_all, venv_environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TREE = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Child]:
    child = Child(
        "tree", [sys.executable, "-c", TREE], log=tmp_path / "logs" / "tree.log", cwd=tmp_path, env=os.environ
    )
    deadline = time.monotonic() + 30
    while "ready" not in child.log_tail():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    yield child
    kill_all(child.family())
    child.close()


def test_family_includes_what_the_child_started_in_another_session(tree: Child) -> None:
    family = tree.family()

    assert len(family) == 2
    assert kill_all(family) == []
    assert [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE] == []
    assert tree.exit_code() == -9


def test_child_has_a_session_of_its_own(tree: Child) -> None:
    assert os.getsid(tree.pid) == tree.pid != os.getsid(0)


def test_log_tail_is_the_last_lines(tmp_path: Path) -> None:
    program = "for line in range(50): print(line)\nimport sys; sys.exit(3)"
    child = Child("counter", [sys.executable, "-c", program], log=tmp_path / "log", cwd=tmp_path, env=os.environ)
    child.close()

    assert child.exit_code() == 3
    assert child.log_tail(3) == "47\n48\n49"


def test_stdin_closes_with_us_so_that_a_child_can_end_by_itself(tmp_path: Path) -> None:
    child = Child("reader", [sys.executable, "-c", "input()"], log=tmp_path / "log", cwd=tmp_path, env=os.environ)
    assert child.exit_code() is None

    child.close()

    assert child.exit_code() == 1
    assert "EOFError" in child.log_tail()


def test_programs_of_the_virtual_environment_come_first(tmp_path: Path) -> None:
    environment = venv_environment(tmp_path, {"EXTRA": "1"})

    assert environment["PATH"].split(os.pathsep)[0] == str(tmp_path)
    assert environment["EXTRA"] == "1"
    assert environment["PATH"].endswith(os.environ["PATH"])
