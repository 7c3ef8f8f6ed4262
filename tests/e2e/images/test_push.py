"""`moka images push` with real skopeo between real registries: what a shell user sees, and what the registry then holds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from k8s_manifests.images import PAUSE, SPARK_OPERATOR, YUNIKORN_ADMISSION, YUNIKORN_SCHEDULER, Image
from tests.e2e.images.local_registry import Registry, publish, redirected

if TYPE_CHECKING:
    from collections.abc import Callable

MOKA = str(Path(sys.executable).with_name("moka"))
DEV = Path(__file__).parents[3] / "environments" / "dev.yaml"
BOTH = ("linux/amd64", "linux/arm64")
YUNIKORN = ("yunikorn-scheduler", "yunikorn-admission")


class World:
    """Upstream's registries, all in one, and an environment whose registry is another."""

    def __init__(self, folder: Path, upstream: Registry, target: Registry) -> None:
        self.folder = folder
        self.upstream = upstream
        self.target = target
        self.variables = redirected(dict.fromkeys(("docker.io", "ghcr.io", "registry.k8s.io"), upstream), folder)
        text = DEV.read_text()
        delivery = f"delivery:\n  registry: existing\n  registry_uri: {target.host}/company/moka\n\n"
        self.file = folder / "dev.yaml"
        self.file.write_text(re.sub(r"^delivery:\n(?:[ \n].*\n|\n)*", delivery, text, count=1, flags=re.MULTILINE))

    def publish(self, image: Image, *, content: str = "first", platforms: tuple[str, ...] = BOTH) -> str:
        """Upstream has it; its digest."""
        repository = f"{image.upstream}"
        return publish(self.upstream, repository, image.version, self.folder, platforms=platforms, content=content)

    def push(self, *names: str, **variables: str) -> subprocess.CompletedProcess[str]:
        only = [word for name in names if not name.startswith("--") for word in ("--only", name)]
        options = [name for name in names if name.startswith("--")]
        return subprocess.run(
            [MOKA, "images", "push", str(self.file), "--tool", "skopeo", *only, *options],
            env={**self.variables, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def has(self, image: Image) -> str | None:
        return self.target.digest(f"company/moka/{image.repository}", image.version)


@pytest.fixture
def world(tmp_path: Path, new_registry: Callable[..., Registry]) -> World:
    return World(tmp_path, new_registry("upstream"), new_registry("target"))


def test_a_push_copies_every_architecture_under_upstreams_digest_and_a_second_one_does_nothing(world: World) -> None:
    digests = {image: world.publish(image) for image in (YUNIKORN_SCHEDULER, YUNIKORN_ADMISSION)}

    first, second = world.push(*YUNIKORN), world.push(*YUNIKORN)

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    for image, digest in digests.items():
        reference = f"{world.target.host}/company/moka/{image.repository}:{image.version}"
        assert world.has(image) == digest
        assert f"copied {reference} {digest}\n" in first.stdout
        assert f"there {reference} {digest}\n" in second.stdout
    assert "copied" not in second.stdout
    assert "Copying" not in second.stderr, "skopeo copied again"


def test_a_dry_run_says_the_same_and_leaves_the_registry_empty(world: World) -> None:
    digest = world.publish(YUNIKORN_SCHEDULER)

    done = world.push("yunikorn-scheduler", "--dry-run")

    target = f"{world.target.host}/company/moka/yunikorn-scheduler:{YUNIKORN_SCHEDULER.version}"
    assert (done.returncode, done.stdout) == (0, f"copy {target} {digest}\n"), done.stderr
    assert world.target.repositories() == []


def test_everything_that_is_wrong_is_told_at_once_and_nothing_is_pushed(world: World) -> None:
    world.publish(YUNIKORN_SCHEDULER)
    moved = world.publish(PAUSE, content="not what the pin names")
    world.publish(SPARK_OPERATOR, platforms=("linux/amd64",))

    done = world.push(*YUNIKORN, "pause", "spark-operator")

    assert (done.returncode, done.stdout) == (1, "")
    assert "moka: nothing was pushed, 3 problems:" in done.stderr
    assert f"docker.io/apache/yunikorn:{YUNIKORN_ADMISSION.version} is not there" in done.stderr
    assert f"registry.k8s.io/pause:3.10 is {moved}, k8s_manifests/images.py pins {PAUSE.digest}" in done.stderr
    assert "spark-operator/controller:2.5.2 has no image for linux/arm64" in done.stderr
    assert "Traceback" not in done.stderr
    assert world.target.repositories() == []


def test_a_tag_that_holds_something_else_is_not_overwritten(world: World) -> None:
    repository = f"company/moka/{YUNIKORN_SCHEDULER.repository}"
    theirs = publish(
        world.target, repository, YUNIKORN_SCHEDULER.version, world.folder, platforms=BOTH, content="somebody else's"
    )
    ours = world.publish(YUNIKORN_SCHEDULER)

    done = world.push("yunikorn-scheduler")

    assert done.returncode == 1
    assert f"holds {theirs}, docker.io/apache/yunikorn:{YUNIKORN_SCHEDULER.version} is {ours}" in done.stderr
    assert world.has(YUNIKORN_SCHEDULER) == theirs


def test_what_is_there_stays_usable_while_upstream_is_down(world: World) -> None:
    digest = world.publish(YUNIKORN_SCHEDULER)
    assert world.push("yunikorn-scheduler").returncode == 0
    world.upstream.stop()

    done = world.push("yunikorn-scheduler")

    assert done.returncode == 0, done.stderr
    assert digest in done.stdout
    assert "upstream did not answer" in done.stdout


def test_a_registry_that_is_down_is_told_for_each_image(world: World) -> None:
    world.publish(YUNIKORN_SCHEDULER)
    world.target.stop()

    done = world.push(*YUNIKORN)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("cannot be asked: ") == 2
    assert "connection refused" in done.stderr


def test_a_registry_with_a_password_takes_the_programs_own_login(
    world: World, tmp_path: Path, new_registry: Callable[..., Registry]
) -> None:
    program = "import crypt; print('moka:' + crypt.crypt('secret', crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16)))"
    passwords = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], check=True, capture_output=True, text=True
    ).stdout
    locked = new_registry("locked", passwords=passwords)
    (tmp_path / "locked-world").mkdir()
    closed = World(tmp_path / "locked-world", world.upstream, locked)
    closed.publish(YUNIKORN_SCHEDULER)
    logins = {"REGISTRY_AUTH_FILE": str(tmp_path / "auth.json")}

    refused = closed.push("yunikorn-scheduler", **logins)
    words = ["skopeo", "login", "--tls-verify=false", "--username", "moka", "--password-stdin", locked.host]
    subprocess.run(words, input=b"secret", env={**os.environ, **logins}, check=True, capture_output=True)
    taken = closed.push("yunikorn-scheduler", **logins)

    assert refused.returncode == 1
    assert "authentication required" in refused.stderr
    assert taken.returncode == 0, taken.stderr
    assert taken.stdout.startswith("copied ")
