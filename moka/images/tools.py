"""What a push needs of the programs that can talk to registries and build images, and which of them this machine has.

Two sets do it: Docker with buildx, or skopeo (copies) and buildah (builds). Each is run as a program; what it says on
failure is what a person gets to read, cut to its last lines.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from moka.errors import BadInputError, MokaError

_ABSENT: Final = re.compile(r"manifest unknown|manifest not found|: not found|\b404\b", re.IGNORECASE)
_NO_REPOSITORY: Final = re.compile(
    r"name unknown|does not exist in the registry|repository name not known", re.IGNORECASE
)
_NO_IMAGE: Final = re.compile(r"manifest unknown|requested image not found", re.IGNORECASE)
_LOGGED: Final = re.compile(r'time="[^"]*" level=\w+ msg="(.*)"')
_LINES: Final = 3
_ANSWER_SECONDS: Final = 120
"""For one question to a registry; copies and builds take what they take."""


class ToolError(MokaError):
    """A program could not do it; its own words."""


class NoRepositoryError(ToolError):
    """The registry has no repository of that name, and does not make one by itself."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a reference points to."""

    raw: bytes

    @property
    def digest(self) -> str:
        return f"sha256:{hashlib.sha256(self.raw).hexdigest()}"

    @property
    def platforms(self) -> frozenset[str] | None:
        """os/architecture of each image of an index; None for a single image, which does not say."""
        content: dict[str, Any] = json.loads(self.raw)
        if "manifests" not in content:
            return None
        found = (each.get("platform", {}) for each in content["manifests"])
        return frozenset(
            f"{each['os']}/{each['architecture']}" for each in found if each.get("os", "unknown") != "unknown"
        )


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to build one image."""

    context: Path
    dockerfile: str
    """Path below the context."""
    arguments: dict[str, str]
    labels: dict[str, str]
    """Beside those of the Dockerfile. buildah keeps a label there that names an argument when only the argument changes."""
    platforms: tuple[str, ...]

    def options(self) -> list[str]:
        """Return what Docker and buildah take alike: Dockerfile, arguments and labels."""
        arguments = [word for key, value in self.arguments.items() for word in ("--build-arg", f"{key}={value}")]
        labels = [word for key, value in self.labels.items() for word in ("--label", f"{key}={value}")]
        return ["--file", self.dockerfile, *arguments, *labels]


class Tool(Protocol):
    """One set of programs."""

    name: str

    def manifest(self, reference: str) -> Manifest | None:
        """Return what the reference points to, None when nothing. Raises ToolError, NoRepositoryError."""

    def log_in(self, host: str, user: str, password: str) -> None:
        """Use these for the registry from now on. Raises ToolError."""

    def copy(self, source: str, target: str) -> None:
        """Copy an index with all its images, byte for byte. Raises ToolError."""

    def build(self, recipe: Recipe, name: str) -> None:
        """Build for this machine's storage. Raises ToolError."""

    def build_and_push(self, recipe: Recipe, target: str) -> None:
        """Build an index of all platforms and push it. Raises ToolError."""

    def cannot_build(self, platforms: Collection[str]) -> str | None:
        """Return why these platforms cannot be built here, with what to do."""


def loopback(reference: str) -> bool:
    """Return whether the registry is on this machine: then it may speak plain HTTP."""
    host = reference.split("/", 1)[0].rsplit(":", 1)[0]
    return host in {"localhost", "127.0.0.1", "[::1]"}


def answer(words: Sequence[str], *, stdin: str | None = None) -> bytes:
    """Run a program that answers soon and return its stdout. Raises ToolError with its last lines."""
    try:
        done = subprocess.run(
            words,
            input=None if stdin is None else stdin.encode(),
            capture_output=True,
            check=False,
            timeout=_ANSWER_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{words[0]} gave no answer within {_ANSWER_SECONDS} s") from error
    if done.returncode != 0:
        raise ToolError(_last_lines(done.stderr.decode(errors="replace") or done.stdout.decode(errors="replace")))
    return done.stdout


def work(words: Sequence[str], *, cwd: Path | None = None) -> None:
    """Run a program that shows its progress on stderr. Raises ToolError with its last lines."""
    tail: list[str] = []
    with subprocess.Popen(words, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        for line in process.stdout:
            text = line.decode(errors="replace").rstrip()
            tail = [*tail[-9:], text]
            sys.stderr.write(f"{text}\n")
    if process.returncode != 0:
        raise ToolError(f"{words[0]} ended with {process.returncode}: {_last_lines(chr(10).join(tail))}")


def absent(error: ToolError, reference: str) -> None:
    """Return when the error says that the tag is not there. Raises the error, or NoRepositoryError."""
    text = str(error)
    # registries other than ECR make a repository with the first push to it, and call it unknown until then
    if _NO_REPOSITORY.search(text) and not _NO_IMAGE.search(text) and ".dkr.ecr" in reference:
        raise NoRepositoryError(text) from error
    if not (_ABSENT.search(text) or _NO_REPOSITORY.search(text)):
        raise error


def _last_lines(text: str) -> str:
    lines = [_plain(line.strip()) for line in text.splitlines() if line.strip()]
    return " / ".join(lines[-_LINES:])[:800] or "it said nothing"


def _plain(line: str) -> str:
    """Return a line of the log form that skopeo and buildah use as what it says."""
    match = _LOGGED.fullmatch(line)
    return line if match is None else match[1].replace('\\"', '"')


def find_tool(wanted: str | None, *, builds: bool) -> Tool:
    """Return the programs to use: those named, else Docker with buildx, else skopeo with buildah.

    Raises BadInputError that says what lacks; without anything to build, buildah is not asked for.
    """
    from moka.images.docker import Docker  # noqa: PLC0415  # both modules import this one
    from moka.images.skopeo import Skopeo  # noqa: PLC0415  # as above

    lacks = {"docker": _docker_lacks(), "skopeo": _skopeo_lacks(builds=builds)}
    if wanted is not None and wanted not in lacks:
        raise BadInputError(f"`--tool` must be one of {', '.join(lacks)}, got {wanted!r}")
    for name in lacks if wanted is None else (wanted,):
        if lacks[name] is None:
            return Docker() if name == "docker" else Skopeo()
    told = "; ".join(f"{name}: {lacks[name]}" for name in ([wanted] if wanted else lacks))
    raise BadInputError(
        f"no program here can do it ({told}); install Docker with buildx, or skopeo and buildah "
        f"(Debian: apt-get install skopeo buildah)"
    )


def _docker_lacks() -> str | None:
    if shutil.which("docker") is None:
        return "not on PATH"
    try:
        answer(["docker", "buildx", "version"])
        answer(["docker", "version", "--format", "{{.Server.Version}}"])
    except ToolError as error:
        return str(error)
    return None


def _skopeo_lacks(*, builds: bool) -> str | None:
    missing = [name for name in (("skopeo", "buildah") if builds else ("skopeo",)) if shutil.which(name) is None]
    return f"{' and '.join(missing)} not on PATH" if missing else None
