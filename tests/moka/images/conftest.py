"""A registry in memory and programs that write down how they were called; real ones are in tests/e2e/images."""

import json
import os
import shutil
import sys
from collections.abc import Collection
from pathlib import Path

import pytest

from moka.images.tools import Manifest, NoRepositoryError, Recipe, ToolError


def index(*platforms: str, name: str = "image") -> bytes:
    """An index of one image for each platform."""
    found = [dict(zip(("os", "architecture"), each.split("/"), strict=True)) for each in platforms]
    return json.dumps({"name": name, "manifests": [{"platform": platform} for platform in found]}).encode()


BOTH = ("linux/amd64", "linux/arm64")


class Registries:
    """{reference: content}, as one tool sees all registries."""

    name = "memory"

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}
        self.broken: dict[str, ToolError] = {}
        """References that answer with an error."""
        self.wrong_copies = False
        """Whether a copy arrives changed."""
        self.told: str | None = None
        self.changes: list[str] = []
        self.recipes: list[Recipe] = []

    def manifest(self, reference: str) -> Manifest | None:
        if reference in self.broken:
            raise self.broken[reference]
        raw = self.content.get(reference)
        return None if raw is None else Manifest(raw=raw)

    def log_in(self, host: str, user: str, password: str) -> None:  # noqa: ARG002  # the protocol's
        self.changes.append(f"login {host}")

    def copy(self, source: str, target: str) -> None:
        name, digest = source.split("@")
        raw = next(
            raw
            for reference, raw in self.content.items()
            if reference.startswith(f"{name}:") and Manifest(raw=raw).digest == digest
        )
        self.content[target] = raw + b" " if self.wrong_copies else raw
        self.changes.append(f"copy {target}")

    def build(self, recipe: Recipe, name: str) -> None:  # noqa: ARG002  # the protocol's
        self.changes.append(f"build {name}")

    def build_and_push(self, recipe: Recipe, target: str) -> None:
        self.recipes.append(recipe)
        if target in self.broken:
            raise self.broken[target]
        self.content[target] = index(*recipe.platforms, name=target)
        self.changes.append(f"build {target}")

    def cannot_build(self, platforms: Collection[str]) -> str | None:  # noqa: ARG002  # the protocol's
        return self.told


@pytest.fixture
def registries() -> Registries:
    return Registries()


NO_REPOSITORY = NoRepositoryError("name unknown")


class Programs:
    """Programs on PATH that write down their arguments and stdin, a line of JSON each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"

    def add(self, name: str, *, says: str = "", complains: str = "", code: int = 0) -> None:
        text = (
            f"#!/usr/bin/env python3\nimport json, sys\n"
            f"stdin = '' if sys.stdin.isatty() or {'login' not in says!r} and 'login' not in sys.argv else sys.stdin.read()\n"
            f"open({str(self.log)!r}, 'a').write(json.dumps([{name!r}, *sys.argv[1:], *([stdin] if stdin else [])]) + chr(10))\n"
            f"sys.stdout.write({says!r}); sys.stderr.write({complains!r}); sys.exit({code})\n"
        )
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o755)

    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """A PATH that has these programs and Python, and neither Docker nor skopeo of this machine."""
    folder = tmp_path / "bin"
    folder.mkdir()
    python = tmp_path / "python"
    python.mkdir()
    (python / "python3").symlink_to(sys.executable)
    (python / "env").symlink_to(shutil.which("env") or "/usr/bin/env")
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{python}")
    return Programs(folder)
