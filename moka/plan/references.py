"""Which resources of a template have to be there before another one, as CloudFormation reads it.

`Ref`, `Fn::GetAtt`, `Fn::Sub` (both forms) and `DependsOn` count, at any depth and inside any other function. Conditions do not:
a resource whose condition is false makes a deploy shorter, never longer. Source:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-deployment-time.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_VARIABLE = re.compile(r"\$\{(?!!)\s*([A-Za-z0-9:]+)(?:\.[^}]*)?\s*\}")
"""`${Name}` and `${Name.Attribute}`; `${!Name}` is text."""


def needed_resources(resources: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """Logical id -> the logical ids that it waits for, in the template's order. Parameters and unknown names are left out."""
    places = {logical_id: place for place, logical_id in enumerate(resources)}
    return {
        logical_id: tuple(
            sorted(
                {name for name in _names(resource) if name in resources and name != logical_id}, key=places.__getitem__
            )
        )
        for logical_id, resource in resources.items()
    }


def imported_values(template: Any) -> Iterator[str]:
    """The names of exports that the template reads from other stacks; a name that is no text is told by the manifest alone."""
    if isinstance(template, dict):
        for key, value in template.items():
            if key == "Fn::ImportValue" and isinstance(value, str):
                yield value
            yield from imported_values(value)
    elif isinstance(template, list):
        for value in template:
            yield from imported_values(value)


def exported_values(template: Mapping[str, Any]) -> Iterator[str]:
    """The names of the template's exports."""
    for output in template.get("Outputs", {}).values():
        name = output.get("Export", {}).get("Name")
        if isinstance(name, str):
            yield name


def _names(resource: Mapping[str, Any]) -> Iterator[str]:
    depends_on = resource.get("DependsOn", ())
    yield from [depends_on] if isinstance(depends_on, str) else depends_on
    yield from _referred(resource.get("Properties", {}))


def _referred(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _referred(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key == "Ref" and isinstance(each, str):
                yield each
            elif key == "Fn::GetAtt":
                yield (each if isinstance(each, str) else str(each[0])).partition(".")[0]
            elif key == "Fn::Sub":
                yield from _substituted(each)
            else:
                yield from _referred(each)


def _substituted(value: Any) -> Iterator[str]:
    """Names in the text of an `Fn::Sub` that its own map does not define, and what that map refers to."""
    text, variables = (value, {}) if isinstance(value, str) else (value[0], value[1])
    yield from (name for name in _VARIABLE.findall(text) if name not in variables)
    yield from _referred(variables)
