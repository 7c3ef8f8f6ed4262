"""`archer migrate` on PostgreSQL: the user, the tables, once, whoever runs it and however often."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import boto3  # type: ignore[import-untyped]  # ships no types
import pytest
from moto import mock_aws
from sqlalchemy import text

from archer.errors import CannotServeError, StoreNotOpenedError, StoreUnavailableError
from archer.store.address import DatabaseAddress
from archer.store.connection import Database
from archer.store.migrate import head_revision, migrate, open_database
from archer.store.sql import SqlStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.postgres import PostgresServer

NAME = "to_migrate"
REGION = "eu-central-1"


@pytest.fixture
def server(postgres_server: PostgresServer) -> Iterator[PostgresServer]:
    """With an empty database and the role that Aurora has."""
    postgres_server.create_database(NAME)
    master = Database(postgres_server.url("postgres"))
    with master.write() as connection:
        connection.exec_driver_sql("CREATE ROLE rds_iam")
    yield postgres_server
    postgres_server.drop_database(NAME)
    with master.write() as connection:
        connection.exec_driver_sql("DROP ROLE IF EXISTS archer")
        connection.exec_driver_sql("DROP ROLE rds_iam")
    master.close()


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield boto3.client("secretsmanager", region_name=REGION)


def secret(secrets: Any, content: str) -> str:
    arn: str = secrets.create_secret(Name="master", SecretString=content)["ARN"]
    return arn


def test_the_master_makes_the_user_and_the_user_makes_its_tables(server: PostgresServer, secrets: Any) -> None:
    arn = secret(secrets, json.dumps({"username": "postgres", "password": "p"}))
    address = DatabaseAddress(url=server.url(NAME, user="archer"), secret_arn=arn)

    for _ in range(2):
        assert migrate(address) == head_revision()

    database = Database(address)
    with database.read() as connection:
        assert connection.execute(text("SELECT current_user")).scalar_one() == "archer"
        owners = connection.execute(text("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"))
        assert owners.scalars().all() == ["archer"]
        granted = connection.execute(text("SELECT pg_has_role('archer', 'rds_iam', 'member')"))
        assert granted.scalar_one() is True
        rights = text("SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = 'archer'")
        assert connection.execute(rights).scalar_one() is False
    SqlStore(database).probe()
    database.close()


@pytest.mark.parametrize(
    ("content", "told"), [("no json", "holds no JSON"), ("{}", "must be JSON with `username` and `password`")]
)
def test_a_secret_that_is_no_master_secret_is_named(
    server: PostgresServer, secrets: Any, content: str, told: str
) -> None:
    address = DatabaseAddress(url=server.url(NAME, user="archer"), secret_arn=secret(secrets, content))

    with pytest.raises(CannotServeError, match=told):
        migrate(address)


def test_a_secret_that_can_not_be_read_is_named_with_the_right_that_it_needs(
    server: PostgresServer, secrets: Any
) -> None:
    arn = secret(secrets, "{}").replace("master", "other")
    address = DatabaseAddress(url=server.url(NAME, user="archer"), secret_arn=arn)

    with pytest.raises(CannotServeError, match=r"can't read secret arn:.*secretsmanager:GetSecretValue"):
        migrate(address)


def test_migrations_that_start_together_all_find_it_done(server: PostgresServer) -> None:
    program = [sys.executable, "-m", "archer.cli", "migrate"]
    variables = {**os.environ, **server.variables(NAME), "ARCHER_BACKEND": "kubernetes"}
    started = [
        subprocess.Popen(program, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # ours
        for _ in range(3)
    ]

    answers = [(process.communicate(timeout=120)[0], process.returncode) for process in started]

    place = f"{NAME} on 127.0.0.1:{server.port}"
    assert answers == [(f"archer: the database {place} is up to date\n", 0)] * 3


def test_a_server_neither_works_on_nor_changes_tables_of_another_version(server: PostgresServer) -> None:
    store = SqlStore(open_database(server.url(NAME)))
    for call in (store.probe, store.counters, lambda: store.acquire("x", "me", seconds=1)):
        with pytest.raises(StoreUnavailableError, match=r"schema revision is None.*run `archer migrate`"):
            call()

    migrate(server.url(NAME))
    store.probe()

    newer = Database(server.url(NAME))
    with newer.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    newer.close()
    for call in (store.probe, store.counters):
        with pytest.raises(StoreUnavailableError, match="9999"):
            call()
    store.close()


def test_a_migration_of_a_database_that_is_not_there_says_where_it_looked() -> None:
    with pytest.raises(StoreNotOpenedError, match=r"archer@127\.0\.0\.1:1/gone .*refused.*look at PGHOST"):
        migrate("postgresql+psycopg://archer@127.0.0.1:1/gone")
