"""The chart that every component's chart is: objects by kind, with namespace, name and label rules enforced.

Order matters and is the order of creation: a service account before its binding, both before the Deployment. Names
carry no hash, because other objects and the operator's code refer to them. A chart never reads an environment: it gets
typed props, and `from_environment.py` makes those from an `Environment`.
"""

import re
from collections.abc import Mapping
from typing import Any

import cdk8s
from constructs import Construct

from k8s_manifests import labels as label_rules
from k8s_manifests.errors import ChartError
from k8s_manifests.kinds import Kind

Manifest = dict[str, Any]
"""One Kubernetes object as JSON: apiVersion, kind, metadata and the kind's own fields."""

_SUBDOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_RBAC_NAME = re.compile(r"[^/%]+")
_RBAC_KINDS = frozenset({Kind.ROLE, Kind.ROLE_BINDING, Kind.CLUSTER_ROLE, Kind.CLUSTER_ROLE_BINDING})
_LABEL_NAMES = frozenset({Kind.SERVICE, Kind.NAMESPACE})
"""Kinds whose name is a DNS label of at most 63 characters; other names are DNS subdomains of at most 253."""


class MokaChart(cdk8s.Chart):
    """A component's objects, all with the component's labels.

    `labels` go on every object; they are checked against Kubernetes' limits here, once.
    """

    def __init__(self, scope: Construct, construct_id: str, *, labels: Mapping[str, str]) -> None:
        super().__init__(scope, construct_id, disable_resource_name_hashes=True, labels=dict(labels))
        self._path = construct_id
        self._added: set[str] = set()
        self._refuse(label_rules.problems(dict(labels)), construct_id)

    def add(
        self,
        kind: Kind,
        name: str,
        body: Mapping[str, Any] | None = None,
        *,
        namespace: str | None = None,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> None:
        """Add one object; `body` holds the kind's own top-level fields (spec, rules, data, …) in the order to print.

        Raises ChartError for a bad name or label, a namespace that is missing or must not be there, or a second object
        of the same kind, namespace and name.
        """
        where = f"{self._path}/{kind.kind}/{namespace + '/' if namespace else ''}{name}"
        self._refuse(_placement_problems(kind, name, namespace) + label_rules.problems(dict(labels or {})), where)
        construct_id = f"{kind.kind}.{namespace or ''}.{name}"
        if construct_id in self._added:
            raise ChartError(where, "is in the chart twice; give one of the two another name")
        self._added.add(construct_id)
        # None, not an empty mapping, when there is nothing: cdk8s would print `annotations: {}`
        metadata = cdk8s.ApiObjectMetadata(
            name=name,
            namespace=namespace,
            labels=dict(labels) if labels else None,
            annotations=dict(annotations) if annotations else None,
        )
        added = cdk8s.ApiObject(self, construct_id, api_version=kind.api_version, kind=kind.kind, metadata=metadata)
        if body:
            # each use of cdk8s is a call into another process: one for all fields
            added.add_json_patch(*(cdk8s.JsonPatch.add(f"/{field}", value) for field, value in body.items()))

    def manifests(self) -> tuple[Manifest, ...]:
        """Return the chart's objects in the order in which they were added."""
        return tuple(self.to_json())

    @staticmethod
    def _refuse(found: list[str], where: str) -> None:
        if found:
            raise ChartError(where, "; ".join(found))


def _placement_problems(kind: Kind, name: str, namespace: str | None) -> list[str]:
    """Return what is wrong with an object's name and namespace, one sentence each."""
    found = []
    if kind.namespaced and namespace is None:
        found.append(f"a {kind.kind} lives in a namespace; pass `namespace`")
    if not kind.namespaced and namespace is not None:
        found.append(f"a {kind.kind} lives in no namespace, got {namespace!r}; leave `namespace` out")
    pattern = _RBAC_NAME if kind in _RBAC_KINDS else _SUBDOMAIN
    longest = 63 if kind in _LABEL_NAMES else 253
    if len(name) > longest or not pattern.fullmatch(name) or (kind in _LABEL_NAMES and "." in name):
        found.append(f"name must be a DNS name of at most {longest} characters, got {name!r}; rename it")
    return found
