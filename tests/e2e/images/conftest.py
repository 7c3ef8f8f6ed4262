"""Registries on loopback, for tests of what is pushed and pulled. The images themselves: `tests/e2e/own_images.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.images.local_registry import Registry, need
from tests.e2e.own_images import base, built, storage  # noqa: F401  # fixtures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


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
