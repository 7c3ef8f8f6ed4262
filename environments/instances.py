"""The dated table of EC2 instance types: shapes, and the zones of each region that offer them.

A synth must not ask AWS, and a pool must not name a type that its zones do not have; so the facts are in
`instance_types.json`, with their date and sources. A zone's *id* (use1-az4) is the same for everybody; its *name*
(us-east-1a) is mapped to an id per account in the regions older than 2012, which is why the table knows ids only.
"""

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

TABLE: Final = Path(__file__).with_name("instance_types.json")

Architecture = Literal["amd64", "arm64"]
"""As Kubernetes writes it in kubernetes.io/arch."""


@dataclass(frozen=True, kw_only=True)
class InstanceType:
    """One EC2 instance type."""

    name: str
    vcpu: int
    memory_mib: int
    architecture: Architecture
    nvme_gb: int
    """Sum of the instance store, GB; 0 when there is none."""
    network_mbps: int
    """Baseline bandwidth, Mbit/s."""
    generation: int
    price: float
    """On-demand list price in us-east-1, USD per hour, at the table's date."""

    @property
    def shape(self) -> tuple[int, int, Architecture]:
        """vCPU, memory in MiB and architecture: what the types of one pool must share."""
        return self.vcpu, self.memory_mib, self.architecture


@functools.cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
    return table


@functools.cache
def instance_types() -> dict[str, InstanceType]:
    """Return every type of the table by its name."""
    return {
        name: InstanceType(
            name=name,
            vcpu=row[0],
            memory_mib=row[1],
            architecture=family["architecture"],
            nvme_gb=row[2],
            network_mbps=row[3],
            generation=family["generation"],
            price=row[4],
        )
        for family in _table()["families"].values()
        for name, row in family["types"].items()
    }


def table_date() -> str:
    """Return the date of the table's offerings, YYYY-MM-DD."""
    return str(_table()["date"])


def regions() -> tuple[str, ...]:
    """Return the regions that the table knows, sorted."""
    return tuple(sorted(_table()["regions"]))


def zone_ids(region: str) -> tuple[str, ...]:
    """Return the zone ids of `region`; none when the table does not know the region."""
    facts = _table()["regions"].get(region)
    return () if facts is None else tuple(f"{facts['prefix']}{number}" for number in facts["zones"])


def zone_ids_without_eks(region: str) -> tuple[str, ...]:
    """Return the zone ids of `region` in which EKS makes no control-plane interfaces."""
    facts = _table()["regions"].get(region)
    return () if facts is None else tuple(f"{facts['prefix']}{number}" for number in facts["without_eks"])


def offered_in(name: str, region: str) -> frozenset[str]:
    """Return the zone ids of `region` that offer the type; none for an unknown type or region."""
    facts = _table()["regions"].get(region)
    family = _table()["families"].get(name.split(".", maxsplit=1)[0])
    if facts is None or family is None or name not in family["types"]:
        return frozenset()
    exceptions = family.get("offered_except", {}).get(name, {})
    numbers = exceptions.get(region, family["offered"].get(region, ()))
    return frozenset(f"{facts['prefix']}{number}" for number in numbers)


def alike(name: str, region: str, *, same_nvme: bool) -> tuple[InstanceType, ...]:
    """Return the types offered in `region` that share the shape of `name`, newest first; with `same_nvme` its disks too."""
    model = instance_types()[name]
    found = [
        other
        for other in instance_types().values()
        if other.shape == model.shape
        and (not same_nvme or other.nvme_gb == model.nvme_gb)
        and offered_in(other.name, region)
    ]
    return tuple(sorted(found, key=lambda other: (-other.generation, other.price, other.name)))
