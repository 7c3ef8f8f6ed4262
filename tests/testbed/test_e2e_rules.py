"""`make test` leaves tests/e2e out, and what is skipped there fails where CI is set."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SKIPS = """
import pytest

def test_needs_root():
    pytest.skip("no root")

@pytest.mark.skip(reason="no netfilter")
def test_needs_netfilter():
    pass

@pytest.mark.xfail(reason="a known gap", strict=True)
def test_gap():
    assert False
"""
"""Text of a test file that `tree` writes: its skips and its expected failure are what the rules are tried on, none of ours."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with our pytest settings and our rules for tests/e2e."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "tests" / "e2e").mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "e2e" / "conftest.py", tmp_path / "tests" / "e2e")
    (tmp_path / "tests" / "e2e" / "test_skips.py").write_text(SKIPS)
    (tmp_path / "tests" / "unit").mkdir()
    (tmp_path / "tests" / "unit" / "test_plain.py").write_text("def test_plain():\n    pass\n")
    return tmp_path


def run(tree: Path, *words: str, ci: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "CI" and not name.startswith("PYTEST_")}
    environment["PYTHONPATH"] = str(ROOT)
    if ci is not None:
        environment["CI"] = ci
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words]
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("words", [(), ("tests",)])
def test_a_plain_run_collects_nothing_of_e2e(tree: Path, words: tuple[str, ...]) -> None:
    done = run(tree, *words)

    assert "1 passed" in done.stdout
    assert "test_skips" not in done.stdout


@pytest.mark.parametrize("ci", [None, "", "false"])
def test_a_skip_is_printed_with_its_reason(tree: Path, ci: str | None) -> None:
    done = run(tree, "tests/e2e", ci=ci)

    assert done.returncode == 0
    assert "2 skipped, 1 xfailed" in done.stdout
    assert "no root" in done.stdout
    assert "no netfilter" in done.stdout


@pytest.mark.parametrize("workers", ["0", "1"])
def test_a_skip_fails_where_ci_is_set(tree: Path, workers: str) -> None:
    done = run(tree, "tests/e2e", "-n", workers, ci="true")

    assert done.returncode == 1
    assert "1 xfailed" in done.stdout
    assert "skipped" not in done.stdout.splitlines()[-1]
    assert "not run, and CI is set: Skipped: no root" in done.stdout
    assert "not run, and CI is set: Skipped: no netfilter" in done.stdout
