"""A thin client of a Kubernetes API server for tests and tools: HTTP with the API's own words, nothing cached but discovery.

Kinds are looked up in the server's discovery, so a custom resource works as soon as it is served. An answer that is not
2xx raises ApiError with the server's own reason and message.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, Self

import httpx

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping
    from types import TracebackType

Manifest = dict[str, Any]
PatchType = Literal["merge", "strategic", "json"]
_PATCH_TYPES = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
}
PAGE = 500


class ApiError(Exception):
    """What the API server answered instead of what was asked for."""

    def __init__(self, code: int, reason: str, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{code} {reason}: {message}")
        self.code = code
        self.reason = reason
        """As Kubernetes names it: NotFound, AlreadyExists, Conflict, Forbidden, Invalid, Expired, …"""
        self.message = message
        self.details = dict(details or {})


class Client:
    """One identity at one API server; close it, or use it as a context."""

    def __init__(
        self,
        server: str,
        *,
        verify: ssl.SSLContext | bool = True,
        token: str | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {"Accept": "application/json", "User-Agent": "moka-testbed"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        # no environment: a proxy or certificate variable of the shell must not lead elsewhere
        self.http = httpx.Client(
            base_url=server, verify=verify, headers=headers, timeout=60, trust_env=False, transport=transport
        )
        self._resources: dict[str, list[dict[str, Any]]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def request(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """Any call; returns the decoded JSON, or the text when the answer is none."""
        if body is not None:
            options["content"] = json.dumps(body)
            options.setdefault("headers", {}).setdefault("Content-Type", "application/json")
        answer = self.http.request(method, path, **options)
        _raise_for(answer)
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        return answer.json() if is_json else answer.text

    def path(self, api_version: str, kind: str, name: str | None = None, namespace: str | None = None) -> str:
        """The path of an object or of a collection. `kind` may be the kind or its plural, namespace None all namespaces."""
        resource = self._resource(api_version, kind)
        parts = [_root(api_version)]
        if namespace is not None and resource["namespaced"]:
            parts += ["namespaces", namespace]
        parts.append(resource["name"])
        return "/".join([*parts, name] if name is not None else parts)

    def _resource(self, api_version: str, kind: str) -> dict[str, Any]:
        for fresh in (False, True):
            if fresh or api_version not in self._resources:
                self._resources[api_version] = self.request("GET", _root(api_version))["resources"]
            for resource in self._resources[api_version]:
                if "/" not in resource["name"] and kind in {resource["kind"], resource["name"]}:
                    return resource
        raise ApiError(404, "NotFound", f"the server serves no {kind} in {api_version}")

    def get(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> Manifest:
        """One object; raises ApiError NotFound."""
        found: Manifest = self.request("GET", self.path(api_version, kind, name, namespace))
        return found

    def find(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> Manifest | None:
        """One object, None when there is none."""
        try:
            return self.get(api_version, kind, name, namespace)
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    def list(
        self, api_version: str, kind: str, namespace: str | None = None, *, limit: int = PAGE, **parameters: str
    ) -> list[Manifest]:
        """All objects, page by page. Parameters are the API's: labelSelector, fieldSelector, resourceVersion, …"""
        return [
            item
            for page in self.pages(api_version, kind, namespace, limit=limit, **parameters)
            for item in page["items"]
        ]

    def pages(
        self, api_version: str, kind: str, namespace: str | None = None, *, limit: int = PAGE, **parameters: str
    ) -> Iterator[Manifest]:
        """The list objects of all pages; the last one's metadata.resourceVersion is where a watch may start."""
        path = self.path(api_version, kind, None, namespace)
        following = ""
        while True:
            more = {"continue": following} if following else {}
            page = self.request("GET", path, params={**parameters, "limit": str(limit), **more})
            yield page
            following = page["metadata"].get("continue", "")
            if not following:
                return

    def watch(
        self,
        api_version: str,
        kind: str,
        namespace: str | None = None,
        *,
        resource_version: str | None = None,
        timeout_seconds: int = 30,
        **parameters: str,
    ) -> Iterator[Manifest]:
        """Events {"type", "object"} as they come, until the server ends the watch after `timeout_seconds`.

        An ERROR event (410 Expired, for example) raises ApiError.
        """
        path = self.path(api_version, kind, None, namespace)
        given = {**parameters, "watch": "true", "timeoutSeconds": str(timeout_seconds)}
        if resource_version is not None:
            given["resourceVersion"] = resource_version
        with self.http.stream(
            "GET", path, params=given, timeout=httpx.Timeout(60, read=timeout_seconds + 30)
        ) as answer:
            if not answer.is_success:
                answer.read()
                _raise_for(answer)
            for line in answer.iter_lines():
                event = json.loads(line)
                if event["type"] == "ERROR":
                    status = event["object"]
                    raise ApiError(status.get("code", 500), status.get("reason", ""), status.get("message", ""))
                yield event

    def create(self, manifest: Manifest, **parameters: str) -> Manifest:
        """POST; raises ApiError AlreadyExists."""
        path = self.path(manifest["apiVersion"], manifest["kind"], None, _namespace(manifest))
        made: Manifest = self.request("POST", path, manifest, params=parameters)
        return made

    def apply(
        self, manifest: Manifest, *, field_manager: str = "moka-testbed", force: bool = False, **parameters: str
    ) -> Manifest:
        """Server-side apply; raises ApiError Conflict unless `force`."""
        path = self.path(manifest["apiVersion"], manifest["kind"], manifest["metadata"]["name"], _namespace(manifest))
        given = {**parameters, "fieldManager": field_manager, "force": "true" if force else "false"}
        headers = {"Content-Type": "application/apply-patch+yaml"}  # JSON is YAML
        made: Manifest = self.request("PATCH", path, manifest, params=given, headers=headers)
        return made

    def replace(self, manifest: Manifest, *, subresource: str = "") -> Manifest:
        """PUT; raises ApiError Conflict when the resourceVersion is not the newest."""
        path = self.path(manifest["apiVersion"], manifest["kind"], manifest["metadata"]["name"], _namespace(manifest))
        made: Manifest = self.request("PUT", f"{path}/{subresource}".rstrip("/"), manifest)
        return made

    def patch(
        self,
        api_version: str,
        kind: str,
        name: str,
        namespace: str | None = None,
        *,
        body: Any,
        patch_type: PatchType = "merge",
        subresource: str = "",
    ) -> Manifest:
        """PATCH of the object, or of its subresource."""
        path = f"{self.path(api_version, kind, name, namespace)}/{subresource}".rstrip("/")
        headers = {"Content-Type": _PATCH_TYPES[patch_type]}
        made: Manifest = self.request("PATCH", path, body, headers=headers)
        return made

    def patch_status(
        self,
        api_version: str,
        kind: str,
        name: str,
        namespace: str | None = None,
        *,
        status: Mapping[str, Any],
        patch_type: PatchType = "merge",
    ) -> Manifest:
        """PATCH of `status` through the status subresource."""
        body = {"status": dict(status)}
        return self.patch(api_version, kind, name, namespace, body=body, patch_type=patch_type, subresource="status")

    def delete(
        self,
        api_version: str,
        kind: str,
        name: str,
        namespace: str | None = None,
        *,
        grace_period_seconds: int | None = None,
        propagation: Literal["Background", "Foreground", "Orphan"] | None = None,
        missing_ok: bool = False,
    ) -> None:
        """DELETE; raises ApiError NotFound unless `missing_ok`."""
        options: dict[str, Any] = {}
        if grace_period_seconds is not None:
            options["gracePeriodSeconds"] = grace_period_seconds
        if propagation is not None:
            options["propagationPolicy"] = propagation
        try:
            self.request("DELETE", self.path(api_version, kind, name, namespace), options or None)
        except ApiError as error:
            if not (missing_ok and error.code == 404):
                raise


def _root(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def _namespace(manifest: Manifest) -> str | None:
    namespace: str | None = manifest["metadata"].get("namespace")
    return namespace


def _raise_for(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    try:
        status = answer.json()
    except ValueError:
        status = {}
    if not isinstance(status, dict):
        status = {}
    message = status.get("message") or answer.text[:500]
    raise ApiError(answer.status_code, status.get("reason", ""), message, status.get("details"))
