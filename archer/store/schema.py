"""The tables. Migrations in `migrations/` create them; a test holds the two together.

Moments are milliseconds since 1970 in a BIGINT, states their words, structures JSON: the same in SQLite and PostgreSQL.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    literal_column,
    text,
)

from archer.model import ACTIVE_STATES, WAITING_STATES, JobState

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Identity = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only for a column of type INTEGER."""


class FreeText(TypeDecorator[str]):
    """Text of a program or a person. What PostgreSQL can't hold (NUL, halves of characters) becomes a question mark."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> str | None:
        return fit_text(value)


def fit_text(value: str | None) -> str | None:
    """As a column of type FreeText keeps it."""
    if value is None or (value.isascii() and "\0" not in value):
        return value
    return value.replace("\0", "?").encode("utf-8", "replace").decode()


def _states(states: frozenset[JobState]) -> str:
    return ", ".join(f"'{state.value}'" for state in sorted(states))


# written out, not parameters: a database uses a partial index only where it sees the index's own condition
IS_WAITING: ColumnElement[bool] = literal_column(f"jobs.state IN ({_states(WAITING_STATES)})")
"""Condition of `ix_jobs_waiting`."""
IS_QUEUED: ColumnElement[bool] = literal_column("jobs.state = 'QUEUED'")
"""Condition of `ix_jobs_queued_of_user`."""
IS_ACTIVE: ColumnElement[bool] = literal_column(f"jobs.state IN ({_states(ACTIVE_STATES)})")
"""Condition of `ix_jobs_active`."""
IS_SUBMITTING: ColumnElement[bool] = literal_column("jobs.state = 'SUBMITTING'")
"""Condition of `ix_jobs_claims`."""
IS_FINISHED: ColumnElement[bool] = literal_column("jobs.finished_at IS NOT NULL")
"""Condition of `ix_jobs_finished`."""


def _partial(name: str, *columns: Any, where: Any) -> Index:
    condition = text(str(where).removeprefix("jobs."))
    return Index(name, *columns, sqlite_where=condition, postgresql_where=condition)


jobs = Table(
    "jobs",
    metadata,
    Column("number", Identity, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("emr_id", String(64), nullable=False, unique=True),
    Column("name", String(64), nullable=False),
    Column("team", String(64)),
    Column("queue", String(256), nullable=False),
    Column("user_name", String(128)),
    # empty until one is chosen
    Column("cluster", String(128), nullable=False),
    Column("namespace", String(64)),
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("vcores", Integer, nullable=False, server_default="0"),
    Column("memory_mib", BigInteger, nullable=False, server_default="0"),
    Column("state", String(16), nullable=False),
    Column("substate", FreeText),
    Column("reason", FreeText),
    Column("attempt", Integer, nullable=False),
    Column("max_attempts", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("queued_at", BigInteger, nullable=False),
    Column("started_at", BigInteger),
    Column("finished_at", BigInteger),
    Column("retry_at", BigInteger),
    Column("queue_deadline", BigInteger),
    Column("claim_owner", String(128)),
    Column("claim_until", BigInteger),
    Column("version", Integer, nullable=False),
    Column("spark_app_id", String(256)),
    Column("ui_url", FreeText),
    Column("diagnosis", JSON(none_as_null=True)),
    Column("memory_rung", Float, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("submission", JSON, nullable=False),
    Index("ix_jobs_cluster_state_number", "cluster", "state", "number"),
    Index("ix_jobs_cluster_state_queue_deadline", "cluster", "state", "queue_deadline"),
    Index("ix_jobs_state_number", "state", "number"),
    Index("ix_jobs_name_number", "name", "number"),
    Index("ix_jobs_queue_number", "queue", "number"),
    Index("ix_jobs_user_name_number", "user_name", "number"),
    Index("ix_jobs_team_number", "team", "number"),
    _partial("ix_jobs_waiting", "queue", text("priority DESC"), "number", where=IS_WAITING),
    _partial("ix_jobs_queued_of_user", "user_name", where=IS_QUEUED),
    _partial("ix_jobs_active", "cluster", "namespace", "number", where=IS_ACTIVE),
    _partial("ix_jobs_claims", "cluster", "claim_until", where=IS_SUBMITTING),
    _partial("ix_jobs_finished", "finished_at", where=IS_FINISHED),
    # a number is never given twice, even when the newest job has been deleted: it is an id to Livy's clients
    sqlite_autoincrement=True,
)

job_labels = Table(
    "job_labels",
    metadata,
    Column("job_number", Identity, ForeignKey("jobs.number", ondelete="CASCADE"), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("value", String(64), nullable=False),
    Index("ix_job_labels_key_value_job_number", "key", "value", "job_number"),
)
"""The labels once more, for finding jobs by them."""

attempts = Table(
    "attempts",
    metadata,
    Column("job_id", String(64), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("name", String(128), nullable=False, unique=True),
    Column("cluster", String(128)),
    Column("state", String(16), nullable=False),
    Column("backend_ref", String(256)),
    Column("created_at", BigInteger, nullable=False),
    Column("started_at", BigInteger),
    Column("finished_at", BigInteger),
    Column("exit_code", Integer),
    Column("spark_app_id", String(256)),
    Column("ui_url", FreeText),
    Column("diagnosis", JSON(none_as_null=True)),
    Column("memory_rung", Float, nullable=False),
    Column("spec", JSON, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("id", Identity, primary_key=True, autoincrement=True),
    Column("job_id", String(64), ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("from_state", String(16)),
    Column("to_state", String(16)),
    Column("attempt", Integer),
    Column("actor", String(256), nullable=False),
    Column("message", FreeText, nullable=False),
    Index("ix_events_job_id_id", "job_id", "id"),
    sqlite_autoincrement=True,
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("scope", String(64), primary_key=True),
    Column("key", String(256), primary_key=True),
    Column("request_hash", String(64), nullable=False),
    Column("job_id", String(64), ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("ix_idempotency_keys_created_at", "created_at"),
    # else forgetting a job would look through all keys
    Index("ix_idempotency_keys_job_id", "job_id"),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("owner", String(128), nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

queue_counters = Table(
    "queue_counters",
    metadata,
    Column("queue", String(256), primary_key=True),
    Column("state", String(16), primary_key=True),
    Column("jobs", BigInteger, nullable=False),
)

attempt_texts = Table(
    "attempt_texts",
    metadata,
    Column("job_id", String(64), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("kind", String(64), primary_key=True),
    # zlib
    Column("body", LargeBinary, nullable=False),
)
"""Long texts, apart from the rows that are read all the time."""

waits = Table(
    "waits",
    metadata,
    Column("queue", String(256), primary_key=True),
    # empty: everybody in the queue
    Column("user_name", String(128), primary_key=True),
    Column("reason", FreeText, nullable=False),
)

memory_rungs = Table(
    "memory_rungs",
    metadata,
    # empty: jobs of no team
    Column("team", String(64), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("rung", Float, nullable=False),
    Column("at", BigInteger, nullable=False),
)

switches = Table(
    "switches",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("name", String(256), primary_key=True),
    Column("mode", String(16), nullable=False),
    Column("message", FreeText, nullable=False),
    Column("actor", String(256), nullable=False),
    Column("at", BigInteger, nullable=False),
)

cluster_health = Table(
    "cluster_health",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("healthy", Boolean, nullable=False),
    Column("message", FreeText, nullable=False),
    Column("create_seconds", Float),
    Column("breaker", String(16), nullable=False),
    Column("at", BigInteger, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("subject", String(256), nullable=False),
    Column("roles", JSON, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
)
