"""A Kubernetes object's identity, and what the delivery reads out of manifests."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

Manifest = Mapping[str, Any]
"""One Kubernetes object as JSON."""

SET_LABEL: Final = "moka.dev/set"
"""Says of which set an object is a member; nothing without it is ever pruned."""
CREATE_ONLY: Final = "moka.dev/create-only"
"""Annotation of a member that something in the cluster fills in: it is made when it is not there, and never written again."""
CRD: Final = "CustomResourceDefinition"
NAMESPACE: Final = "Namespace"

_TEMPLATES: Final = {
    "Pod": (),
    "Deployment": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
"""{kind that makes pods: where its pod template is}."""
WORKLOADS: Final = frozenset(_TEMPLATES)


@dataclass(frozen=True, order=True)
class Reference:
    """Which object. Two versions of a group's API are the same object."""

    group: str
    """API group; empty for the core."""
    version: str
    kind: str
    namespace: str
    """Empty for an object that lives in no namespace."""
    name: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What stays the same when a manifest moves to another version of its API."""
        return self.group, self.kind, self.namespace, self.name

    @property
    def api_version(self) -> str:
        """Return apps/v1, or v1 for the core."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace + '/' if self.namespace else ''}{self.name}"

    def to_text(self) -> str:
        """Return one line that `from_text` reads."""
        return f"{self.api_version} {self}"

    @staticmethod
    def from_text(text: str) -> "Reference":
        """Read a line of an inventory."""
        api_version, kind, place = text.split(" ")
        namespace, _, name = place.rpartition("/")
        group, _, version = api_version.rpartition("/")
        return Reference(group, version, kind, namespace, name)

    @staticmethod
    def of(manifest: Manifest) -> "Reference":
        """Return the identity of a manifest; ValueError when it has none."""
        metadata = manifest.get("metadata") or {}
        missing = [key for key in ("apiVersion", "kind") if not manifest.get(key)]
        if missing or not metadata.get("name"):
            raise ValueError(f"a manifest needs apiVersion, kind and metadata.name, got {sorted(manifest)}")
        group, _, version = str(manifest["apiVersion"]).rpartition("/")
        return Reference(group, version, str(manifest["kind"]), metadata.get("namespace") or "", str(metadata["name"]))


def is_create_only(manifest: Manifest) -> bool:
    """Whether the cluster's own copy is never to be overwritten."""
    annotations = manifest["metadata"].get("annotations") or {}
    return bool(annotations.get(CREATE_ONLY) == "true")


def with_label(manifest: Manifest, set_name: str) -> dict[str, Any]:
    """Return the manifest with the label of its set."""
    metadata = manifest["metadata"]
    return {**manifest, "metadata": {**metadata, "labels": {**(metadata.get("labels") or {}), SET_LABEL: set_name}}}


def pod_spec(manifest: Manifest) -> Mapping[str, Any] | None:
    """Return the spec of the pods that an object makes; None when it makes none."""
    path = _TEMPLATES.get(manifest["kind"])
    if path is None:
        return None
    node: Mapping[str, Any] = manifest
    for key in (*path, "spec"):
        node = node.get(key) or {}
    return node


def images(manifest: Manifest) -> Iterator[str]:
    """Yield the images of an object's containers."""
    spec = pod_spec(manifest) or {}
    for field in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(field) or ():
            if container.get("image"):
                yield str(container["image"])


def keys(references: Iterable[Reference]) -> set[tuple[str, str, str, str]]:
    """Return the identities, API versions left out."""
    return {reference.key for reference in references}
