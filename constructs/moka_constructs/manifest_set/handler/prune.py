"""Deletes members that left a set, and all of them with the set. What it deletes it proves to be the set's own.

CRDs and namespaces that hold jobs stay unless everything is to go: with a CRD go all its objects, with a namespace all its
jobs. A namespace that stays keeps its members too, because the jobs in it need their account, their role and their way out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from . import jobs
from .apply import FIELD_MANAGER, reason
from .client import METADATA, ApiError, Client
from .discovery import Discovery, path
from .errors import OutOfTimeError, Problem, SetError
from .references import CRD, NAMESPACE, SET_LABEL, Reference

POLL_SECONDS: Final = 0.5
CONFLICT: Final = 409
BUILT_IN: Final = frozenset({"", "apps", "batch", "policy", "autoscaling", "extensions"})


@dataclass(kw_only=True)
class Removal:
    """What became of members that were to go."""

    removed: list[Reference] = field(default_factory=list)
    """Deleted, or already gone."""
    kept: dict[Reference, str] = field(default_factory=dict)
    """{member that stays: why}; the set remembers it."""
    foreign: dict[Reference, str] = field(default_factory=dict)
    """{object that is no member any more: why}; the set forgets it."""


@dataclass(kw_only=True)
class Remover:
    """Deletes members of one set."""

    client: Client
    discovery: Discovery
    set_name: str
    everything: bool = False
    """Delete CRDs and namespaces with jobs as well."""
    say: Callable[[str], None] = lambda _text: None

    def judge(self, members: Sequence[Reference]) -> dict[Reference, str]:
        """Return {member that must stay: why}."""
        if self.everything:
            return {}
        held: dict[str, str] = {}
        for reference in members:
            if reference.kind == NAMESPACE:
                found = jobs.jobs_in(self.client, reference.name)
                if found:
                    held[reference.name] = f"namespace {reference.name} holds {found}"
        kept = {}
        for reference in members:
            namespace = reference.name if reference.kind == NAMESPACE else reference.namespace
            if reference.kind == CRD:
                kept[reference] = "with a CRD go all its objects"
            elif namespace in held:
                kept[reference] = held[namespace]
        return kept

    def remove(self, members: Sequence[Reference]) -> Removal:
        """Delete what may go, in an order in which nothing hangs, and wait until it is gone. Raises SetError."""
        removal = Removal(kept=self.judge(members))
        going = [reference for reference in reversed(members) if reference not in removal.kept]
        namespaces = [each for each in going if each.kind == NAMESPACE]
        crds = [each for each in going if each.kind == CRD]
        rest = [each for each in going if each.kind not in {NAMESPACE, CRD}]
        # controllers release the finalizers of their custom resources, so those go while the controllers are there
        custom = [each for each in rest if each.group not in BUILT_IN and not each.group.endswith(".k8s.io")]
        built_in = [each for each in rest if each not in custom]
        for step in (custom, built_in, namespaces, crds):
            waiting = [reference for reference in step if self._delete(reference, removal)]
            if step is namespaces and self.everything:
                jobs.release_finalizers(self.client, [each.name for each in namespaces], running=True)
            self._wait_until_gone(waiting, removal)
        return removal

    def _delete(self, reference: Reference, removal: Removal) -> bool:
        """Ask for one deletion; False when there is nothing to wait for."""
        resource = self.discovery.find(reference)
        if resource is None:
            removal.removed.append(reference)
            return False
        target = path(resource, reference)
        try:
            metadata = self.client.request("GET", target, accept=METADATA)["metadata"]
            foreign = self._foreign(metadata)
            if foreign:
                removal.foreign[reference] = foreign
                return False
            self.say(f"deleting {reference}")
            # the same object that was looked at, and its pods with it
            body = {"preconditions": {"uid": metadata["uid"]}, "propagationPolicy": "Background"}
            self.client.request("DELETE", target, body=body)
        except ApiError as error:
            if error.status != 404:
                raise SetError(
                    "members that left the set cannot be deleted", [Problem(str(reference), reason(error))]
                ) from error
            removal.removed.append(reference)
            return False
        return True

    def _foreign(self, metadata: dict[str, Any]) -> str:
        """Return why an object is not this set's; empty when it is."""
        label = (metadata.get("labels") or {}).get(SET_LABEL)
        if label != self.set_name:
            return f"its label {SET_LABEL} says {label!r}" if label else f"it no longer carries the label {SET_LABEL}"
        applied = any(
            each.get("manager") == FIELD_MANAGER and each.get("operation") == "Apply"
            for each in metadata.get("managedFields") or ()
        )
        return "" if applied else f"{FIELD_MANAGER} never applied it"

    def _wait_until_gone(self, references: Sequence[Reference], removal: Removal) -> None:
        waiting = dict.fromkeys(references, "it is still there")
        try:
            while True:
                for reference in list(waiting):
                    why = self._why_there(reference)
                    if why:
                        waiting[reference] = why
                    else:
                        del waiting[reference]
                        removal.removed.append(reference)
                if not waiting:
                    return
                self.say(f"waiting for the deletion of {', '.join(map(str, waiting))}")
                if self.everything:
                    held = [each.name for each in waiting if each.kind == NAMESPACE]
                    jobs.release_finalizers(self.client, held, running=True)
                self.client.deadline.sleep(POLL_SECONDS)
        except OutOfTimeError as error:
            problems = [Problem(str(reference), why) for reference, why in waiting.items()]
            raise SetError(f"deletions are not complete, {error}", problems) from error

    def _why_there(self, reference: Reference) -> str:
        """Return why a deleted object is still there; empty when it is gone."""
        resource = self.discovery.find(reference)
        if resource is None:
            return ""
        try:
            found = self.client.request("GET", path(resource, reference))
        except ApiError as error:
            if error.status != 404:
                raise
            return ""
        finalizers = [
            *(found["metadata"].get("finalizers") or ()),
            *((found.get("spec") or {}).get("finalizers") or ()),
        ]
        conditions = [
            str(each.get("message"))
            for each in (found.get("status") or {}).get("conditions") or ()
            if each.get("status") == "True" and reference.kind == NAMESPACE
        ]
        return "; ".join([f"it waits for its finalizers {', '.join(map(str, finalizers))}", *conditions])
