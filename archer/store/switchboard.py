"""What operators set (drain, pause) and what dispatchers report of their clusters: a few rows, read often."""

from collections.abc import Mapping

from sqlalchemy import Connection, delete, select

from archer.clock import from_ms, to_ms
from archer.store.interface import ClusterHealth, Mode, Switch
from archer.store.schema import cluster_health, switches
from archer.store.upserts import upsert


def list_switches(connection: Connection) -> list[Switch]:
    rows = connection.execute(select(switches).order_by(switches.c.kind, switches.c.name))
    return [
        Switch(
            kind=row.kind,
            name=row.name,
            mode=Mode(row.mode),
            message=row.message,
            actor=row.actor,
            at=from_ms(row.at),
        )
        for row in rows
    ]


def write_switch(connection: Connection, switch: Switch) -> None:
    """What is open has no row."""
    if switch.mode is Mode.OPEN:
        connection.execute(delete(switches).where(switches.c.kind == switch.kind, switches.c.name == switch.name))
        return
    row = {
        "kind": switch.kind,
        "name": switch.name,
        "mode": switch.mode.value,
        "message": switch.message,
        "actor": switch.actor,
        "at": to_ms(switch.at),
    }
    upsert(connection, switches, [row])


def write_health(connection: Connection, health: ClusterHealth) -> None:
    row = {
        "name": health.name,
        "healthy": health.healthy,
        "message": health.message,
        "create_seconds": health.create_seconds,
        "breaker": health.breaker,
        "at": to_ms(health.at),
    }
    upsert(connection, cluster_health, [row])


def read_health(connection: Connection) -> Mapping[str, ClusterHealth]:
    return {
        row.name: ClusterHealth(
            name=row.name,
            healthy=row.healthy,
            message=row.message,
            create_seconds=row.create_seconds,
            breaker=row.breaker,
            at=from_ms(row.at),
        )
        for row in connection.execute(select(cluster_health))
    }
