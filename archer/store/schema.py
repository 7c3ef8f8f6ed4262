"""The tables. Migrations in `migrations/` create them; a test holds the two together.

Moments are milliseconds since 1970 in a BIGINT, states their words, structures JSON: the same in SQLite and PostgreSQL.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

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
    Column("state", String(16), nullable=False),
    Column("substate", Text),
    Column("reason", Text),
    Column("attempt", Integer, nullable=False),
    Column("max_attempts", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("queued_at", BigInteger, nullable=False),
    Column("started_at", BigInteger),
    Column("finished_at", BigInteger),
    Column("retry_at", BigInteger),
    Column("queue_deadline", BigInteger),
    Column("version", Integer, nullable=False),
    Column("spark_app_id", String(256)),
    Column("ui_url", Text),
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
    Column("ui_url", Text),
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
    Column("message", Text, nullable=False),
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
