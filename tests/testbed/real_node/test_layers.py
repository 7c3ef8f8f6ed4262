"""A layer is made once per content, appears whole or not at all, and Spark's holds what the image's entrypoint starts."""

from __future__ import annotations

import hashlib
import re
import tarfile
from pathlib import Path

import pytest

from testbed.errors import CannotBuildError
from testbed.real_node import layers as module
from testbed.real_node.layers import layers

DOCKERFILE = (Path(__file__).parents[3] / "images/spark/Dockerfile").read_text(encoding="utf-8")
RUNTIME = DOCKERFILE.split(" AS build")[0]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of this test's own, and a Debian that is made at once."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(module, "_write_debian", lambda _tree, layer: layer.write_bytes(b"debian"))
    return tmp_path / "moka" / "testbed" / "layers"


def quiet(_: str) -> None:
    pass


def test_spark_holds_programs_jars_and_python_and_belongs_to_root() -> None:
    _, spark = layers(quiet)
    with tarfile.open(spark.path) as archive:
        members = {member.name: member for member in archive}

    assert {"opt/spark/bin/spark-submit", "opt/spark/examples/src/main/python/pi.py"} <= set(members)
    assert "opt/spark/python/lib/pyspark.zip" in members
    assert any(name.startswith("opt/spark/jars/spark-kubernetes_") for name in members)
    assert {(member.uid, member.gid, member.uname) for member in members.values()} == {(0, 0, "root")}
    assert members["opt/spark/bin/spark-submit"].mode & 0o111
    assert not [name for name in members if "__pycache__" in name]


def test_a_second_call_makes_nothing_and_the_digest_is_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []

    def write(_tree: Path, layer: Path) -> None:
        made.append(layer)
        layer.write_bytes(b"spark")

    monkeypatch.setattr(module, "_write_spark", write)

    first, second = layers(quiet), layers(quiet)

    assert first == second
    assert len(made) == 1
    assert [each.digest for each in first] == [hashlib.sha256(text).hexdigest() for text in (b"debian", b"spark")]


def test_other_packages_make_another_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_write_spark", lambda _tree, layer: layer.write_bytes(b"spark"))
    debian, spark = layers(quiet)
    monkeypatch.setattr(module, "PACKAGES", (*module.PACKAGES, "curl"))
    other, same = layers(quiet)

    assert other.path != debian.path
    assert same == spark


def test_what_fails_halfway_leaves_no_layer(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(tree: Path, layer: Path) -> None:
        tree.mkdir()
        layer.write_bytes(b"half")
        raise CannotBuildError("no route to the mirror")

    monkeypatch.setattr(module, "_write_debian", fail)
    with pytest.raises(CannotBuildError, match="no route"):
        layers(quiet)

    assert [path.name for path in cache.iterdir()] == [".lock"]


def test_debian_has_the_packages_of_the_dockerfile() -> None:
    install = re.search(r"apt-get install --yes --no-install-recommends ([\w .+-]+)", RUNTIME)

    assert install is not None
    assert sorted(install[1].split()) == sorted(module.PACKAGES)


def test_java_and_the_user_are_where_the_dockerfile_puts_them() -> None:
    for words in (
        'ln -s "$(dirname "$(dirname "$(readlink -f /usr/bin/java)")")" /opt/java',
        "groupadd --gid 185 spark",
        "useradd --uid 185 --gid 185 --home-dir /opt/spark/work-dir --no-create-home --shell /usr/sbin/nologin spark",
    ):
        assert words in RUNTIME
        assert words in module._FINISH
