"""Writes the images' own locks out of `requirements.lock`: `python scripts/image_locks.py` (`make lock` runs it).

An image gets what its part of the project needs and nothing else, each at the very version and hashes of the project's
lock. What a package needs is read from the installed packages, for both architectures that images are built for.
"""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).parent.parent
IMAGES: Final = ROOT / "images"
_HEADER: Final = "# made from requirements.lock by `python scripts/image_locks.py`; a test fails when it is stale\n"
_PLACES: Final = tuple(
    {"python_version": "3.11", "python_full_version": "3.11.2", "sys_platform": "linux", "platform_system": "Linux"}
    | {"os_name": "posix", "implementation_name": "cpython", "platform_machine": machine}
    | {"platform_python_implementation": "CPython"}
    for machine in ("x86_64", "aarch64")
)
"""Debian 12's Python on the two architectures."""


def lock_of(image: str) -> str:
    """Return the whole lock of an image."""
    return _HEADER + "".join(text for name, text in _blocks() if name in _wanted(image))


def main() -> None:
    """Write the locks."""
    for image in ("archer", "spark"):
        (IMAGES / image / "requirements.lock").write_text(lock_of(image), encoding="utf-8")


def _wanted(image: str) -> frozenset[str]:
    """Return the canonical names of the packages that an image installs."""
    if image == "spark":
        # what pyspark needs beyond itself is in its archive; pandas and the like are a user's choice
        return frozenset({"pyspark"})
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found: set[str] = set()
    todo = [Requirement(text) for text in (*project["dependencies"], *project["optional-dependencies"]["archer"])]
    seen: set[tuple[str, str]] = set()
    while todo:
        wanted = todo.pop()
        name = canonicalize_name(wanted.name)
        found.add(name)
        for extra in ("", *wanted.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                todo += [need for need in map(Requirement, requires(name) or ()) if _applies(need, extra)]
    return frozenset(found)


def _applies(need: Requirement, extra: str) -> bool:
    return need.marker is None or any(need.marker.evaluate({**place, "extra": extra}) for place in _PLACES)


def _blocks() -> Iterator[tuple[str, str]]:
    """Yield (name, requirement with its hashes) from the project's lock, without its comments."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for block in re.split(r"\n(?=[a-zA-Z0-9])", text):
        lines = [line for line in block.splitlines() if not line.lstrip().startswith("#")]
        yield canonicalize_name(re.split(r"[=\[; ]", lines[0])[0]), "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    main()
