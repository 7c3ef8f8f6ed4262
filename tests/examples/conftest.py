"""Runs the commands of the examples' READMEs against a real Archer."""

from __future__ import annotations

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
    from contextlib import AbstractContextManager

ROOT = Path(__file__).parents[2]
ARCHER = str(Path(sys.executable).with_name("archer"))


@contextmanager
def archer_server(data: Path) -> Iterator[str]:
    """A server on a free port, gone at the end with everything it started; its address."""
    command = [ARCHER, "serve", "--backend", "local", "--data", str(data), "--port", "0", "--slots", "2"]
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


@pytest.fixture(scope="session", name="archer_server")
def archer_server_fixture() -> Callable[[Path], AbstractContextManager[str]]:
    """`with archer_server(folder) as url`."""
    return archer_server


@pytest.fixture(scope="session")
def readme_run(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`readme_run(example)`: the checkout-like folder in which the example's README was run."""

    def run(example: str) -> Path:
        folder = tmp_path_factory.mktemp(example)
        run_readme(ROOT / "examples" / example / "README.md", folder)
        return folder

    return run


@pytest.fixture(scope="session")
def read_summary() -> Callable[[Path], dict[str, Any]]:
    """Reads `RESULTS/summary/`, as whoever started the job does."""

    def read(results: Path) -> dict[str, Any]:
        (part,) = (results / "summary").glob("part-*.txt")
        summary: dict[str, Any] = json.loads(part.read_text())
        return summary

    return read
