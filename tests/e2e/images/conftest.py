"""Registries on loopback, and buildah's storage for the images that are built here.

Needs root and Debian's skopeo, buildah, docker-registry, runc and debootstrap. Storage is kept outside the tree
(`$XDG_CACHE_HOME/moka/images`), so that a second run builds only what changed.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.images.local_registry import Registry, need

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[3]
BASE = "localhost/moka-base:bookworm"


@pytest.fixture
def new_registry(tmp_path: Path) -> Iterator[Callable[..., Registry]]:
    """Starts registries that end with the test: `new_registry("target")`."""
    need("docker-registry", "skopeo")
    started: list[Registry] = []

    def start(name: str, *, passwords: str | None = None) -> Registry:
        started.append(Registry(tmp_path / name, passwords=passwords))
        return started[-1]

    yield start
    for registry in started:
        registry.stop()


@pytest.fixture(scope="session")
def storage(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables with which buildah uses the storage kept for these tests, without a daemon and without namespaces."""
    need("buildah", "runc")
    if os.geteuid() != 0:
        pytest.skip("building images without Docker needs root here")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "moka" / "images"
    conf = tmp_path_factory.mktemp("storage") / "storage.conf"
    conf.write_text(f'[storage]\ndriver = "overlay"\ngraphroot = "{cache / "storage"}"\nrunroot = "{cache / "run"}"\n')
    return {**os.environ, "CONTAINERS_STORAGE_CONF": str(conf), "BUILDAH_ISOLATION": "chroot"}


@pytest.fixture(scope="session")
def base(storage: dict[str, str]) -> str:
    """A Debian 12 base made without any image registry; 80 s the first time."""
    need("debootstrap")
    known = subprocess.run(
        ["buildah", "inspect", "--type", "image", BASE], env=storage, capture_output=True, check=False
    )
    if known.returncode != 0:
        subprocess.run([ROOT / "images" / "base.sh", BASE], env=storage, check=True)
    return BASE
