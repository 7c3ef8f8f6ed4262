"""What an environment would deploy, counted from the synthesized templates and the rendered manifests.

The inventory is plain data, the same for the table, for `--output json` and for tests. It never asks the stacks or charts: a
number here is a number that CloudFormation or the API server would see.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import yaml

from moka.assembly import SynthesizedStack, read_assembly
from moka.errors import BadInputError, MokaError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_NODE_GROUP = "AWS::EKS::Nodegroup"
_POOL_LABEL, _ROLE_LABEL = "moka.dev/pool", "moka.dev/role"
_GROUP_NAME = re.compile(r"(?P<pool>.+)-(?P<zone>[a-z]{2}(?:-[a-z]+)+-\d[a-z])-[0-9a-f]{8}")
"""`<pool>-<zone>-<8 hex of the create-only properties>`: the zone is told by nothing else when the subnet is an existing one."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One CloudFormation stack."""

    name: str
    resources: int
    kinds: dict[str, int]
    """Resources by CloudFormation type, most frequent first."""


@dataclass(frozen=True, kw_only=True)
class NodeGroup:
    """One managed node group: a pool in a zone."""

    stack: str
    name: str
    pool: str
    role: str
    zone: str
    capacity: str
    """ON_DEMAND or SPOT."""
    instance_types: tuple[str, ...]
    min_nodes: int
    max_nodes: int


@dataclass(frozen=True, kw_only=True)
class Manifests:
    """What is applied to one cluster."""

    cluster: str
    files: int
    objects: int
    kinds: dict[str, int]
    """Objects by Kubernetes kind, most frequent first."""


@dataclass(frozen=True, kw_only=True)
class EnvironmentInventory:
    """Everything that one environment would deploy."""

    name: str
    account: str
    region: str
    stacks: tuple[Stack, ...]
    node_groups: tuple[NodeGroup, ...]
    manifests: tuple[Manifests, ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def take_inventory(assembly: Path, rendered: Path) -> list[EnvironmentInventory]:
    """The environments of `assembly` with the manifests below `rendered/ENVIRONMENT/CLUSTER/`.

    Raises AssemblyError for a folder that is no assembly, MokaError for a manifest that is no YAML.
    """
    by_environment: dict[str, list[SynthesizedStack]] = {}
    for stack in read_assembly(assembly):
        by_environment.setdefault(stack.environment, []).append(stack)
    return [
        EnvironmentInventory(
            name=name,
            account=stacks[0].account,
            region=stacks[0].region,
            stacks=tuple(_counted(stack) for stack in stacks),
            node_groups=tuple(group for stack in stacks for group in _node_groups(stack)),
            manifests=_manifests(rendered / name),
        )
        for name, stacks in by_environment.items()
    ]


def only(inventories: Sequence[EnvironmentInventory], name: str | None) -> list[EnvironmentInventory]:
    """The environment called `name`, or all for None. Raises BadInputError for a name that nobody has."""
    check_known(name, [inventory.name for inventory in inventories])
    return [inventory for inventory in inventories if name in {None, inventory.name}]


def check_known(name: str | None, known: Sequence[str]) -> None:
    """Raises BadInputError when `name` is given and not among the names of environments."""
    if name is not None and name not in known:
        raise BadInputError(f"`ENV` must be one of {', '.join(known)}, got {name!r}; give one of these, or --all")


def pool_of(group_name: str) -> str | None:
    """The pool in the name of a node group; None when the name is not one of ours."""
    parts = _GROUP_NAME.fullmatch(group_name)
    return parts["pool"] if parts else None


def zone_of(group_name: str) -> str | None:
    """The zone in the name of a node group; None when the name is not one of ours."""
    parts = _GROUP_NAME.fullmatch(group_name)
    return parts["zone"] if parts else None


def _by_frequency(kinds: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(kinds).items(), key=lambda item: (-item[1], item[0])))


def _counted(stack: SynthesizedStack) -> Stack:
    # what CDK adds for its own statistics is nobody's resource
    kinds = [resource["Type"] for resource in stack.resources.values() if resource["Type"] != "AWS::CDK::Metadata"]
    return Stack(name=stack.name, resources=len(kinds), kinds=_by_frequency(kinds))


def _node_groups(stack: SynthesizedStack) -> list[NodeGroup]:
    found = []
    for logical_id, resource in stack.resources.items():
        if resource["Type"] != _NODE_GROUP:
            continue
        properties = resource.get("Properties", {})
        name = str(properties.get("NodegroupName", logical_id))
        labels = properties.get("Labels", {})
        scaling = properties.get("ScalingConfig", {})
        found.append(
            NodeGroup(
                stack=stack.name,
                name=name,
                pool=labels.get(_POOL_LABEL) or pool_of(name) or name,
                role=labels.get(_ROLE_LABEL, "unknown"),
                zone=zone_of(name) or "unknown",
                capacity=properties.get("CapacityType", "ON_DEMAND"),
                instance_types=tuple(map(str, properties.get("InstanceTypes", ()))),
                min_nodes=int(scaling.get("MinSize", 0)),
                max_nodes=int(scaling.get("MaxSize", 0)),
            )
        )
    return sorted(found, key=lambda group: (group.pool, group.zone, group.name))


def _manifests(folder: Path) -> tuple[Manifests, ...]:
    clusters = sorted(path for path in folder.glob("*") if path.is_dir())
    return tuple(_rendered(cluster) for cluster in clusters)


def _rendered(cluster: Path) -> Manifests:
    files = sorted(cluster.glob("*.yaml"))
    kinds = [kind for file in files for kind in _kinds(file)]
    return Manifests(cluster=cluster.name, files=len(files), objects=len(kinds), kinds=_by_frequency(kinds))


def _kinds(file: Path) -> list[str]:
    try:
        documents = list(yaml.load_all(file.read_text(encoding="utf-8"), Loader=_LOADER))
    except yaml.YAMLError as error:
        what = " ".join(str(error).split())
        raise MokaError(f"{file} is not YAML ({what}); render again: moka render") from error
    return [str(document["kind"]) for document in documents if document]


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# libyaml reads a CRD ten times faster where PyYAML was built with it
