"""The archive is what the OCI layout says: every blob under its own digest, the layers as they are, the entrypoint our image's."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from testbed.real_node import image
from testbed.real_node.image import SPARK, Image, pause_image, small_layer, spark_image

ROOT = Path(__file__).parents[3]


def written(made: Image) -> dict[str, bytes]:
    """Write the image as it goes to containerd; returns {member: content}."""
    stream = io.BytesIO()
    made.write(stream)
    stream.seek(0)
    with tarfile.open(fileobj=stream) as archive:
        return {member.name: (archive.extractfile(member) or io.BytesIO()).read() for member in archive}


def opened(files: dict[str, bytes]) -> tuple[dict[str, Any], dict[str, Any], list[bytes]]:
    """Follow the archive from its index: the index' entry, the configuration, the layers."""
    (entry,) = json.loads(files["index.json"])["manifests"]
    manifest = json.loads(blob(files, entry))
    return entry, json.loads(blob(files, manifest["config"])), [blob(files, each) for each in manifest["layers"]]


def blob(files: dict[str, bytes], descriptor: dict[str, Any]) -> bytes:
    content = files[f"blobs/{descriptor['digest'].replace(':', '/')}"]
    assert len(content) == descriptor["size"]
    assert f"sha256:{hashlib.sha256(content).hexdigest()}" == descriptor["digest"]
    return content


@pytest.fixture
def spark(tmp_path: Path) -> dict[str, bytes]:
    base = small_layer(tmp_path / "base.tar", {"etc/os-release": (b"ID=debian\n", 0o644)})
    jars = small_layer(tmp_path / "jars.tar", {"opt/spark/jars/spark.jar": (b"jar", 0o644)})
    return written(spark_image(base, jars, tmp_path))


def test_every_blob_is_named_by_its_content_and_layers_keep_their_order(spark: dict[str, bytes]) -> None:
    entry, config, layers = opened(spark)

    assert entry["annotations"] == {"io.containerd.image.name": SPARK}
    assert json.loads(spark["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    digests = [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in layers]
    assert config["rootfs"] == {"type": "layers", "diff_ids": digests}
    names = [[member.name for member in tarfile.open(fileobj=io.BytesIO(layer))] for layer in layers]  # noqa: SIM115
    assert names == [
        ["etc/os-release"],
        ["opt/spark/jars/spark.jar"],
        ["opt/spark/work-dir", "opt/entrypoint.sh", "opt/moka/need.py"],
    ]


def test_it_runs_the_entrypoint_of_our_spark_image_as_user_185(spark: dict[str, bytes]) -> None:
    _, config, layers = opened(spark)
    with tarfile.open(fileobj=io.BytesIO(layers[-1])) as archive:
        script, work = archive.getmember("opt/entrypoint.sh"), archive.getmember("opt/spark/work-dir")
        content = archive.extractfile(script)
        assert content is not None
        assert content.read() == (ROOT / "images/spark/entrypoint.sh").read_bytes()

    assert script.mode == 0o755
    assert (work.isdir(), work.uid, work.gid) == (True, 185, 185)
    assert config["config"]["Entrypoint"] == ["/opt/entrypoint.sh"]
    assert config["config"]["User"] == "185:185"


def test_names_are_none_that_a_registry_is_asked_for(tmp_path: Path) -> None:
    program = tmp_path / "pause"
    program.write_bytes(b"\x7fELF")
    entry, config, _ = opened(written(pause_image(program, tmp_path)))

    assert config["config"]["Entrypoint"] == ["/pause"]
    for name in (entry["annotations"]["io.containerd.image.name"], image.SPARK):
        assert name.startswith("localhost/")
