"""Puts together what is known of each cluster: its part of the environment, switches, health, pace."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

from archer.backends.interface import Backend
from archer.cluster_config import ClusterConfig
from archer.scheduling.breaker import Circuit
from archer.scheduling.limits import switched
from archer.scheduling.pacing import TokenBucket
from archer.scheduling.routing import Target
from archer.store.interface import ClusterHealth, Mode, Switch

HEALTH_SECONDS: Final = 120
"""Older reports say nothing: whoever wrote them has stopped, and the next create shows how things are."""

TRIAL_SECONDS: Final = 60
"""Between two jobs that try a cluster which did not answer: each of them may have to wait there."""


def targets_of(
    backends: Mapping[str, Backend],
    config: ClusterConfig | None,
    *,
    switches: Collection[Switch],
    health: Mapping[str, ClusterHealth],
    buckets: Mapping[str, TokenBucket],
    trials: Mapping[str, datetime],
    now: datetime,
) -> list[Target]:
    """Every cluster that this server has a backend for, as routing wants it."""
    return [
        _target(
            backend,
            config,
            switches=switches,
            health=health.get(name),
            bucket=buckets.get(name),
            tried_at=trials.get(name),
            now=now,
        )
        for name, backend in backends.items()
    ]


def lately(report: ClusterHealth | None, now: datetime) -> ClusterHealth | None:
    """The report, as far as it still says something."""
    fresh = report is not None and now - report.at <= timedelta(seconds=HEALTH_SECONDS)
    return report if fresh else None


def _target(
    backend: Backend,
    config: ClusterConfig | None,
    *,
    switches: Collection[Switch],
    health: ClusterHealth | None,
    bucket: TokenBucket | None,
    tried_at: datetime | None,
    now: datetime,
) -> Target:
    name = backend.cluster
    view = None if config is None else config.cluster(name)
    switch = next((switch for switch in switches if (switch.kind, switch.name) == ("cluster", name)), None)
    known = lately(health, now)
    circuit = Circuit.CLOSED if known is None else Circuit(known.breaker)
    if circuit is Circuit.HALF_OPEN and tried_at is not None and now - tried_at < timedelta(seconds=TRIAL_SECONDS):
        circuit = Circuit.OPEN
    return Target(
        name=name,
        view=view,
        capacity=backend.capacity,
        weight=1.0 if view is None else float(view.weight),
        images=_images(config),
        mode=Mode.OPEN if switch is None else switch.mode,
        mode_reason="" if switch is None else switched(f"cluster {name}", switch),
        # while it is half-open one job tries it, whatever the report said; while it is open that is the reason
        healthy=known is None or known.healthy or circuit is not Circuit.CLOSED,
        health_reason="" if known is None else known.message,
        circuit=circuit,
        create_seconds=None if known is None else known.create_seconds,
        tokens=None if bucket is None else bucket.available(now),
        per_minute=0 if bucket is None else bucket.per_minute,
    )


def _images(config: ClusterConfig | None) -> Mapping[str, Collection[str]] | None:
    if config is None or not config.spark_images:
        return None
    return {image.spark_version: image.architectures for image in config.spark_images}
