"""Who may do what, worked out from rendered manifests: the Roles and ClusterRoles through the bindings that give them away.

One verb on one resource in one place is one right, so sets of them can be compared: with the committed table, and with what
a real API server says. A binding of a role that is not rendered is refused: its rights would not be in the table.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from k8s_manifests.base import Manifest
from k8s_manifests.errors import ChartError

_BINDINGS = {"RoleBinding", "ClusterRoleBinding"}


@dataclass(frozen=True, order=True)
class Right:
    """One verb on one resource, allowed to one account."""

    account: str
    """`namespace/name` of a service account, or `group name`."""
    where: str
    """A namespace; empty: the whole cluster."""
    resource: str
    """As kubectl writes it: `pods`, `pods/log`, `jobs.batch`, `sparkapplications.sparkoperator.k8s.io/status`."""
    name: str
    """The one object that it is limited to; empty: all."""
    verb: str


def rights_of(manifests: Iterable[Manifest]) -> frozenset[Right]:
    """Return every right that the bindings among `manifests` give. Raises ChartError for a role that is not among them."""
    known = list(manifests)
    roles = {
        (each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"]): each["rules"]
        for each in known
        if each["kind"] in {"Role", "ClusterRole"}
    }
    found: set[Right] = set()
    for binding in known:
        if binding["kind"] not in _BINDINGS:
            continue
        where, role = binding["metadata"].get("namespace", ""), binding["roleRef"]
        key = (role["kind"], where if role["kind"] == "Role" else "", role["name"])
        if key not in roles:
            raise ChartError(
                f"{binding['kind']} {binding['metadata']['name']}",
                f"gives away {role['kind']} {role['name']}, which no chart renders; render it, so that its rights are known",
            )
        for subject in binding["subjects"]:
            for rule in roles[key]:
                found |= {
                    Right(_account(subject), where, resource_name(group, resource), name, verb)
                    for group in rule["apiGroups"]
                    for resource in rule["resources"]
                    for name in rule.get("resourceNames") or ("",)
                    for verb in rule["verbs"]
                }
    return frozenset(found)


def accounts_of(manifests: Iterable[Manifest]) -> frozenset[str]:
    """Return every service account that is rendered, and every account or group that a binding names."""
    found: set[str] = set()
    for each in manifests:
        if each["kind"] == "ServiceAccount":
            found.add(f"{each['metadata']['namespace']}/{each['metadata']['name']}")
        if each["kind"] in _BINDINGS:
            found |= {_account(subject) for subject in each["subjects"]}
    return frozenset(found)


def resource_name(group: str, resource: str) -> str:
    """Return a resource (`jobs`, `jobs/status`) of an API group as `Right` names it."""
    plural, slash, subresource = resource.partition("/")
    return f"{plural}.{group}".rstrip(".") + slash + subresource


def _account(subject: dict[str, str]) -> str:
    if subject["kind"] == "ServiceAccount":
        return f"{subject['namespace']}/{subject['name']}"
    return f"{subject['kind'].lower()} {subject['name']}"
