"""The small JSON files in an attempt's folder: each appears whole or not at all, and some can be taken only once.

Standard library only, as the runner imports it.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SPEC = "spec.json"
STARTED = "started.json"
CHILD = "child.json"
STOP = "stop.json"
OUTCOME = "outcome.json"
DRIVER_LOG = "driver.log"
STDOUT_LOG = "stdout.log"
RUNNER_LOG = "runner.log"
SCRATCH = "scratch"


def read(path: Path) -> dict[str, Any] | None:
    """The file's object; None when there is no such file. Raises ValueError when it holds something else."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    if not isinstance(found, dict):
        raise ValueError(f"{path.name} holds no object")  # noqa: TRY004  # wrong content, not a wrong argument
    return found


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Replace the file; a reader sees the old content or the new one, even after a power cut."""
    temporary = _written_aside(path, content)
    temporary.replace(path)
    _sync_folder(path.parent)


def take(path: Path, content: Mapping[str, Any]) -> bool:
    """Create the file with its content unless it exists; False when somebody else was first."""
    temporary = _written_aside(path, content)
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        temporary.unlink()
    _sync_folder(path.parent)
    return True


def _written_aside(path: Path, content: Mapping[str, Any]) -> Path:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            # a spec carries the job's environment, secrets included
            os.fchmod(file.fileno(), 0o600)
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
