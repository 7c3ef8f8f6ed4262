"""What a set has put into the cluster, kept there in a ConfigMap, so that what leaves the charts can be found again.

It lives in kube-system, which is always there and goes last. It is written before anything is applied, with old and new
members, and afterwards with what is really left; so a set that was applied by half still knows all of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from .client import ApiError, Client
from .errors import Problem, SetError
from .references import Reference

NAMESPACE: Final = "kube-system"
LABEL: Final = "moka.dev/inventory"
CONFLICT: Final = 409


@dataclass(kw_only=True)
class Inventory:
    """The members of one set as the cluster remembers them, in the order in which they are applied."""

    client: Client
    set_name: str
    owner: str
    """Name of the cluster that the set is made for: a set of another one is not overwritten by mistake."""
    members: list[Reference] = field(default_factory=list)
    _stored: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        """Name of the ConfigMap."""
        return f"moka-set-{self.set_name}"

    @property
    def exists(self) -> bool:
        """Whether the set has been applied before."""
        return self._stored is not None

    def read(self) -> None:
        """Learn what the cluster remembers; nothing when the set is new. Raises SetError for a set of another cluster."""
        try:
            self._stored = self.client.request("GET", self._path)
        except ApiError as error:
            if error.status != 404:
                raise
            self._stored = None
        data = (self._stored or {}).get("data", {})
        if data.get("owner", self.owner) != self.owner:
            why = f"the set that is here was made for {data['owner']}, not for {self.owner}; name that one, or another cluster"
            raise SetError("this is another cluster", [Problem(f"ConfigMap {NAMESPACE}/{self.name}", why)])
        self.members = [Reference.from_text(line) for line in data.get("members", "").splitlines()]

    def write(self, members: Iterable[Reference]) -> None:
        """Remember these; sends nothing when they are what is remembered. Raises SetError when somebody was faster."""
        # an object is remembered once, under the version that it is applied in
        listed = list({reference.key: reference for reference in members}.values())
        if self._stored is not None and listed == self.members:
            return
        body: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": self.name,
                "namespace": NAMESPACE,
                "labels": {LABEL: self.set_name, "app.kubernetes.io/managed-by": "moka"},
            },
            "data": {"owner": self.owner, "members": "".join(f"{reference.to_text()}\n" for reference in listed)},
        }
        try:
            if self._stored is None:
                self._stored = self.client.request("POST", self._collection, body=body)
            else:
                body["metadata"]["resourceVersion"] = self._stored["metadata"]["resourceVersion"]
                self._stored = self.client.request("PUT", self._path, body=body)
        except ApiError as error:
            if error.status != CONFLICT:
                raise
            why = "somebody else applies this set at the same time; wait for them, then apply again"
            raise SetError(
                "the set's inventory cannot be written", [Problem(f"ConfigMap {NAMESPACE}/{self.name}", why)]
            ) from error
        self.members = listed

    def delete(self) -> None:
        """Forget the set."""
        if self._stored is not None:
            try:
                self.client.request("DELETE", self._path)
            except ApiError as error:
                if error.status != 404:
                    raise
        self._stored = None
        self.members = []

    @property
    def _collection(self) -> str:
        return f"/api/v1/namespaces/{NAMESPACE}/configmaps"

    @property
    def _path(self) -> str:
        return f"{self._collection}/{self.name}"
