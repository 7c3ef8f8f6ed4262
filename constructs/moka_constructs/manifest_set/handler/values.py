"""The ConfigMap `moka-platform`: what only a deploy knows (database endpoint, OIDC issuer), from the custom resource alone.

Several stacks know some of it. Each set writes its own keys under a field manager of its own, so none takes away another's.
"""

from collections.abc import Mapping
from typing import Any, Final

from .client import APPLY, METADATA, ApiError, Client

NAME: Final = "moka-platform"
NAMESPACE: Final = "moka-system"
COLLECTION: Final = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
PATH: Final = f"{COLLECTION}/{NAME}"


def manager(set_name: str) -> str:
    """Return the field manager that owns the keys of a set."""
    return f"moka-values-{set_name}"


def write(client: Client, set_name: str, values: Mapping[str, str]) -> None:
    """Make the set's keys what `values` says; keys that it wrote before and that are left out go. Raises ApiError."""
    body: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": NAME,
            "namespace": NAMESPACE,
            "labels": {"app.kubernetes.io/managed-by": "moka", "app.kubernetes.io/part-of": "moka"},
        },
        "data": dict(values),
    }
    # nobody else may write it, so what a person changed is taken back
    query = {"fieldManager": manager(set_name), "force": "true", "fieldValidation": "Strict"}
    client.request("PATCH", PATH, query=query, body=body, content_type=APPLY, accept=METADATA)


def remove(client: Client, set_name: str) -> None:
    """Take the set's keys out, and the ConfigMap away when no other set has any in it. Raises ApiError."""
    try:
        found = client.request("GET", PATH)
    except ApiError as error:
        if error.status == 404:
            return
        raise
    managers = {each.get("manager") for each in found["metadata"].get("managedFields") or ()}
    others = {name for name in managers if str(name).startswith(manager(""))} - {manager(set_name)}
    if others:
        write(client, set_name, {})
    elif manager(set_name) in managers:
        client.request("DELETE", PATH)
