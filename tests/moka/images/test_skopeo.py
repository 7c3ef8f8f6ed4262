"""How skopeo and buildah are called; tests/e2e/images has the real ones."""

import json
import platform
from pathlib import Path

import pytest

from moka.images import skopeo
from moka.images.skopeo import Skopeo
from moka.images.tools import Recipe, ToolError
from tests.moka.images.conftest import BOTH, Programs

RECIPE = Recipe(
    context=Path("/"), dockerfile="images/archer/Dockerfile", arguments={}, labels={"inputs": "i"}, platforms=BOTH
)
HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"


def test_a_login_is_a_file_for_its_registry_alone_that_nobody_else_reads(programs: Programs) -> None:
    programs.add("skopeo")
    tool = Skopeo()
    tool.log_in(HOST, "AWS", "secret")
    tool.copy("docker.io/a@sha256:1", f"{HOST}/a:1")

    (call,) = programs.calls()
    assert "--src-authfile" not in call
    path = Path(call[call.index("--dest-authfile") + 1])
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text()) == {"auths": {HOST: {"auth": "QVdTOnNlY3JldA=="}}}
    assert "secret" not in " ".join(call)


def test_a_copy_takes_every_architecture_and_keeps_the_digest(programs: Programs) -> None:
    programs.add("skopeo")

    Skopeo().copy("docker.io/a@sha256:1", "127.0.0.1:5000/a:1")

    (call,) = programs.calls()
    assert call[:4] == ["skopeo", "copy", "--all", "--preserve-digests"]
    assert call[-2:] == ["docker://docker.io/a@sha256:1", "docker://127.0.0.1:5000/a:1"]
    assert "--dest-tls-verify=false" in call
    assert "--src-tls-verify=false" not in call


def test_platforms_are_built_into_one_list_which_is_pushed_and_taken_away(programs: Programs) -> None:
    programs.add("buildah")

    Skopeo().build_and_push(RECIPE, f"{HOST}/archer:1")

    first, second, push, remove = programs.calls()
    name = first[first.index("--manifest") + 1]
    assert [call[call.index("--platform") + 1] for call in (first, second)] == list(BOTH)
    assert second[second.index("--manifest") + 1] == name
    assert push[:4] == ["buildah", "manifest", "push", "--all"]
    assert push[-2:] == [name, f"docker://{HOST}/archer:1"]
    assert first[first.index("--label") + 1] == "inputs=i"
    assert remove == ["buildah", "manifest", "rm", name]


def test_a_build_that_fails_leaves_no_list_and_pushes_nothing(programs: Programs) -> None:
    programs.add("buildah", code=1)

    with pytest.raises(ToolError):
        Skopeo().build_and_push(RECIPE, f"{HOST}/archer:1")

    assert [call[1:3] for call in programs.calls()] == [["bud", "--layers"], ["manifest", "rm"]]


def test_an_architecture_that_cannot_run_here_is_told_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(skopeo, "_BINFMT", tmp_path)

    told = Skopeo().cannot_build(BOTH)
    assert told is not None
    assert told.startswith("buildah cannot run linux/arm64 on this x86_64 machine; install emulation")
    assert "--platform" in told
    assert Skopeo().cannot_build(("linux/amd64",)) is None
    (tmp_path / "qemu-aarch64").touch()
    assert Skopeo().cannot_build(BOTH) is None
