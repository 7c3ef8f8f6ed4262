"""How Docker is called. No Docker runs here: what it does with this is not shown by these tests."""

from pathlib import Path

from moka.images.docker import Docker
from moka.images.tools import Recipe
from tests.moka.images.conftest import BOTH, Programs

RECIPE = Recipe(
    context=Path("/"),
    dockerfile="images/archer/Dockerfile",
    arguments={"BASE": "b"},
    labels={"inputs": "i"},
    platforms=BOTH,
)
TARGET = "registry.example.com/moka/archer:1"


def test_a_copy_is_one_index_made_of_one_source(programs: Programs) -> None:
    programs.add("docker")

    Docker().copy("upstream.example.com/a@sha256:1", "registry.example.com/a:1")

    assert programs.calls() == [
        [
            "docker",
            "buildx",
            "imagetools",
            "create",
            "--tag",
            "registry.example.com/a:1",
            "upstream.example.com/a@sha256:1",
        ]
    ]


def test_a_push_builds_all_platforms_in_one_go(programs: Programs) -> None:
    programs.add("docker")

    Docker().build_and_push(RECIPE, TARGET)

    (call,) = programs.calls()
    assert call[:5] == ["docker", "buildx", "build", "--platform", "linux/amd64,linux/arm64"]
    assert call[5:] == [
        *("--file", "images/archer/Dockerfile"),
        *("--build-arg", "BASE=b", "--label", "inputs=i"),
        *("--push", "--tag", TARGET, "."),
    ]


def test_the_password_goes_through_stdin(programs: Programs) -> None:
    programs.add("docker")

    Docker().log_in("registry.example.com", "AWS", "secret")

    assert programs.calls() == [
        ["docker", "login", "--username", "AWS", "--password-stdin", "registry.example.com", "secret"]
    ]


def test_a_manifest_is_the_raw_bytes_and_a_missing_one_is_none(programs: Programs) -> None:
    programs.add("docker", says='{"manifests": []}')
    found = Docker().manifest(TARGET)
    assert found is not None
    assert found.raw == b'{"manifests": []}'

    programs.add("docker", complains=f"ERROR: {TARGET}: not found", code=1)
    assert Docker().manifest(TARGET) is None
