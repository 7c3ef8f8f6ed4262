"""Images without a registry: an OCI archive, written as a stream into `ctr images import`.

Names that begin with `localhost/` are taken by containerd as they are. Layers are not compressed: nothing travels.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from testbed.real_node.files import PAUSE
from testbed.real_node.layers import USER_ID, Layer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SPARK: Final = "localhost/moka-testbed-spark:4.0"
ENTRYPOINT: Final = Path(__file__).parents[2] / "images" / "spark" / "entrypoint.sh"
NEED: Final = Path(__file__).with_name("need.py")
"""A job for tests, at /opt/moka/need.py in the image."""
_TYPES: Final = "application/vnd.oci.image"
_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True, kw_only=True)
class Image:
    """A name, layers and what a container runs unless it is told something else."""

    name: str
    layers: Sequence[Layer]
    config: Mapping[str, Any] = field(default_factory=dict)

    def write(self, to: IO[bytes]) -> None:
        """Write the image as an OCI archive."""
        blobs = [(layer.digest, layer.size) for layer in self.layers]
        config = _json(
            {
                "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
                "os": "linux",
                "config": dict(self.config),
                "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest, _size in blobs]},
                "history": [{"created_by": "testbed.real_node"} for _blob in blobs],
            }
        )
        manifest = _json(
            {
                "schemaVersion": 2,
                "mediaType": f"{_TYPES}.manifest.v1+json",
                "config": _descriptor(f"{_TYPES}.config.v1+json", _digest(config), len(config)),
                "layers": [_descriptor(f"{_TYPES}.layer.v1.tar", *blob) for blob in blobs],
            }
        )
        index = {
            "schemaVersion": 2,
            "manifests": [
                {
                    **_descriptor(f"{_TYPES}.manifest.v1+json", _digest(manifest), len(manifest)),
                    "annotations": {"io.containerd.image.name": self.name},
                }
            ],
        }
        with tarfile.open(fileobj=to, mode="w|") as archive:
            _add(archive, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
            for layer in self.layers:
                with layer.path.open("rb") as content:
                    archive.addfile(_member(f"blobs/sha256/{layer.digest}", layer.size), content)
            for document in (config, manifest):
                _add(archive, f"blobs/sha256/{_digest(document)}", document)
            _add(archive, "index.json", _json(index))


def pause_image(program: Path, scratch: Path) -> Image:
    """The image of the containers that hold pods' namespaces."""
    layer = small_layer(scratch / "pause.tar", {"pause": (program.read_bytes(), 0o755)})
    return Image(name=PAUSE, layers=[layer], config={"Entrypoint": ["/pause"]})


def spark_image(debian: Layer, spark: Layer, scratch: Path) -> Image:
    """Spark with the entrypoint of `images/spark`, what its Dockerfile sets, and a job for tests."""
    files = {"opt/entrypoint.sh": (ENTRYPOINT.read_bytes(), 0o755), "opt/moka/need.py": (NEED.read_bytes(), 0o644)}
    top = small_layer(scratch / "spark-top.tar", files, work="opt/spark/work-dir")
    environment = {
        "JAVA_HOME": "/opt/java",
        "LANG": "C.UTF-8",
        "SPARK_HOME": "/opt/spark",
        "PATH": "/opt/spark/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    }
    config = {
        "Env": [f"{name}={value}" for name, value in environment.items()],
        "WorkingDir": "/opt/spark/work-dir",
        "User": f"{USER_ID}:{USER_ID}",
        "Entrypoint": ["/opt/entrypoint.sh"],
    }
    return Image(name=SPARK, layers=[debian, spark, top], config=config)


def small_layer(path: Path, files: Mapping[str, tuple[bytes, int]], *, work: str = "") -> Layer:
    """A layer of a few files, {name: (content, mode)}, and a folder that Spark's user may write to."""
    with tarfile.open(path, "w") as archive:
        if work:
            folder = tarfile.TarInfo(work)
            folder.type, folder.mode, folder.uid, folder.gid = tarfile.DIRTYPE, 0o755, USER_ID, USER_ID
            archive.addfile(folder)
        for name, (content, mode) in files.items():
            _add(archive, name, content, mode=mode)
    return Layer(path=path, digest=_digest(path.read_bytes()))


def _member(name: str, size: int, mode: int = 0o644) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, mode
    return member


def _add(archive: tarfile.TarFile, name: str, content: bytes, *, mode: int = 0o644) -> None:
    archive.addfile(_member(name, len(content), mode), io.BytesIO(content))


def _descriptor(media_type: str, digest: str, size: int) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": size}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document).encode()
