"""All resources of an environment, and what a value in one of them refers to, across stacks.

`Ref`, `Fn::GetAtt` and `Fn::ImportValue` are followed to the resource; an id or ARN that is written out is something that exists
already. Nothing is guessed: a reference to what no template has is neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from moka.assembly import SynthesizedStack

_STATISTICS = "AWS::CDK::Metadata"
"""What CDK adds for its own statistics is nobody's resource."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Resource:
    """One resource of a template."""

    stack: str
    logical_id: str
    kind: str
    """`AWS::EC2::Subnet`"""
    properties: Mapping[str, Any]

    @property
    def key(self) -> str:
        """Its name within the environment."""
        return f"{self.stack}/{self.logical_id}"

    def get(self, *path: str, default: Any = None) -> Any:
        """The property at this path; `default` when some part of it is missing."""
        value: Any = self.properties
        for name in path:
            if not isinstance(value, Mapping) or name not in value:
                return default
            value = value[name]
        return value

    @property
    def tags(self) -> dict[str, str]:
        return {str(tag["Key"]): str(tag["Value"]) for tag in self.get("Tags", default=())}


class Resources:
    """The resources of one environment, in the templates' order."""

    def __init__(self, stacks: Sequence[SynthesizedStack]) -> None:
        self._by_key = {
            (stack.name, logical_id): Resource(
                stack=stack.name,
                logical_id=logical_id,
                kind=str(resource["Type"]),
                properties=resource.get("Properties", {}),
            )
            for stack in stacks
            for logical_id, resource in stack.resources.items()
            if resource["Type"] != _STATISTICS
        }
        self._by_kind: dict[str, list[Resource]] = {}
        for resource in self:
            self._by_kind.setdefault(resource.kind, []).append(resource)
        self._exports = {
            output["Export"]["Name"]: (stack.name, output["Value"])
            for stack in stacks
            for output in stack.template.get("Outputs", {}).values()
            if isinstance(output.get("Export", {}).get("Name"), str)
        }

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._by_key.values())

    def __len__(self) -> int:
        return len(self._by_key)

    def of_kind(self, *kinds: str) -> list[Resource]:
        """The resources of these types, one type after the other."""
        return [resource for kind in kinds for resource in self._by_kind.get(kind, ())]

    def at(self, by: Resource, value: Any) -> Resource | None:
        """The resource that a value in resource `by` refers to; None when it refers to none."""
        return self._referred(by.stack, value)

    def one_of(self, by: Resource, values: Any) -> list[Resource]:
        """The resources that the values of a list in resource `by` refer to."""
        found = [self.at(by, value) for value in values or ()]
        return [each for each in found if each is not None]

    def referring(self, to: Resource, kinds: Iterable[str], *path: str) -> list[Resource]:
        """The resources of these types whose property at the path refers to `to`."""
        return [each for each in self.of_kind(*kinds) if self.at(each, each.get(*path)) is to]

    def role_name(self, by: Resource, value: Any) -> str:
        """The name of the IAM role that a value in resource `by` refers to, or of the one whose ARN it is; empty for neither."""
        role = self.at(by, value)
        if role is not None:
            return str(role.get("RoleName", default=role.logical_id))
        return last_part(written(value) or "")

    def _referred(self, stack: str, value: Any) -> Resource | None:
        if not isinstance(value, Mapping) or len(value) != 1:
            return None
        (function, argument), *_ = value.items()
        if function == "Fn::ImportValue" and argument in self._exports:
            return self._referred(*self._exports[argument])
        if function == "Ref":
            return self._by_key.get((stack, str(argument)))
        if function == "Fn::GetAtt":
            name = argument.partition(".")[0] if isinstance(argument, str) else argument[0]
            return self._by_key.get((stack, str(name)))
        return None


def keys(*resources: Resource | Iterable[Resource | None] | None) -> tuple[str, ...]:
    """The keys of resources, each once, without those that are None."""
    found: dict[str, None] = {}
    for each in resources:
        for resource in [each] if isinstance(each, Resource) else each or ():
            if resource is not None:
                found[resource.key] = None
    return tuple(found)


def written(value: Any) -> str | None:
    """A value that is written out, so that it is an id, a name or an ARN; None for a reference."""
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def texts(value: Any) -> Iterator[str]:
    """All texts in a value, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)


def last_part(arn: str) -> str:
    """`arn:aws:iam::1:role/team/Deployer` -> `Deployer`; `a.b/c` -> `c`."""
    return arn.rsplit("/", 1)[-1].rsplit(":", 1)[-1]
