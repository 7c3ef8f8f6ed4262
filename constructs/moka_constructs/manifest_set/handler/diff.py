"""What an apply would change, field by field, told by the server itself: a dry run beside what is there now."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .apply import Applier, Outcome, conflicts, reason
from .client import JSON, ApiError
from .discovery import path
from .errors import Problem, SetError
from .references import Manifest, Reference, is_create_only
from .workers import each_of

SERVERS_OWN: Final = frozenset(
    {"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"}
)
LONGEST: Final = 160
HIDDEN: Final = "(hidden)"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One object that an apply would change."""

    reference: Reference
    outcome: Outcome
    lines: tuple[str, ...] = ()
    """`spec.replicas: 2 → 3`."""

    def to_json(self) -> dict[str, Any]:
        """Return it for scripts."""
        return {"object": str(self.reference), "outcome": str(self.outcome), "changes": list(self.lines)}


def differences(applier: Applier, manifests: Sequence[Manifest]) -> list[Difference]:
    """Return what would change, in the set's order. Raises SetError with everything that the server would refuse."""
    found: dict[Reference, Difference] = {}
    problems: list[Problem] = []

    def one(manifest: Manifest) -> None:
        reference = Reference.of(manifest)
        try:
            difference = _difference(applier, manifest, reference)
        except ApiError as error:
            problems.append(Problem(str(reference), reason(error)))
        else:
            if difference is not None:
                found[reference] = difference

    each_of(one, manifests)
    if problems:
        raise SetError("the API server would refuse", sorted(problems))
    return [found[reference] for reference in map(Reference.of, manifests) if reference in found]


def _difference(applier: Applier, manifest: Manifest, reference: Reference) -> Difference | None:
    resource = applier.discovery.find(reference)
    live: dict[str, Any] | None = None
    if resource is not None:
        target = path(resource, reference)
        try:
            live = applier.client.request("GET", target)
        except ApiError as error:
            if error.status != 404:
                raise
    if resource is None or live is None:
        return Difference(reference=reference, outcome=Outcome.CREATED)
    if is_create_only(manifest):
        return None
    notes: list[str] = []
    try:
        _, wanted = applier.send(target, manifest, dry_run=True, accept=JSON)
    except ApiError as error:
        if not conflicts(error):
            raise
        notes = [f"conflict: {reason(error)}"]
        _, wanted = applier.send(target, manifest, dry_run=True, accept=JSON, force=True)
    lines = tuple(_lines(_comparable(live), _comparable(wanted), ""))
    if not lines and not notes:
        return None
    return Difference(reference=reference, outcome=Outcome.CHANGED, lines=(*lines, *notes))


def _comparable(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object without what the server keeps in it for itself, and without anybody's secrets."""
    metadata = {key: value for key, value in found["metadata"].items() if key not in SERVERS_OWN}
    rest = {key: value for key, value in found.items() if key not in {"metadata", "status"}}
    return {**rest, "metadata": metadata}


def _lines(old: Any, new: Any, place: str, *, secret: bool = False) -> Iterator[str]:
    """Yield a line for each value that differs."""
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        hidden = secret or (not place and new.get("kind") == "Secret")
        for key in [*old, *(key for key in new if key not in old)]:
            inner = hidden and (bool(place) or key in {"data", "stringData"})
            yield from _lines(old.get(key), new.get(key), _joined(place, key), secret=inner)
        return
    if isinstance(old, list) and isinstance(new, list):
        name = _name(old, new)
        if name is not None:
            before, after = {name(each): each for each in old}, {name(each): each for each in new}
            for key in [*before, *(key for key in after if key not in before)]:
                yield from _lines(before.get(key), after.get(key), f"{place}[{key}]", secret=secret)
            if list(before) != list(after) and before == after:
                yield f"{place}: in another order"
            return
    shown = (HIDDEN, HIDDEN) if secret else (_shown(old), _shown(new))
    yield f"{place}: {shown[0] if old is not None else '(not set)'} → {shown[1] if new is not None else '(not set)'}"


def _joined(place: str, key: str) -> str:
    simple = key.replace("_", "").replace("-", "").isalnum()
    if simple:
        return f"{place}.{key}" if place else key
    return f"{place}[{key!r}]"


def _name(old: list[Any], new: list[Any]) -> Callable[[Any], str] | None:
    """Return what tells the entries of a list apart; None when nothing but their place does."""
    for key in ("name", "type", "key"):
        if all(isinstance(each, dict) and isinstance(each.get(key), str) for each in (*old, *new)):
            names = [[each[key] for each in entries] for entries in (old, new)]
            if all(len(set(listed)) == len(listed) for listed in names):
                return lambda entry, key=key: str(entry[key])  # type: ignore[misc]  # the default binds this round's key
    return None


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value
    text = text.replace("\n", "\\n")
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 2]} …"
