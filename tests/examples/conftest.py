"""Runs the commands of the examples' READMEs against a real Archer, once per test run however many workers pytest has."""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]


@contextmanager
def archer_server(data: Path) -> Iterator[str]:
    """A server on a free port, gone at the end with everything it started; its address."""
    command = [sys.executable, "-m", "archer.cli", "serve", "--backend", "local", "--data", str(data), "--port", "0"]
    options = ["--no-history", "--stop-on-stdin-eof", "--stop-jobs-on-exit"]
    with (data.parent / "server.log").open("w") as log:
        server = subprocess.Popen([*command, *options], stdin=subprocess.PIPE, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 60
            while not (data / "server.json").exists():
                assert server.poll() is None, Path(log.name).read_text()
                assert time.monotonic() < deadline, Path(log.name).read_text()
                time.sleep(0.05)
            yield json.loads((data / "server.json").read_text())["url"]
        finally:
            assert server.stdin is not None
            server.stdin.close()
            assert server.wait(timeout=60) == 0


def run_readme(readme: Path, folder: Path) -> None:
    """Runs every `sh` block of a README in `folder` as if it were a checkout."""
    for name in (".venv", "examples"):
        (folder / name).symlink_to(ROOT / name)
    commands = "\n".join(re.findall(r"^```sh\n(.*?)^```$", readme.read_text(), re.MULTILINE | re.DOTALL))
    assert commands
    with archer_server(folder / "archer") as url:
        environment = {**os.environ, "ARCHER_URL": url}
        ran = subprocess.run(
            ["sh", "-euc", commands], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
    logs = [log.read_text()[-3000:] for log in (folder / "archer").glob("attempts/*/driver.log")]
    assert ran.returncode == 0, "\n".join([ran.stdout, ran.stderr, *logs])


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], None]], Path]:
    """`once(name, make)`: a folder that the first pytest worker fills with `make` and the others find full."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def get(name: str, make: Callable[[Path], None]) -> Path:
        folder = shared / name
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / ".tried").exists():
                folder.mkdir()
                (folder / ".tried").touch()
                make(folder)
                (folder / ".made").touch()
        assert (folder / ".made").exists(), f"{name} failed in another worker"
        return folder

    return get


@pytest.fixture(scope="session")
def readme_run(once: Callable[[str, Callable[[Path], None]], Path]) -> Callable[[str], Path]:
    """`readme_run(example)`: the checkout-like folder in which the example's README was run."""
    return lambda example: once(
        f"readme-{example}", lambda folder: run_readme(ROOT / "examples" / example / "README.md", folder)
    )


@pytest.fixture(scope="session")
def read_summary() -> Callable[[Path], dict[str, Any]]:
    """Reads `RESULTS/summary/`, as whoever started the job does."""

    def read(results: Path) -> dict[str, Any]:
        (part,) = (results / "summary").glob("part-*.txt")
        summary: dict[str, Any] = json.loads(part.read_text())
        return summary

    return read
