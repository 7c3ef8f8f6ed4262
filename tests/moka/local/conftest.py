"""Runs the real `moka local` against a real Archer; only Spark is replaced, by a program that runs the job's Python at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MOKA = str(Path(sys.executable).with_name("moka"))

FAKE_SPARK = """
import pathlib, runpy, sys
application = next(word for word in sys.argv[1:] if word.endswith(".py"))
sys.argv = sys.argv[sys.argv.index(application):]
runpy.run_path(application, run_name="__main__")
"""

JOB = """
import pathlib, signal, sys, time
what, mark = sys.argv[1], pathlib.Path(sys.argv[2])
mark.touch()
print("started", flush=True)
if what == "fail":
    raise ValueError("the input has no column carrier")
if what == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if what != "ok":
    while True:
        time.sleep(1)
"""


class Local:
    """One `moka local` in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.process: subprocess.Popen[str] | None = None
        (folder / "fake_spark.py").write_text(FAKE_SPARK)
        (folder / "job.py").write_text(JOB)

    def submission(self, name: str, what: str) -> Path:
        """A submission whose job does `what` after touching `<name>.started`."""
        file = self.folder / f"{name}.yaml"
        arguments = [what, str(self.folder / f"{name}.started")]
        file.write_text(yaml.safe_dump({"name": name, "application": {"file": "job.py", "arguments": arguments}}))
        return file

    def start(
        self,
        *arguments: str | Path,
        synth: bool = False,
        variables: dict[str, str] | None = None,
        program: Sequence[str] = (MOKA,),
    ) -> subprocess.Popen[str]:
        command = [*program, "local", "--data", str(self.data), "--port", "0", "--history-port", "0"]
        command += [] if synth else ["--skip-synth"]
        spark = {"ARCHER_SPARK_SUBMIT_COMMAND": f"{sys.executable} {self.folder / 'fake_spark.py'}"}
        for stream in ("stdout", "stderr"):
            # an earlier one may write on
            (self.folder / stream).unlink(missing_ok=True)
        with (self.folder / "stdout").open("w") as out, (self.folder / "stderr").open("w") as err:
            self.process = subprocess.Popen(
                [*command, *map(str, arguments)],
                stdout=out,
                stderr=err,
                text=True,
                start_new_session=True,
                env={**os.environ, "ARCHER_HISTORY": "false", **spark, **(variables or {})},
            )
        return self.process

    def run(self, *arguments: str | Path) -> tuple[int, str, str]:
        """Exit code, stdout and stderr of one that ends by itself."""
        code = self.start(*arguments).wait(timeout=120)
        return code, self.said("stdout"), self.said("stderr")

    def said(self, stream: str) -> str:
        return (self.folder / stream).read_text()

    def until(self, done: Callable[[], bool], what: str) -> None:
        """Waits for `done`; fails with what was said when it takes too long or `moka local` ends."""
        assert self.process is not None
        deadline = time.monotonic() + 90
        while not done():
            assert self.process.poll() is None, f"ended before {what}: {self.said('stderr')}"
            assert time.monotonic() < deadline, f"waited in vain for {what}: {self.said('stderr')}"
            time.sleep(0.05)

    def leftovers(self) -> list[str]:
        """Command lines of living processes that name this folder, in their arguments or as where they work."""
        found = []
        for process in psutil.process_iter():
            try:
                line = " ".join(process.cmdline())
                living = process.status() != psutil.STATUS_ZOMBIE
                if living and (str(self.folder) in line or process.cwd().startswith(str(self.folder))):
                    found.append(line)
            except psutil.Error:
                continue
        return found

    def assert_nothing_left(self) -> None:
        deadline = time.monotonic() + 60
        while self.leftovers() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert self.leftovers() == []

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=60)


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    one = Local(tmp_path)
    yield one
    one.close()
    one.assert_nothing_left()
