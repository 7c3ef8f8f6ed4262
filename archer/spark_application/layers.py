"""Spark properties in layers: platform < environment < team < profile < job. Each value knows its layer and what it covers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Layer(StrEnum):
    """Who set a value. A later one wins."""

    PLATFORM = "platform"
    """Archer: what makes a job run well here."""
    ENVIRONMENT = "environment"
    """`spark.conf` of the environment file."""
    TEAM = "team"
    """`conf` of the team in the environment file."""
    PROFILE = "profile"
    """The profile that the job names."""
    JOB = "job"
    """The submission itself."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One value and where it comes from."""

    value: str
    layer: Layer
    overrode: tuple[tuple[Layer, str], ...] = ()
    """What lower layers said, the lowest first."""
    rung: float = 1.0
    """Factor of the memory ladder that is in the value."""

    def as_json(self) -> dict[str, Any]:
        covered = [{"layer": layer.value, "value": value} for layer, value in self.overrode]
        climbed = {} if self.rung == 1 else {"memory_rung": self.rung}
        return {"value": self.value, "layer": self.layer.value, "overrode": covered, **climbed}


def layered(layers: Iterable[tuple[Layer, Mapping[str, str]]]) -> dict[str, Setting]:
    """The values of all layers, the lowest given first; by key, sorted."""
    found: dict[str, Setting] = {}
    for layer, values in layers:
        for key, value in values.items():
            below = found.get(key)
            covered = () if below is None else (*below.overrode, (below.layer, below.value))
            found[key] = Setting(value=value, layer=layer, overrode=covered)
    return dict(sorted(found.items()))


def values_of(settings: Mapping[str, Setting]) -> dict[str, str]:
    """The values alone."""
    return {key: setting.value for key, setting in settings.items()}
