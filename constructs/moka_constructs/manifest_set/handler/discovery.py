"""Where objects of a kind live in the API: asked of the server, group by group, because only it knows its CRDs."""

import threading
from dataclasses import dataclass, field
from urllib.parse import quote

from .client import ApiError, Client
from .references import Reference


@dataclass(frozen=True)
class Resource:
    """A kind that the server serves."""

    prefix: str
    """/api/v1 or /apis/<group>/<version>."""
    plural: str
    namespaced: bool


class UnknownKindError(Exception):
    """The server does not serve the kind."""


@dataclass(kw_only=True)
class Discovery:
    """Knows what the server serves; each group is asked for once."""

    client: Client
    _served: dict[str, dict[str, Resource]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def resource(self, reference: Reference) -> Resource:
        """Return where the kind is. Raises UnknownKindError."""
        kinds = self._kinds(reference.api_version)
        if reference.kind not in kinds:
            raise UnknownKindError(
                f"the cluster knows no {reference.kind} in {reference.api_version}; its CRD is neither there nor in the set"
            )
        return kinds[reference.kind]

    def find(self, reference: Reference) -> Resource | None:
        """Return where the kind is; None when the server does not serve it (any more)."""
        try:
            return self.resource(reference)
        except UnknownKindError:
            return None

    def forget(self) -> None:
        """Ask again for everything: CRDs came or went."""
        with self._lock:
            self._served.clear()

    def _kinds(self, api_version: str) -> dict[str, Resource]:
        with self._lock:
            found = self._served.get(api_version)
        if found is None:
            prefix = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
            try:
                answer = self.client.request("GET", prefix)
            except ApiError as error:
                if error.status != 404:
                    raise
                answer = {}
            found = {
                each["kind"]: Resource(prefix, each["name"], each["namespaced"])
                for each in answer.get("resources") or ()
                # pods/log and the like carry the kind of something else
                if "/" not in each["name"]
            }
            with self._lock:
                self._served[api_version] = found
        return found


def collection(resource: Resource, namespace: str = "") -> str:
    """Return the path of all objects of a kind, or of those of one namespace."""
    place = f"/namespaces/{quote(namespace, safe='')}" if resource.namespaced and namespace else ""
    return f"{resource.prefix}{place}/{resource.plural}"


def path(resource: Resource, reference: Reference) -> str:
    """Return the path of one object. Names of roles may hold colons."""
    return f"{collection(resource, reference.namespace)}/{quote(reference.name, safe='')}"
