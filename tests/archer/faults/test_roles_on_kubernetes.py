"""`archer serve` as the charts run it: each role a process of its own that is asked whether it is well, and told to go."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import httpx
import pytest
import yaml

from archer.store.migrate import migrate, open_database
from archer.store.sql import SqlStore
from testbed.archer_builders import make_cluster_config
from testbed.postgres import PostgresServer
from tests.archer.faults.conftest import until
from tests.archer.faults.empty_cluster import EmptyCluster, write_kubeconfig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.archer.faults.conftest import ArcherProcess, Archers

TEAMS = {"ads": ["root.a"], "search": ["root.b"], "risk": ["root.a"]}
NAMESPACES = {"spark-ads", "spark-search", "spark-risk"}
NOBODY = "http://127.0.0.1:1"
"""A cluster that isn't there."""
LEASE_SECONDS = "120"
"""Whoever gets a lease within a test has been given it: it has not run out."""


@pytest.fixture
def database() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


def serve(archers: Archers, role: str, cluster: str, **settings: str) -> ArcherProcess:
    """A process with this role, for a cluster at this address."""
    config = archers.folder / "archer.yaml"
    config.write_text(yaml.safe_dump(make_cluster_config("root.a", "root.b", teams=TEAMS).model_dump(mode="json")))
    given = {
        "ARCHER_BACKEND": "kubernetes",
        "ARCHER_CONFIG": str(config),
        "ARCHER_KUBECONFIG": str(write_kubeconfig(archers.folder / "kubeconfig", batch=cluster)),
        "ARCHER_LEASE_SECONDS": LEASE_SECONDS,
    }
    return archers.serve("--roles", role, real_spark=False, **{**given, **settings})


def status(server: ArcherProcess, path: str) -> int:
    """0 for a connection that broke."""
    try:
        return server.http.get(path).status_code
    except httpx.TransportError:
        return 0


@pytest.mark.parametrize("role", ["api", "dispatcher", "tracker", "janitor"])
def test_every_role_says_whether_it_lives_is_ready_and_how_it_does_while_its_cluster_is_away(
    archers: Archers, role: str
) -> None:
    server = serve(archers, role, NOBODY)

    assert server.http.get("/healthz").json() == {"status": "alive"}
    assert server.http.get("/readyz").json() == {"status": "ready"}
    metrics = server.http.get("/metrics").text
    assert "archer_database_up 1.0" in metrics
    assert 'archer_jobs{state="QUEUED"} 0.0' in metrics
    assert "archer_finalizers_held" in metrics
    # only the API tells and takes more than that
    assert status(server, "/api/v1/jobs") == (200 if role == "api" else 404)
    assert server.terminate() == 0


def test_readiness_follows_the_database_and_its_tables_without_a_restart(
    archers: Archers, database: PostgresServer
) -> None:
    server = serve(archers, "tracker", NOBODY, **database.variables("postgres"))

    empty = server.http.get("/readyz")
    assert empty.status_code == 503
    assert "archer migrate" in empty.text

    migrate(database.url("postgres"))
    until(lambda: status(server, "/readyz") == 200, what="ready with its tables")

    database.kill()
    gone = server.http.get("/readyz")
    assert gone.status_code == 503
    assert int(gone.headers["Retry-After"]) > 0
    assert status(server, "/healthz") == 200
    metrics = server.http.get("/metrics")
    assert metrics.status_code == 200
    assert "archer_database_up 0.0" in metrics.text
    assert "archer_finalizers_held" in metrics.text

    database.start()
    until(lambda: status(server, "/readyz") == 200, what="ready again")
    assert server.terminate() == 0


def test_trackers_share_namespaces_and_one_that_is_told_to_go_hands_its_own_over(archers: Archers) -> None:
    with EmptyCluster() as cluster:
        store = SqlStore(open_database(f"sqlite:///{archers.folder}/data/archer.db"))

        def holders() -> dict[str, str]:
            return {name.rpartition("/")[2]: owner for name, owner in store.lease_owners("tracker/batch/").items()}

        first = serve(archers, "tracker", cluster.url)
        until(lambda: set(holders()) == NAMESPACES, what="one that holds all")
        second = serve(archers, "tracker", cluster.url)
        until(lambda: len(set(holders().values())) == 2 and set(holders()) == NAMESPACES, what="two that share")
        until(lambda: cluster.watched == NAMESPACES, what="all are watched")

        assert first.terminate() == 0
        last = until(
            lambda: found if len(set((found := holders()).values())) == 1 and set(found) == NAMESPACES else None,
            what="the other one has all",
            seconds=float(LEASE_SECONDS) / 2,
        )
        assert set(last.values()) == {_owner_of(second, last)}
        assert len(store.lease_owners("presence/tracker/")) == 1

        assert second.terminate() == 0
        assert holders() == {}
        assert store.lease_owners("") == {}
        store.close()


def _owner_of(server: ArcherProcess, held: dict[str, str]) -> str:
    """Owners begin with the process's id."""
    return next(owner for owner in held.values() if owner.startswith(f"{server.process.pid}-"))


def test_the_place_of_the_announcement_is_made_where_the_database_is_elsewhere(
    archers: Archers, database: PostgresServer
) -> None:
    migrate(database.url("postgres"))
    server = serve(archers, "janitor", NOBODY, **database.variables("postgres"))
    files = {path.name for path in (archers.folder / "data").iterdir()}
    assert files == {"server.json"}

    shutil.rmtree(archers.folder / "data")

    until((archers.folder / "data" / "server.json").exists, what="the announcement is there again")
    assert server.terminate() == 0
