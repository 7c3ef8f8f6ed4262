"""A few verbs of a Kubernetes API server in memory, for tests that must run where no control plane can.

It keeps objects, versions, labels, owners of whole objects, finalizers and the custom kinds of CRDs that it is given. It has no schema,
no admission, no controllers, and of server-side apply only this: what is applied is merged, equal content changes nothing, and
a top-level field of spec that another manager set is a conflict. `tests/e2e/delivery` says what a real server does.
"""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from testbed.loopback_server import JSON, LoopbackHandler, LoopbackServer

Object = dict[str, Any]
Answer = tuple[int, Any]
Fault = Callable[[str, str], Answer | None]
"""(method, path) -> what is answered instead; None for no fault."""

_KINDS: Final = {
    "api/v1": {
        "Namespace": ("namespaces", False),
        "ConfigMap": ("configmaps", True),
        "Secret": ("secrets", True),
        "Pod": ("pods", True),
        "Service": ("services", True),
        "ServiceAccount": ("serviceaccounts", True),
    },
    "apis/apps/v1": {"Deployment": ("deployments", True), "DaemonSet": ("daemonsets", True)},
    "apis/batch/v1": {"Job": ("jobs", True)},
    "apis/rbac.authorization.k8s.io/v1": {"ClusterRole": ("clusterroles", False), "Role": ("roles", True)},
    "apis/apiextensions.k8s.io/v1": {"CustomResourceDefinition": ("customresourcedefinitions", False)},
}


@dataclass
class FakeApiServer(LoopbackServer):
    """The server; a context that runs it on loopback."""

    objects: dict[str, Object] = field(default_factory=dict)
    """{path: object}."""
    requests: list[tuple[str, str]] = field(default_factory=list)
    """(method, path with query) of everything that came."""
    faults: list[Fault] = field(default_factory=list)
    _version: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        super().__init__(_handler(self))
        for name in ("kube-system", "default"):
            self.put(f"/api/v1/namespaces/{name}", {"kind": "Namespace", "metadata": {"name": name}})

    def put(self, path: str, content: Object, *, manager: str = "somebody") -> None:
        """Store an object as if somebody else had made it."""
        with self._lock:
            stored = copy.deepcopy(content)
            if _namespace(path):
                stored["metadata"].setdefault("namespace", _namespace(path))
            stored["metadata"]["managedFields"] = [_managed(manager, "Update", content)]
            self._store(path, stored)

    def writes(self) -> list[tuple[str, str]]:
        """Requests that change something, without their query."""
        return [
            (method, urlsplit(target).path)
            for method, target in self.requests
            if method != "GET" and "dryRun" not in target
        ]

    def answer(self, method: str, target: str, body: Any, content_type: str) -> Answer:
        """Return status and JSON."""
        with self._lock:
            self.requests.append((method, target))
            parts = urlsplit(target)
            path, query = unquote(parts.path), {key: values[0] for key, values in parse_qs(parts.query).items()}
            for fault in self.faults:
                found = fault(method, target)
                if found is not None:
                    return found
            if path.removeprefix("/") in self._groups():
                return 200, {"resources": self._resources(path.removeprefix("/"))}
            if path.split("/")[-1] in self._plurals() and path.split("/")[-2] != "namespaces":
                return self._collection(method, path, query, body)
            handlers = {"GET": self._get, "PATCH": self._patch, "PUT": self._replace, "DELETE": self._delete}
            return handlers[method](path, query, body, content_type)

    def _groups(self) -> dict[str, dict[str, tuple[str, bool]]]:
        found = {group: dict(kinds) for group, kinds in _KINDS.items()}
        for path, each in self.objects.items():
            if "/customresourcedefinitions/" in path:
                spec = each["spec"]
                for version in spec["versions"]:
                    kinds = found.setdefault(f"apis/{spec['group']}/{version['name']}", {})
                    kinds[spec["names"]["kind"]] = (spec["names"]["plural"], spec["scope"] == "Namespaced")
        return found

    def _plurals(self) -> set[str]:
        return {plural for kinds in self._groups().values() for plural, _ in kinds.values()}

    def _resources(self, group: str) -> list[Object]:
        return [
            {"kind": kind, "name": plural, "namespaced": namespaced}
            for kind, (plural, namespaced) in self._groups()[group].items()
        ]

    def _collection(self, method: str, path: str, query: dict[str, str], body: Any) -> Answer:
        if method == "POST":
            place = f"{path}/{body['metadata']['name']}"
            if place in self.objects:
                return _status(409, "AlreadyExists", "already exists")
            self._store(place, copy.deepcopy(body))
            return 201, self.objects[place]
        plural = path.rsplit("/", maxsplit=1)[-1]
        start = path.removesuffix(plural)
        found = [
            each
            for place, each in self.objects.items()
            if place.startswith(start) and place.split("/")[-2] == plural and _selected(each, query)
        ]
        return 200, {"items": found[: int(query.get("limit", "1000"))] or None, "metadata": {}}

    def _get(self, path: str, _query: dict[str, str], _body: Any, _type: str) -> Answer:
        return (200, self.objects[path]) if path in self.objects else _missing(path)

    def _replace(self, path: str, _query: dict[str, str], body: Any, _type: str) -> Answer:
        if path not in self.objects:
            return _missing(path)
        if body["metadata"].get("resourceVersion") != self.objects[path]["metadata"]["resourceVersion"]:
            return _status(409, "Conflict", "the object has been modified")
        self._store(path, copy.deepcopy(body))
        return 200, self.objects[path]

    def _patch(self, path: str, query: dict[str, str], body: Any, content_type: str) -> Answer:
        if content_type != "application/apply-patch+yaml":
            if path not in self.objects:
                return _missing(path)
            self.objects[path]["metadata"].update(body["metadata"])
            self._end_if_released(path)
            return 200, self.objects.get(path, {"metadata": body["metadata"]})
        namespace = _namespace(path)
        if namespace and f"/api/v1/namespaces/{namespace}" not in self.objects:
            return _status(404, "NotFound", f'namespaces "{namespace}" not found')
        before = self.objects.get(path)
        manager = query["fieldManager"]
        conflicts = [] if before is None or query.get("force") == "true" else _conflicts(before, body, manager)
        if conflicts:
            return _status(409, "Conflict", "Apply failed", conflicts)
        after = _merged(before or {}, body)
        if namespace:
            after["metadata"]["namespace"] = namespace
        others = [each for each in after["metadata"].get("managedFields", []) if each["manager"] != manager]
        after["metadata"]["managedFields"] = [*others, _managed(manager, "Apply", body)]
        if query.get("dryRun"):
            return (200 if before else 201), after
        if before != after:
            self._store(path, after)
        return (200 if before else 201), self.objects[path]

    def _delete(self, path: str, _query: dict[str, str], body: Any, _type: str) -> Answer:
        if path not in self.objects:
            return _missing(path)
        metadata = self.objects[path]["metadata"]
        wanted = ((body or {}).get("preconditions") or {}).get("uid")
        if wanted not in {None, metadata["uid"]}:
            return _status(409, "Conflict", "the UID in the precondition does not match")
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        self._end_if_released(path)
        return 200, {}

    def _end_if_released(self, path: str) -> None:
        """Let an object go that is being deleted and has no finalizer; a namespace waits for what is in it."""
        metadata = self.objects[path]["metadata"]
        if metadata.get("deletionTimestamp") and not metadata.get("finalizers"):
            inside = [each for each in self.objects if f"/api/v1/namespaces/{_namespace(each)}" == path]
            for each in inside:
                self.objects[each]["metadata"]["deletionTimestamp"] = metadata["deletionTimestamp"]
                self._end_if_released(each)
            if not any(each in self.objects for each in inside):
                del self.objects[path]
        parent = f"/api/v1/namespaces/{_namespace(path)}"
        if path not in self.objects and parent in self.objects:
            self._end_if_released(parent)

    def _store(self, path: str, content: Object) -> None:
        self._version += 1
        metadata = content["metadata"]
        metadata["resourceVersion"] = str(self._version)
        metadata.setdefault("uid", f"uid-{self._version}")
        if "/customresourcedefinitions/" in path:
            content["status"] = {"conditions": [{"type": "Established", "status": "True"}]}
        self.objects[path] = content


def _namespace(path: str) -> str:
    """Return the namespace that an object's path names; empty for an object in none."""
    parts = path.split("/")
    return parts[parts.index("namespaces") + 1] if "namespaces" in parts[:-2] else ""


def _managed(manager: str, operation: str, content: Object) -> Object:
    return {"manager": manager, "operation": operation, "fields": sorted(content.get("spec", {}))}


def _conflicts(before: Object, body: Object, manager: str) -> list[Object]:
    """Fields of spec with another value that another manager set."""
    return [
        {
            "reason": "FieldManagerConflict",
            "field": f".spec.{name}",
            "message": f'conflict with "{each["manager"]}" using v1',
        }
        for each in before["metadata"].get("managedFields", [])
        if each["manager"] != manager
        for name in each["fields"]
        if name in body.get("spec", {}) and body["spec"][name] != before.get("spec", {}).get(name)
    ]


def _merged(before: Object, patch: Object) -> Object:
    after = copy.deepcopy(before)
    for key, value in patch.items():
        if isinstance(value, dict) and isinstance(after.get(key), dict):
            after[key] = _merged(after[key], value)
        else:
            after[key] = copy.deepcopy(value)
    return after


def _selected(each: Object, query: dict[str, str]) -> bool:
    labels = each["metadata"].get("labels") or {}
    for term in filter(None, query.get("labelSelector", "").split(",")):
        key, _, value = term.partition("=")
        if key not in labels or (value and labels[key] != value):
            return False
    phase = query.get("fieldSelector", "").removeprefix("status.phase=")
    return not phase or (each.get("status") or {}).get("phase") == phase


def _missing(path: str) -> Answer:
    return _status(404, "NotFound", f"{path} not found")


def _status(code: int, reason: str, message: str, causes: list[Object] | None = None) -> Answer:
    return code, {"kind": "Status", "reason": reason, "message": message, "details": {"causes": causes or []}}


def _handler(server: FakeApiServer) -> type[LoopbackHandler]:
    class Handler(LoopbackHandler):
        protocol_version = "HTTP/1.1"

        def respond(self) -> None:
            body = json.loads(self.body() or b"null")
            status, answer = server.answer(self.command, self.path, body, self.headers.get("Content-Type", ""))
            self.answer(status, json.dumps(answer).encode(), JSON)

    return Handler
