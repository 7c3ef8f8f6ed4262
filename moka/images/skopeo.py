"""skopeo copies, buildah builds: no daemon, and as root no Docker anywhere.

Storage, isolation and the way to registries are buildah's own settings (`STORAGE_DRIVER`, `BUILDAH_ISOLATION`,
`registries.conf`); nothing of them is set here. Passwords go through a file of this process, never a command line.
"""

import atexit
import base64
import contextlib
import json
import os
import platform
import secrets
import shutil
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Final

from moka.images.tools import Manifest, Recipe, ToolError, absent, answer, loopback, work

_MACHINES: Final = {"x86_64": "linux/amd64", "aarch64": "linux/arm64", "arm64": "linux/arm64"}
_EMULATORS: Final = {"linux/amd64": "qemu-x86_64", "linux/arm64": "qemu-aarch64"}
_BINFMT: Final = Path("/proc/sys/fs/binfmt_misc")


class Skopeo:
    """The two programs."""

    name = "skopeo"

    def __init__(self) -> None:
        self._logins: dict[str, Path] = {}

    def manifest(self, reference: str) -> Manifest | None:
        words = ["skopeo", "inspect", "--raw", "--retry-times", "2", *self._login(reference, "--authfile")]
        try:
            return Manifest(raw=answer([*words, *_http(reference, "--tls-verify"), f"docker://{reference}"]))
        except ToolError as error:
            absent(error, reference)
            return None

    def log_in(self, host: str, user: str, password: str) -> None:
        folder = Path(tempfile.mkdtemp(prefix="moka-images-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        path = folder / "auth.json"
        auth = base64.b64encode(f"{user}:{password}".encode()).decode()
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"auths": {host: {"auth": auth}}}, file)
        self._logins[host] = path

    def copy(self, source: str, target: str) -> None:
        words = ["skopeo", "copy", "--all", "--preserve-digests", "--retry-times", "2"]
        words += [*self._login(source, "--src-authfile"), *_http(source, "--src-tls-verify")]
        words += [*self._login(target, "--dest-authfile"), *_http(target, "--dest-tls-verify")]
        work([*words, f"docker://{source}", f"docker://{target}"])

    def build(self, recipe: Recipe, name: str) -> None:
        work([*_bud(recipe), "--platform", ",".join(recipe.platforms), "--tag", name, "."], cwd=recipe.context)

    def build_and_push(self, recipe: Recipe, target: str) -> None:
        # a list that an interrupted run left would get this build's images beside its own
        name = f"localhost/moka-push-{secrets.token_hex(6)}"
        try:
            for each in recipe.platforms:
                work([*_bud(recipe), "--platform", each, "--manifest", name, "."], cwd=recipe.context)
            words = ["buildah", "manifest", "push", "--all", *self._login(target, "--authfile")]
            work([*words, *_http(target, "--tls-verify"), name, f"docker://{target}"])
        finally:
            # there is none when the first build failed, and what failed is told already
            with contextlib.suppress(ToolError):
                answer(["buildah", "manifest", "rm", name])

    def cannot_build(self, platforms: Collection[str]) -> str | None:
        own = _MACHINES.get(platform.machine())
        foreign = [each for each in platforms if each != own and not (_BINFMT / _EMULATORS.get(each, "-")).exists()]
        if not foreign:
            return None
        return (
            f"buildah cannot run {' and '.join(foreign)} on this {platform.machine()} machine; install emulation "
            f"(Debian: apt-get install qemu-user-static binfmt-support), build on Docker with a builder of that kind, or, "
            f"when no pool of the environment is of it, name the others with --platform"
        )

    def _login(self, reference: str, option: str) -> list[str]:
        path = self._logins.get(reference.split("/", 1)[0])
        return [] if path is None else [option, str(path)]


def _bud(recipe: Recipe) -> list[str]:
    return ["buildah", "bud", "--layers", "--format", "oci", *recipe.options()]


def _http(reference: str, option: str) -> list[str]:
    return [f"{option}=false"] if loopback(reference) else []
