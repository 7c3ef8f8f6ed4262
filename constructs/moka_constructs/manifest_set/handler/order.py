"""The order of a set: CRDs, namespaces, then file by file, in each file first what workloads need, then the workloads."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .references import CRD, NAMESPACE, WORKLOADS, Manifest, Reference


@dataclass(frozen=True, kw_only=True)
class ManifestFile:
    """One rendered file."""

    name: str
    """`20-spark-operator.yaml`; files are applied in the order of their names."""
    manifests: tuple[Manifest, ...]


@dataclass(frozen=True, kw_only=True)
class Wave:
    """Objects that may be applied at the same time, after all earlier waves."""

    name: str
    manifests: tuple[Manifest, ...]


def waves(files: Sequence[ManifestFile]) -> Iterator[Wave]:
    """Yield the waves of a set, empty ones left out."""
    files = sorted(files, key=lambda file: file.name)
    everything = [manifest for file in files for manifest in file.manifests]
    found = [
        Wave(name="CRDs", manifests=tuple(each for each in everything if each["kind"] == CRD)),
        Wave(name="namespaces", manifests=tuple(each for each in everything if each["kind"] == NAMESPACE)),
    ]
    for file in files:
        rest = [each for each in file.manifests if each["kind"] not in {CRD, NAMESPACE}]
        found += [
            Wave(name=file.name, manifests=tuple(each for each in rest if each["kind"] not in WORKLOADS)),
            Wave(name=file.name, manifests=tuple(each for each in rest if each["kind"] in WORKLOADS)),
        ]
    yield from (wave for wave in found if wave.manifests)


def repeated(files: Sequence[ManifestFile]) -> list[Reference]:
    """Return the objects that a set names more than once, which would overwrite each other for ever."""
    seen: set[tuple[str, str, str, str]] = set()
    found = []
    for file in files:
        for manifest in file.manifests:
            reference = Reference.of(manifest)
            if reference.key in seen:
                found.append(reference)
            seen.add(reference.key)
    return found
