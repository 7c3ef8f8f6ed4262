"""The Dockerfiles, the bake file and the jars' lock say the same."""

import re
import tomllib
from pathlib import Path

import pytest

IMAGES = Path(__file__).parents[2] / "images"
DOCKERFILES = sorted(IMAGES.glob("*/Dockerfile"))
BAKE = (IMAGES / "docker-bake.hcl").read_text()
LOCK = tomllib.loads((IMAGES / "spark" / "jars.lock").read_text())
DEFAULTS = dict(re.findall(r'variable "(\w+)" \{\s+default = "([^"]*)"', BAKE))


def arguments(dockerfile: str) -> dict[str, str]:
    return dict(re.findall(r"^ARG (\w+)=(.*)$", (IMAGES / dockerfile).read_text(), re.MULTILINE))


def test_there_is_an_image_for_archer_and_one_for_spark() -> None:
    assert [path.parent.name for path in DOCKERFILES] == ["archer", "spark"]


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.parent.name)
def test_the_base_is_an_argument_pinned_by_digest_and_the_only_image_from_outside(path: Path) -> None:
    text = path.read_text()
    stages = set(re.findall(r"^FROM \S+ AS (\w+)$", text, re.MULTILINE))

    assert re.search(r"^ARG BASE=docker\.io/library/debian@sha256:[0-9a-f]{64}$", text, re.MULTILINE)
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) - stages == {"${BASE}"}


def test_both_images_stand_on_the_same_base() -> None:
    assert arguments("archer/Dockerfile")["BASE"] == arguments("spark/Dockerfile")["BASE"]


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.parent.name)
def test_code_is_copied_after_everything_that_changes_less(path: Path) -> None:
    final = path.read_text().rsplit("\nFROM runtime\n", 1)[1]
    copies = re.findall(r"^COPY (?:--\S+ )*(\S+)", final, re.MULTILINE)

    order = {
        "archer": ["/authorities/", "/opt/archer/packages", "/opt/archer/program"],
        "spark": ["/opt/spark", "/jars/", "images/spark/entrypoint.sh"],
    }
    assert copies == order[path.parent.name]
    assert "\nRUN" not in final, "a RUN here would copy jars into one more layer"


def test_features_are_the_same_in_the_lock_the_dockerfile_and_the_bake_file() -> None:
    built = {name: "1" if feature["built"] else "0" for name, feature in LOCK["features"].items()}
    names = ",".join(name for name, on in built.items() if on == "1")
    dockerfile = arguments("spark/Dockerfile")

    assert {f"WITH_{name.upper()}": on for name, on in built.items()} == {
        name: value for name, value in dockerfile.items() if name.startswith("WITH_")
    }
    assert dockerfile["FEATURES"] == names
    assert {name: DEFAULTS[name] for name in DEFAULTS if name.startswith("WITH_")} == {
        **{f"WITH_{name.upper()}": on for name, on in built.items()},
        "WITH_RDS_AUTHORITIES": arguments("archer/Dockerfile")["WITH_RDS_AUTHORITIES"],
    }
    label = BAKE[BAKE.index("FEATURES = join") :]
    assert re.findall(r'WITH_(\w+) == "1" \? "(\w+)" : ""', label) == [(name.upper(), name) for name in built]


def test_the_version_in_archers_image_is_the_projects() -> None:
    project = tomllib.loads((IMAGES.parent / "pyproject.toml").read_text())["project"]

    assert arguments("archer/Dockerfile")["VERSION"] == project["version"]
    assert 'metadata.py moka "${VERSION}"' in (IMAGES / "archer" / "Dockerfile").read_text()
    assert project["name"] == "moka"


def test_bake_builds_both_images_for_both_architectures() -> None:
    assert DEFAULTS["PLATFORMS"] == "linux/amd64,linux/arm64"
    assert 'targets = ["archer", "spark"]' in BAKE
    for path in DOCKERFILES:
        assert f'dockerfile = "images/{path.parent.name}/Dockerfile"' in BAKE


def test_what_an_image_was_made_from_is_a_label_of_the_command_line_and_not_of_the_dockerfile() -> None:
    # buildah's cache keeps a label that names an argument when nothing but the argument changes
    for path in DOCKERFILES:
        assert "moka.dev/inputs" not in path.read_text()
        assert f'"moka.dev/inputs" = {path.parent.name.upper()}_INPUTS' in BAKE


def test_the_build_context_holds_no_more_than_the_images_need() -> None:
    lines = (IMAGES.parent / ".dockerignore").read_text().splitlines()

    assert [line for line in lines if not line.startswith("#")] == [
        "*",
        "!archer",
        "!images",
        "**/__pycache__",
    ]
