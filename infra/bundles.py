"""The rendered manifests of environments as bundles, for the stacks that deliver them; made beside the synth and kept.

Charts are cdk8s: loading and rendering them takes longer than all stacks of an environment. So it is done in a process of its own, while
the CDK loads, and the result is kept in `.moka/manifests`, named by what it is made from: the environment, the sources of the charts,
the version of cdk8s. Without that folder the same comes out, a second or two later.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from environments import Environment
from k8s_manifests.own_images import OWN_IMAGES

ROOT: Final = Path(__file__).parents[1]
CACHE: Final = ROOT / ".moka" / "manifests"
KEPT: Final = 40
"""Environments in the cache; the oldest go."""
SOURCES: Final = (
    "k8s_manifests/**/*",
    "environments/**/*",
    "constructs/moka_constructs/manifest_set/handler/**/*",
    "infra/make_bundles.py",
)
"""What bundles are made by and from, as patterns of pathlib; files of Python and JSON count."""


class BundleError(Exception):
    """An environment cannot be rendered; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """The files of one set on one cluster."""

    file: Path
    digest: str
    """Of what is in it."""


Sets = Mapping[tuple[str, str], Bundle]
"""{(cluster, set): its bundle}."""


class Bundles:
    """Bundles of environments; what is not there yet is made by one process for all of them."""

    def __init__(self, folder: Path = CACHE) -> None:
        self._folder = _usable(folder)
        self._sources = sources_digest()
        self._maker: subprocess.Popen[str] | None = None

    def prepare(self, environments: Iterable[Environment]) -> None:
        """Start to make what is missing for those whose manifests are delivered; returns at once."""
        missing = [each for each in environments if _is_delivered(each) and not self._place(each).is_dir()]
        if not missing or self._maker is not None:
            return
        command = [sys.executable, "-O", "-m", "infra.make_bundles"]
        self._maker = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=_surroundings()
        )
        assert self._maker.stdin is not None
        for environment in missing:
            order = {"folder": str(self._place(environment)), "environment": environment.model_dump_json()}
            self._maker.stdin.write(json.dumps(order) + "\n")
        self._maker.stdin.close()

    def of(self, environment: Environment) -> Sets | None:
        """Return the bundles of an environment, waiting for them if need be; None where none are delivered.

        Raises BundleError when the environment cannot be rendered.
        """
        if not _is_delivered(environment):
            return None
        place = self._place(environment)
        if not place.is_dir():
            self.prepare([environment])
            self._wait()
            if not place.is_dir():
                # another call of prepare() was for other environments
                self.prepare([environment])
                self._wait()
        os.utime(place)
        return read_sets(place)

    def _wait(self) -> None:
        maker, self._maker = self._maker, None
        if maker is None:
            return
        assert maker.stderr is not None
        with maker:
            said = maker.stderr.read()
        if maker.returncode != 0:
            raise BundleError(said.strip() or f"the manifests were not made: exit code {maker.returncode}")
        _forget_oldest(self._folder)

    def _place(self, environment: Environment) -> Path:
        content = f"{self._sources}\n{environment.model_dump_json()}"
        return self._folder / hashlib.sha256(content.encode()).hexdigest()[:32]


def _is_delivered(environment: Environment) -> bool:
    return environment.delivery.manifests == "manifest_set"


def read_sets(place: Path) -> Sets:
    """Return the bundles of a folder of the cache."""
    found = {}
    for file in sorted(place.glob("*.zip")):
        cluster, set_name, digest = file.stem.split(".")
        found[cluster, set_name] = Bundle(file=file, digest=digest)
    return found


def sources_digest() -> str:
    """Return what changes when charts, the model of environments, the images that are built here or cdk8s change."""
    digest = hashlib.sha256()
    for pattern in SOURCES:
        for file in sorted(ROOT.glob(pattern)):
            if file.suffix in {".py", ".json"}:
                digest.update(f"{file.relative_to(ROOT)}\n".encode())
                digest.update(hashlib.sha256(file.read_bytes()).digest())
    # the tags of images that are built here follow from their sources, and stand in the manifests
    digest.update(" ".join(image.tag for image in OWN_IMAGES).encode())
    spec = find_spec("cdk8s")
    if spec is not None and spec.origin is not None:
        # importlib.metadata would take longer to load than all the files above to read
        packages = Path(spec.origin).parents[1]
        digest.update(" ".join(sorted(path.name for path in packages.glob("cdk8s-*.dist-info"))).encode())
    return digest.hexdigest()


def store(place: Path, bundles: Mapping[str, bytes]) -> None:
    """Write a folder of the cache, whole or not at all; `bundles` by file name, <cluster>.<set>.<digest>.zip."""
    place.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".new-", dir=place.parent))
    for name, content in bundles.items():
        (scratch / name).write_bytes(content)
    try:
        scratch.replace(place)
    except OSError:
        # somebody else was faster, with the same content
        shutil.rmtree(scratch)


def _usable(folder: Path) -> Path:
    """Return the folder, or one that goes with the machine's temporary files where it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return Path(tempfile.gettempdir()) / f"moka-manifests-{os.getuid()}"
    return folder if os.access(folder, os.W_OK) else Path(tempfile.gettempdir()) / f"moka-manifests-{os.getuid()}"


def _forget_oldest(folder: Path) -> None:
    places: Sequence[Path] = sorted(
        (path for path in folder.iterdir() if not path.name.startswith(".")), key=lambda path: path.stat().st_mtime
    )
    for place in places[:-KEPT]:
        shutil.rmtree(place, ignore_errors=True)


def _surroundings() -> dict[str, str]:
    """Return the environment of the process: what the CDK sets for its app is not for another one."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("CDK_", "JSII_AGENT"))}
