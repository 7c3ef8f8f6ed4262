"""Waits until new kinds are really there: a CRD is accepted first, established later, and served a moment after that."""

from collections.abc import Sequence
from typing import Any, Final

from .client import METADATA_LIST, ApiError, Client
from .errors import OutOfTimeError, Problem, SetError
from .references import Manifest, Reference

POLL_SECONDS: Final = 0.2
SECONDS: Final = 60.0
"""Established takes about a second; a name that is taken takes for ever."""


def wait_until_served(client: Client, manifests: Sequence[Manifest]) -> None:
    """Return when every version of every CRD can be listed. Raises SetError with those that cannot, and why."""
    until = client.deadline.remaining() - SECONDS
    waiting = {str(Reference.of(manifest)): manifest for manifest in manifests}
    while True:
        reasons = {subject: _what_lacks(client, manifest) for subject, manifest in waiting.items()}
        waiting = {subject: manifest for subject, manifest in waiting.items() if reasons[subject]}
        if not waiting:
            return
        try:
            if client.deadline.remaining() > until:
                client.deadline.sleep(POLL_SECONDS)
                continue
        except OutOfTimeError:
            pass
        raise SetError(
            "CRDs did not become usable", [Problem(subject, reasons[subject]) for subject in sorted(waiting)]
        )


def _what_lacks(client: Client, manifest: Manifest) -> str:
    """Return what keeps the kind from being used; empty when nothing does."""
    name, spec = manifest["metadata"]["name"], manifest["spec"]
    crd = client.request("GET", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}")
    conditions: dict[str, dict[str, Any]] = {
        each["type"]: each for each in (crd.get("status") or {}).get("conditions") or ()
    }
    accepted = conditions.get("NamesAccepted", {})
    if accepted.get("status") == "False":
        return f"its names are taken: {accepted.get('message')}"
    established = conditions.get("Established", {})
    if established.get("status") != "True":
        return f"not established yet: {established.get('message') or 'the API server has said nothing'}"
    for version in spec["versions"]:
        if version.get("served"):
            path = f"/apis/{spec['group']}/{version['name']}/{spec['names']['plural']}"
            try:
                client.request("GET", path, query={"limit": "1"}, accept=METADATA_LIST)
            except ApiError as error:
                if error.status != 404:
                    raise
                return f"established, but {path} is not served yet"
    return ""
