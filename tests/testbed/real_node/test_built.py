"""What buildah writes reaches the node as it is, under the chart's name; what buildah refuses is told in its own words."""

from __future__ import annotations

import subprocess
from typing import IO, TYPE_CHECKING, cast

import pytest

from testbed.errors import CannotStartError
from testbed.real_node.built import import_built
from testbed.real_node.node import RealNode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BUILT = "localhost/archer:0.1.0-aaaaaaaaaaaa"
NAME = "registry.example/moka-test/archer:0.1.0-aaaaaaaaaaaa"


class Node:
    """Takes an image as a node does, through a pipe."""

    def __init__(self) -> None:
        self.images: dict[str, bytes] = {}

    def import_image(self, name: str, write: Callable[[IO[bytes]], None]) -> None:
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
            assert reader.stdin is not None
            write(reader.stdin)
            self.images[name] = reader.communicate()[0]


def buildah(folder: Path, script: str) -> dict[str, str]:
    """Variables with which `buildah` is this shell script."""
    program = folder / "buildah"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin", "CONTAINERS_STORAGE_CONF": "/cache/storage.conf"}


def test_the_archive_goes_to_the_node_under_the_name_that_a_chart_asks_for(tmp_path: Path) -> None:
    variables = buildah(tmp_path, 'printf "%s|" "$CONTAINERS_STORAGE_CONF" "$@" | tr / .')
    node = Node()

    import_built(cast("RealNode", node), BUILT, NAME, variables)

    words = ["/cache/storage.conf", "push", "--quiet", BUILT, f"docker-archive:/dev/stdout:{NAME}"]
    assert node.images == {NAME: "".join(f"{word}|" for word in words).replace("/", ".").encode()}


def test_what_buildah_refuses_is_told_with_its_last_line(tmp_path: Path) -> None:
    variables = buildah(tmp_path, 'echo "level=debug" >&2; echo "image not known" >&2; exit 125')

    with pytest.raises(CannotStartError, match=f"buildah did not give {BUILT}, exit code 125: image not known"):
        import_built(cast("RealNode", Node()), BUILT, NAME, variables)


def test_a_node_that_does_not_run_takes_no_image() -> None:
    with pytest.raises(CannotStartError, match="this node does not run"):
        import_built(RealNode(), BUILT, NAME, {})
