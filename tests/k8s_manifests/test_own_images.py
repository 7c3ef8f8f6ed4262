"""The tag of an image that is built here follows from what it is made from, and from nothing else."""

import re
import shutil
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from k8s_manifests.own_images import ARCHER, OWN_IMAGES, ROOT, SPARK, OwnImage, spark_features


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of all that the two images are made from."""
    shutil.copytree(ROOT / "archer", tmp_path / "archer", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "images", tmp_path / "images")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_a_tag_is_the_version_and_the_start_of_the_hash() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    assert ARCHER.tag == f"{version}-{ARCHER.inputs[:12]}"
    assert re.fullmatch(r"4\.0\.\d+-[0-9a-f]{12}", SPARK.tag)
    assert SPARK.in_registry("example.com/moka-dev") == f"example.com/moka-dev/spark:{SPARK.tag}"


@pytest.mark.parametrize("image", OWN_IMAGES, ids=lambda image: image.repository)
def test_a_copy_of_the_tree_asks_for_the_same_tag(image: OwnImage, tree: Path) -> None:
    (tree / "archer" / "__pycache__").mkdir()
    (tree / "archer" / "__pycache__" / "x.pyc").write_bytes(b"made by a run")

    assert replace(image, root=tree).tag == image.tag


@pytest.mark.parametrize(
    ("image", "changed"),
    [
        (ARCHER, "archer/web/templates/base.html"),
        (ARCHER, "images/archer/requirements.lock"),
        (ARCHER, "images/archer/Dockerfile"),
        (SPARK, "images/spark/jars.lock"),
        (SPARK, "images/spark/entrypoint.sh"),
        (SPARK, "images/spark/Dockerfile"),
    ],
)
def test_a_change_of_what_is_inside_asks_for_another_tag(image: OwnImage, changed: str, tree: Path) -> None:
    path = tree / changed
    path.write_bytes(path.read_bytes() + b"\n")

    assert replace(image, root=tree).tag != image.tag
    other = SPARK if image is ARCHER else ARCHER
    assert replace(other, root=tree).tag == other.tag


def test_a_renamed_file_asks_for_another_tag(tree: Path) -> None:
    (tree / "archer" / "clock.py").rename(tree / "archer" / "clocks.py")

    assert replace(ARCHER, root=tree).inputs != ARCHER.inputs


@pytest.mark.parametrize("image", OWN_IMAGES, ids=lambda image: image.repository)
def test_every_path_that_a_dockerfile_copies_is_hashed(image: OwnImage) -> None:
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.*)$", (ROOT / image.dockerfile).read_text(), re.MULTILINE)
        for source in [word for word in line.split() if not word.startswith("--")][:-1]
    ]

    assert copied
    assert set(copied) == set(image.contents)


@pytest.mark.parametrize("image", OWN_IMAGES, ids=lambda image: image.repository)
def test_the_dockerfile_runs_as_the_user_that_charts_are_told(image: OwnImage) -> None:
    text = (ROOT / image.dockerfile).read_text()

    assert f"\nUSER {image.user}:{image.user}\n" in text
    assert f"--uid {image.user} --gid {image.user} " in text


def test_a_tree_without_the_sources_is_told_instead_of_hashed(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="built from a clone of the project"):
        _ = replace(ARCHER, root=tmp_path).inputs


def test_features_are_those_of_the_lock_and_one_that_is_not_built_says_why() -> None:
    features = spark_features()

    assert [feature.name for feature in features] == ["s3a", "committers", "celeborn"]
    assert all(bool(feature.why_not) != feature.built for feature in features)
