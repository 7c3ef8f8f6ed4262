"""Fixtures of our own images, for the folders whose conftest imports them: built here without Docker and any image registry.

Needs root and Debian's buildah, skopeo, runc and debootstrap. Storage is kept outside the tree (`$XDG_CACHE_HOME/moka/images`), so
that a second run builds only what changed; one session builds once.
"""

from __future__ import annotations

import functools
import os
import subprocess
from pathlib import Path

import pytest

from k8s_manifests.own_images import OWN_IMAGES
from tests.e2e.images.local_registry import need
from tests.e2e.images.test_push import MOKA

ROOT = Path(__file__).parents[2]
BASE = "localhost/moka-base:bookworm"


@pytest.fixture(scope="session")
def storage() -> dict[str, str]:
    """Variables with which buildah uses the storage kept for these tests, without a daemon and without namespaces."""
    need("buildah", "runc")
    if os.geteuid() != 0:
        pytest.skip("building images without Docker needs root here")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "moka" / "images"
    cache.mkdir(parents=True, exist_ok=True)
    conf = cache / "storage.conf"
    conf.write_text(f'[storage]\ndriver = "overlay"\ngraphroot = "{cache / "storage"}"\nrunroot = "{cache / "run"}"\n')
    return _variables(str(conf))


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


@pytest.fixture(scope="session")
def built(storage: dict[str, str], base: str) -> dict[str, str]:
    """Both images in buildah's storage, by `moka images build`; {repository: name}."""
    return _build(base, storage["CONTAINERS_STORAGE_CONF"])


def _variables(conf: str) -> dict[str, str]:
    # package registries are all that a machine of ours may reach, and no test here has a database of RDS
    fixed = {"BUILDAH_ISOLATION": "chroot", "WITH_RDS_AUTHORITIES": "0"}
    return {**os.environ, **fixed, "CONTAINERS_STORAGE_CONF": conf}


@functools.cache
def _build(base: str, conf: str) -> dict[str, str]:
    done = subprocess.run(
        [MOKA, "images", "build", "--tool", "skopeo", "--base", base],
        env=_variables(conf),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert done.returncode == 0, "see what buildah said above"
    names = [line.removeprefix("built ") for line in done.stdout.splitlines()]
    assert [name.rsplit("-", 1)[0] for name in names] == [
        f"localhost/{image.repository}:{image.version}" for image in OWN_IMAGES
    ]
    return {image.repository: name for image, name in zip(OWN_IMAGES, names, strict=True)}
