"""PostgreSQL behind TLS, and PostgreSQL that goes away."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from archer.errors import StoreUnavailableError
from archer.model import JobState
from archer.store.address import POSTGRESQL, DatabaseAddress, postgresql_address
from archer.store.connection import Database
from archer.store.interface import SubmitResult
from archer.store.migrate import migrate
from archer.store.sql import SqlStore
from testbed.pki import Authority
from testbed.postgres import PostgresServer
from testbed.tls_door import TlsDoor
from tests.archer.store.conftest import StoreKit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection

S = JobState


@pytest.fixture
def mortal_server() -> Iterator[PostgresServer]:
    """A server of the test's own, which keeps what it has committed."""
    with PostgresServer(durable=True) as server:
        server.create_database("archer")
        yield server


def test_jobs_survive_a_killed_database_and_calls_fail_at_once_until_it_is_back(mortal_server: PostgresServer) -> None:
    migrate(mortal_server.url("archer"))
    kit = StoreKit(mortal_server.url("archer"))
    jobs = [kit.submit(key=f"k{number}") for number in range(5)]
    running = kit.move(jobs[0], S.SUBMITTING, S.SUBMITTED)
    new = kit.new_job(key="late")
    mortal_server.kill()

    begun = time.monotonic()
    for call in (lambda: kit.store.submit(new), lambda: kit.store.job(jobs[0].id), kit.store.probe):
        with pytest.raises(StoreUnavailableError) as told:
            call()
        assert told.value.retry_after_seconds > 0
    # the bound of a connection's life, far from a thread that hangs
    assert time.monotonic() - begun < 30

    mortal_server.start()
    assert kit.store.job(running.id) == running
    assert [kit.store.job(job.id) for job in jobs[1:]] == jobs[1:]
    assert kit.store.submit(new).job.id == new.id
    assert kit.store.counters() == {("root.default", S.QUEUED): 5, ("root.default", S.SUBMITTED): 1}
    kit.store.probe()
    kit.store.close()


def test_what_was_accepted_before_the_database_was_killed_is_there_after(mortal_server: PostgresServer) -> None:
    migrate(mortal_server.url("archer"))
    kit = StoreKit(mortal_server.url("archer"))
    accepted: list[str] = []

    def submit_until_it_fails(_: int) -> None:
        try:
            while True:
                accepted.extend(
                    answer.job.id
                    for answer in kit.store.submit_many([kit.new_job(), kit.new_job()])
                    if isinstance(answer, SubmitResult)
                )
        except StoreUnavailableError:
            return

    with ThreadPoolExecutor(4) as pool:
        ends = [pool.submit(submit_until_it_fails, number) for number in range(4)]
        while len(accepted) < 100 and not all(end.done() for end in ends):
            time.sleep(0.01)
        mortal_server.kill()
        for end in ends:
            end.result(60)
    mortal_server.start()

    assert len(accepted) >= 100
    for job_id in accepted:
        assert kit.store.job(job_id).state is S.QUEUED
    (counted,) = kit.store.counters().values()
    with kit.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM jobs").scalar_one() == counted
    kit.store.close()


def test_a_server_that_starts_while_the_database_is_gone_works_when_it_is_back(mortal_server: PostgresServer) -> None:
    migrate(mortal_server.url("archer"))
    mortal_server.kill()
    kit = StoreKit(mortal_server.url("archer"))
    with pytest.raises(StoreUnavailableError, match="refused"):
        kit.store.probe()

    mortal_server.start()

    assert kit.submit().number == 1
    kit.store.close()


def cut_after_commit(kit: StoreKit) -> list[str]:
    """The next commit happens, and its answer never comes."""
    cut: list[str] = []

    def commit_and_cut(connection: Connection) -> None:
        raw = connection.connection.driver_connection
        if cut or raw is None or not connection.get_execution_options().get("archer_write"):
            return
        raw.commit()
        cut.append("cut")
        raw.close()

    event.listen(kit.database.engine, "commit", commit_and_cut)
    return cut


def test_a_submission_whose_commit_was_not_answered_is_one_job(postgres_kit: StoreKit) -> None:
    kit = postgres_kit
    kit.store.probe()
    cut = cut_after_commit(kit)
    new = [kit.new_job(key="k"), kit.new_job()]

    answers = kit.store.submit_many(new)

    assert cut
    assert [(answer.job.id, answer.replayed) for answer in answers if isinstance(answer, SubmitResult)] == [
        (one.id, False) for one in new
    ]
    assert kit.store.counters() == {("root.default", S.QUEUED): 2}


def test_idle_connections_that_the_server_ended_are_replaced_unnoticed(postgres_kit: StoreKit) -> None:
    kit = postgres_kit
    job = kit.submit()
    ender = Database(kit.url)
    ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    for _ in range(2):
        with ender.write() as connection:
            assert connection.exec_driver_sql(ending).all()
        job = kit.store.change(job.id, kit.change(job, substate="still here"))
    ender.close()

    assert kit.store.job(job.id) == job


def test_a_server_that_only_reads_is_not_taken_for_the_database(postgres_kit: StoreKit) -> None:
    kit = postgres_kit
    kit.submit()
    with kit.database.write() as connection:
        name = connection.exec_driver_sql("SELECT current_database()").scalar_one()
        connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    kit.database.engine.dispose()

    with pytest.raises(StoreUnavailableError, match="read-only"):
        kit.submit()


@pytest.fixture
def authorities(tmp_path: Path) -> tuple[Authority, Authority]:
    """Ours, and one that nobody asked for."""
    return Authority(tmp_path, "ours"), Authority(tmp_path, "other")


def reach(
    monkeypatch: pytest.MonkeyPatch, server: PostgresServer, *, port: int, host: str, authority: Authority
) -> Database:
    """Through libpq's own variables, as the chart sets them."""
    given = server.variables("postgres") | {
        "PGHOST": host,
        "PGPORT": str(port),
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": str(authority.pair.certificate),
        "PGCONNECT_TIMEOUT": "5",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    address = postgresql_address(given)
    assert address == DatabaseAddress(
        url=POSTGRESQL, user="postgres", connect_seconds=5, place=f"postgres on {host}:{port}"
    )
    return Database(address)


@pytest.mark.parametrize(
    ("host", "authority", "told"),
    [
        ("localhost", "ours", None),
        ("localhost", "other", "certificate verify failed"),
        ("127.0.0.1", "ours", 'server certificate for "localhost" .*does not match host name "127.0.0.1"'),
    ],
)
def test_the_databases_certificate_and_name_are_verified(
    request: pytest.FixtureRequest, host: str, authority: str, told: str | None
) -> None:
    server: PostgresServer = request.getfixturevalue("postgres_server")
    monkeypatch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    ours, other = request.getfixturevalue("authorities")
    trusted = ours if authority == "ours" else other
    with TlsDoor(ours.server("database", ["localhost"]), to_port=server.port) as door:
        database = reach(monkeypatch, server, port=door.port, host=host, authority=trusted)
        if told is None:
            with database.read() as connection:
                assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1
        else:
            with pytest.raises(StoreUnavailableError, match=told):
                SqlStore(database).probe()
        database.close()


def test_a_database_without_tls_is_refused(
    postgres_server: PostgresServer, authorities: tuple[Authority, Authority], monkeypatch: pytest.MonkeyPatch
) -> None:
    port = postgres_server.port
    database = reach(monkeypatch, postgres_server, port=port, host="localhost", authority=authorities[0])

    with pytest.raises(StoreUnavailableError, match="server does not support SSL"):
        SqlStore(database).probe()
    database.close()
