"""Server-side apply of one object: what became of it, or who else owns its fields and what to do about that.

https://kubernetes.io/docs/reference/using-api/server-side-apply/. The server keeps what others own, drops what we owned
and no longer name, and changes nothing when nothing differs.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from .client import APPLY, JSON, METADATA, ApiError, Cause, Client
from .discovery import Discovery, UnknownKindError, path
from .errors import Problem, SetError
from .references import Manifest, Reference, is_create_only, with_label
from .workers import each_of

FIELD_MANAGER: Final = "moka"
EVERYTHING: Final = "*"
CREATED: Final = 201


class Outcome(StrEnum):
    """What an apply did to an object."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    LEFT_ALONE = "left alone"
    """A create-only member that is there."""


@dataclass(kw_only=True)
class Applier:
    """Applies members of one set."""

    client: Client
    discovery: Discovery
    set_name: str
    force_fields: tuple[str, ...] = ()
    """Fields to take from whoever owns them: `.spec.replicas`, `Deployment ns/name:.spec.replicas`, `*` for all."""
    live: dict[tuple[str, str, str, str], dict[str, Any]] = field(default_factory=dict)
    """{identity: object} of what the set has in the cluster; of CRDs the metadata."""
    unchanged: set[Reference] = field(default_factory=set)
    """Members that a check found to be what they would become; they are not sent again."""

    def apply_all(self, step: str, manifests: Iterable[Manifest]) -> dict[Reference, Outcome]:
        """Apply every manifest, some at a time. Raises SetError with all that went wrong."""
        outcomes: dict[Reference, Outcome] = {}

        def one(manifest: Manifest) -> None:
            outcomes[Reference.of(manifest)] = self.apply(manifest)

        ordered = list(manifests)
        self._collect(step, one, ordered)
        return {reference: outcomes[reference] for reference in map(Reference.of, ordered)}

    def check_all(self, step: str, manifests: Iterable[Manifest]) -> None:
        """Let the server judge every manifest without storing any. Raises SetError with all that it would refuse."""

        def one(manifest: Manifest) -> None:
            reference = Reference.of(manifest)
            target = path(self.discovery.resource(reference), reference)
            if self.is_left_alone(manifest, target):
                return
            _, wanted = self.send(target, manifest, dry_run=True, accept=JSON)
            if _content(wanted) == _content(self.live.get(reference.key, {})):
                self.unchanged.add(reference)

        self._collect(step, one, manifests)

    def apply(self, manifest: Manifest) -> Outcome:
        """Apply one manifest. Raises ApiError, UnknownKindError."""
        reference = Reference.of(manifest)
        if reference in self.unchanged:
            return Outcome.UNCHANGED
        target = path(self.discovery.resource(reference), reference)
        if self.is_left_alone(manifest, target):
            return Outcome.LEFT_ALONE
        status, answer = self.send(target, manifest)
        if status == CREATED:
            return Outcome.CREATED
        before = self.live.get(reference.key)
        same = before is not None and answer["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
        return Outcome.UNCHANGED if same else Outcome.CHANGED

    def send(
        self, target: str, manifest: Manifest, *, dry_run: bool = False, accept: str = METADATA, force: bool = False
    ) -> tuple[int, dict[str, Any]]:
        """Send the apply and return status and object; conflicts about fields that may be forced are."""
        query = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict", "force": str(force).lower()}
        if dry_run:
            query["dryRun"] = "All"
        body = with_label(manifest, self.set_name)
        try:
            return self.client.exchange("PATCH", target, query=query, body=body, content_type=APPLY, accept=accept)
        except ApiError as error:
            fields = conflicts(error)
            if force or not fields or not all(self.may_force(Reference.of(manifest), each.field) for each in fields):
                raise
        return self.send(target, manifest, dry_run=dry_run, accept=accept, force=True)

    def _collect(self, step: str, function: Callable[[Manifest], None], manifests: Iterable[Manifest]) -> None:
        problems: list[Problem] = []

        def one(manifest: Manifest) -> None:
            try:
                function(manifest)
            except (ApiError, UnknownKindError) as error:
                problems.append(Problem(str(Reference.of(manifest)), reason(error)))

        each_of(one, manifests)
        if problems:
            raise SetError(step, sorted(problems))

    def is_left_alone(self, manifest: Manifest, target: str) -> bool:
        """Whether the manifest is of a create-only member that is there."""
        if not is_create_only(manifest):
            return False
        if Reference.of(manifest).key in self.live:
            return True
        try:
            self.client.request("GET", target, accept=METADATA)
        except ApiError as error:
            if error.status == 404:
                return False
            raise
        return True

    def may_force(self, reference: Reference, field_path: str) -> bool:
        """Whether a field is named by `force_fields`, itself or with what it lies in."""
        for wanted in self.force_fields:
            whose, _, name = wanted.rpartition(":.") if ":." in wanted else ("", "", wanted)
            name = name if name.startswith(".") or name == EVERYTHING else f".{name}"
            if whose not in {"", str(reference)}:
                continue
            if name in {EVERYTHING, field_path} or field_path.startswith((f"{name}.", f"{name}[")):
                return True
        return False


def _content(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object without what lists leave out: a member of a list does not say its kind."""
    return {key: value for key, value in found.items() if key not in {"apiVersion", "kind"}}


def conflicts(error: ApiError) -> list[Cause]:
    """Return the fields that somebody else owns; none when that is not what an apply was refused for."""
    return [each for each in error.causes if each.reason == "FieldManagerConflict"]


def reason(error: ApiError | UnknownKindError) -> str:
    """Return why a request was refused, for a person."""
    if isinstance(error, UnknownKindError):
        return str(error)
    fields = conflicts(error)
    if not fields:
        advice = "; delete the object, then apply again" if "immutable" in error.message else ""
        return error.message + advice
    owned = "; ".join(f"{each.field} belongs to {_owner(each.message)}" for each in fields)
    options = " ".join(f"--force-conflicts '{each.field}'" for each in fields)
    return (
        f"{owned}: take the field out of the chart, let its owner go, or take it over with"
        f" `moka apply … {options}` (`delivery.force_fields` in the environment file)"
    )


def _owner(message: str) -> str:
    """Return `"kubectl-edit" using apps/v1` from the words of a conflict."""
    found = re.search(r'conflict with ("[^"]*"(?: with subresource "[^"]*")?(?: using \S+)?)', message)
    return found[1] if found else f"someone else ({message})"
