"""A set as it travels: a zip with the objects of each rendered file as JSON, which a function without a YAML reader can read."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence

from .order import ManifestFile


def read(content: bytes) -> tuple[ManifestFile, ...]:
    """Return the files of a bundle. ValueError when it is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = sorted(name for name in archive.namelist() if name.endswith(".json"))
            return tuple(
                ManifestFile(name=f"{name.removesuffix('.json')}.yaml", manifests=tuple(json.loads(archive.read(name))))
                for name in names
            )
    except zipfile.BadZipFile as error:
        raise ValueError(f"a bundle is a zip file, got {len(content)} bytes that are none") from error


def contents(files: Sequence[ManifestFile]) -> dict[str, str]:
    """Return {name in the zip: text} of `files`: `20-spark-operator.json` for `20-spark-operator.yaml`."""
    return {
        f"{file.name.removesuffix('.yaml')}.json": json.dumps(file.manifests, separators=(",", ":"))
        for file in sorted(files, key=lambda each: each.name)
    }


def digest(texts: Mapping[str, str]) -> str:
    """Return what changes with the content alone: two machines may compress the same content differently."""
    found = hashlib.sha256()
    for name, text in texts.items():
        found.update(hashlib.sha256(name.encode()).digest() + hashlib.sha256(text.encode()).digest())
    return found.hexdigest()


def write(texts: Mapping[str, str]) -> bytes:
    """Return a zip of `texts`; the same input gives the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            _add(archive, name, text)
    return buffer.getvalue()


def _add(archive: zipfile.ZipFile, name: str, text: str) -> None:
    # no clock, no owner: the bytes are the content's alone
    entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, text.encode())
