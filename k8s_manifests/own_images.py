"""The images that Moka builds itself, and their tags, which tell what is inside.

A tag is the version of the program and the start of a hash of every file that the image is made from. So the same tree
always asks for the same tag, a change asks for another one (the registry's tags are immutable), charts know it without
asking anybody, and what is there already need not be built again. The base image is among the files: `ARG BASE`.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
_DIGITS: Final = 12
"""Hex digits of the hash in a tag."""


@dataclass(frozen=True, kw_only=True)
class OwnImage:
    """One image that is built from this tree."""

    repository: str
    """Name below the environment's registry prefix, and of the folder below images/."""
    contents: tuple[str, ...]
    """Files and folders below `root` that the build copies or reads."""
    user: int
    """User and group that it runs as."""
    root: Path = ROOT
    """The tree."""

    @property
    def dockerfile(self) -> str:
        """Path of the Dockerfile below `root`, which is the build's context."""
        return f"images/{self.repository}/Dockerfile"

    @cached_property
    def inputs(self) -> str:
        """Hash of all that the image is made from, 64 hex digits; the image's label moka.dev/inputs."""
        files = [path for name in (*self.contents, self.dockerfile) for path in _files(self.root / name)]
        digest = hashlib.sha256()
        for path in sorted(set(files)):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(self.root).as_posix()}\0{len(content)}\0".encode())
            digest.update(content)
        return digest.hexdigest()

    @property
    def version(self) -> str:
        """Version of the program inside: Spark's, or the project's."""
        if self.repository == "spark":
            lock = (self.root / "images/spark/requirements.lock").read_text(encoding="utf-8")
            return lock.split("pyspark==", 1)[1].split()[0]
        project = tomllib.loads((self.root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        return str(project["version"])

    @property
    def tag(self) -> str:
        """Return <version>-<12 hex digits of the inputs>."""
        return f"{self.version}-{self.inputs[:_DIGITS]}"

    def in_registry(self, registry: str) -> str:
        """Return the reference that a pod uses: <registry>/<repository>:<tag>."""
        return f"{registry}/{self.repository}:{self.tag}"


ARCHER: Final = OwnImage(
    repository="archer",
    contents=("archer", "images/archer/requirements.lock", "images/archer/metadata.py"),
    user=10001,
)
"""The service and its command line; `archer migrate` for the migration."""
SPARK: Final = OwnImage(
    repository="spark",
    contents=tuple(
        f"images/spark/{name}" for name in ("entrypoint.sh", "fetch_jars.py", "jars.lock", "requirements.lock")
    ),
    user=185,
)
"""Drivers, executors, and the History Server: `history-server` is a word of its entrypoint."""
OWN_IMAGES: Final = (ARCHER, SPARK)


@dataclass(frozen=True, kw_only=True)
class Feature:
    """Something that the Spark image can do beyond Spark itself."""

    name: str
    built: bool
    what: str
    why_not: str
    """Empty when it is built."""


def spark_features(root: Path = ROOT) -> tuple[Feature, ...]:
    """Return all features of `images/spark/jars.lock`, in its order."""
    content: Mapping[str, Mapping[str, Mapping[str, str | bool]]] = tomllib.loads(
        (root / "images/spark/jars.lock").read_text(encoding="utf-8")
    )
    return tuple(
        Feature(name=name, built=bool(each["built"]), what=str(each["what"]), why_not=str(each.get("why_not", "")))
        for name, each in content["features"].items()
    )


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    found = [each for each in path.rglob("*") if each.is_file() and "__pycache__" not in each.parts]
    if not found:
        raise FileNotFoundError(f"{path} is not there or empty; images are built from a clone of the project")
    return found
