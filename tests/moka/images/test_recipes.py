import re
from dataclasses import replace
from pathlib import Path

import pytest

from k8s_manifests.own_images import ARCHER, ROOT, SPARK
from moka.images.recipes import recipe_of

PLATFORMS = ("linux/arm64",)


@pytest.fixture(autouse=True)
def _no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WITH_RDS_AUTHORITIES", raising=False)


def test_an_image_is_built_from_the_tree_with_the_hash_of_its_inputs_as_label() -> None:
    recipe = recipe_of(ARCHER, PLATFORMS)

    assert recipe.context == ROOT
    assert recipe.dockerfile == "images/archer/Dockerfile"
    assert recipe.arguments == {"WITH_RDS_AUTHORITIES": "1"}
    assert recipe.labels == {"moka.dev/inputs": ARCHER.inputs}
    assert recipe.platforms == PLATFORMS


def test_a_base_replaces_the_pinned_one() -> None:
    assert recipe_of(ARCHER, PLATFORMS, "localhost/base:1").arguments["BASE"] == "localhost/base:1"


def test_a_builder_that_cannot_reach_aws_leaves_the_authorities_of_rds_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WITH_RDS_AUTHORITIES", "0")

    assert recipe_of(ARCHER, PLATFORMS).arguments["WITH_RDS_AUTHORITIES"] == "0"


def test_features_of_spark_are_those_of_the_tree(tmp_path: Path) -> None:
    folder = tmp_path / "images" / "spark"
    folder.mkdir(parents=True)
    for path in (ROOT / "images" / "spark").iterdir():
        folder.joinpath(path.name).write_bytes(path.read_bytes())
    lock = folder / "jars.lock"
    lock.write_text(re.sub(r"(features\.s3a\]\nbuilt = )true", r"\1false", lock.read_text()))

    arguments = recipe_of(replace(SPARK, root=tmp_path), PLATFORMS).arguments

    assert (arguments["WITH_S3A"], arguments["WITH_COMMITTERS"], arguments["WITH_CELEBORN"]) == ("0", "1", "0")
    assert arguments["FEATURES"] == "committers"


def test_every_argument_is_one_that_the_dockerfile_takes() -> None:
    for image in (ARCHER, SPARK):
        declared = set(re.findall(r"^ARG (\w+)", (ROOT / image.dockerfile).read_text(), re.MULTILINE))

        # the version alone is the Dockerfile's own
        assert set(recipe_of(image, PLATFORMS, "base").arguments) == declared - {"VERSION"}
