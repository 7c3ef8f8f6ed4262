"""Results of deliveries as text for people; JSON is the result itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from moka.delivery.sets import RenderedSet

_MARKS = {"created": "+", "changed": "~"}


def failure(rendered: RenderedSet, result: Mapping[str, Any]) -> str:
    """Return what went wrong, an object per line."""
    lines = [f"{rendered}: {result['failed']}{':' if result['problems'] else ''}"]
    lines += [f"  {subject}: {reason}" for subject, reason in result["problems"]]
    return "\n".join(lines)


def applied(rendered: RenderedSet, result: Mapping[str, Any]) -> str:
    """Return what an apply did: each object that it touched, and how many there are."""
    lines = [f"{rendered}", *_applied(result)]
    counts = ", ".join(f"{count} {name}" for name, count in result["counts"].items() if count)
    return "\n".join([*lines, f"  {counts or 'nothing'}"])


def _applied(result: Mapping[str, Any]) -> Iterator[str]:
    for name, outcome in result["objects"].items():
        if outcome in _MARKS:
            yield f"{_MARKS[outcome]} {name}"
    for name in result["pruned"]:
        yield f"- {name}"
    for name, why in {**result["kept"], **result["no longer ours"]}.items():
        yield f"  {name} stays: {why}"
    for name in result["left over"]:
        yield f"  {name} left the set; --prune deletes it"


def compared(rendered: RenderedSet, result: Mapping[str, Any]) -> str:
    """Return what an apply would do."""
    lines = [str(rendered)]
    for each in result["differences"]:
        lines.append(f"{_MARKS[each['outcome']]} {each['object']}")
        lines += [f"    {line}" for line in each["changes"]]
    lines += [f"- {name} (left the set; an apply with --prune deletes it)" for name in result["left over"]]
    return "\n".join([*lines, *([] if differs(result) else ["  no difference"])])


def differs(result: Mapping[str, Any]) -> bool:
    """Whether an apply that prunes would change anything."""
    return bool(result["differences"] or result["left over"])
