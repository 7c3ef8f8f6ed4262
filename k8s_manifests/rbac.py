"""Service accounts and their permissions: a rule is written once, a role and its binding always come together.

No rule here may hold a wildcard: `*` grants what later versions add, and nobody notices.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from k8s_manifests.base import MokaChart
from k8s_manifests.errors import ChartError
from k8s_manifests.kinds import Kind

_API_GROUP = "rbac.authorization.k8s.io"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One policy rule."""

    groups: tuple[str, ...] = ("",)
    """API groups; the empty string is the core group."""
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    names: tuple[str, ...] = ()
    """Objects that the rule is limited to; none means all. `create`, `list` and `watch` cannot be limited by name."""

    def __post_init__(self) -> None:
        if "*" in (*self.groups, *self.resources, *self.verbs):
            raise ChartError(f"rule for {', '.join(self.resources)}", "holds the wildcard *; name what is needed")
        unlimited = sorted({"create", "deletecollection"} & set(self.verbs))
        if self.names and unlimited:
            raise ChartError(
                f"rule for {', '.join(self.resources)}",
                f"limits {', '.join(unlimited)} by object name, which never matches; move it to a rule without `names`",
            )

    def manifest(self) -> dict[str, Any]:
        rule: dict[str, Any] = {"apiGroups": list(self.groups), "resources": list(self.resources)}
        if self.names:
            rule["resourceNames"] = list(self.names)
        return {**rule, "verbs": list(self.verbs)}


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The service account that a binding gives permissions to."""

    name: str
    namespace: str

    def manifest(self) -> dict[str, str]:
        return {"kind": "ServiceAccount", "name": self.name, "namespace": self.namespace}


@dataclass(frozen=True, kw_only=True)
class Group:
    """A group of Kubernetes users that a binding gives permissions to; an access entry of EKS puts an AWS role into it."""

    name: str

    def manifest(self) -> dict[str, str]:
        return {"apiGroup": _API_GROUP, "kind": "Group", "name": self.name}


def irsa(role_arn: str | None) -> dict[str, str] | None:
    """Return the annotation by which EKS gives pods of a service account that role; none where Pod Identity does."""
    return None if role_arn is None else {"eks.amazonaws.com/role-arn": role_arn}


def add_service_account(
    chart: MokaChart,
    subject: Subject,
    *,
    annotations: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
) -> None:
    """Add the service account; pods say themselves whether they mount its token."""
    body = {"automountServiceAccountToken": False}
    chart.add(
        Kind.SERVICE_ACCOUNT, subject.name, body, namespace=subject.namespace, annotations=annotations, labels=labels
    )


def add_role(
    chart: MokaChart,
    name: str,
    rules: tuple[Rule, ...],
    *,
    namespace: str,
    subject: Subject | Group,
    labels: Mapping[str, str] | None = None,
) -> None:
    """Add a Role in `namespace` and a RoleBinding of the same name that gives it to `subject`."""
    chart.add(Kind.ROLE, name, {"rules": [rule.manifest() for rule in rules]}, namespace=namespace, labels=labels)
    chart.add(Kind.ROLE_BINDING, name, _binding("Role", name, subject), namespace=namespace, labels=labels)


def add_cluster_role(
    chart: MokaChart, name: str, rules: tuple[Rule, ...], *, subject: Subject, labels: Mapping[str, str] | None = None
) -> None:
    """Add a ClusterRole and a ClusterRoleBinding of the same name that gives it to `subject` in every namespace."""
    chart.add(Kind.CLUSTER_ROLE, name, {"rules": [rule.manifest() for rule in rules]}, labels=labels)
    chart.add(Kind.CLUSTER_ROLE_BINDING, name, _binding("ClusterRole", name, subject), labels=labels)


def _binding(role_kind: str, role: str, subject: Subject | Group) -> dict[str, Any]:
    return {
        "roleRef": {"apiGroup": _API_GROUP, "kind": role_kind, "name": role},
        "subjects": [subject.manifest()],
    }
