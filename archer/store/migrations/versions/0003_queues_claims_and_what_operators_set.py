"""Fair queues, claims, long texts, and what operators set: all that several clusters need."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_WAITING = "state IN ('QUEUED', 'RETRY_WAIT')"
_ACTIVE = "state IN ('CANCELLING', 'LOST', 'RUNNING', 'SUBMITTED', 'SUBMITTING')"
_TABLES = ("attempt_texts", "waits", "memory_rungs", "switches", "cluster_health", "tokens")
_COLUMNS = ("namespace", "priority", "vcores", "memory_mib", "claim_owner", "claim_until")
_INDEXES = ("waiting", "queued_of_user", "active", "claims", "finished")


def upgrade() -> None:
    _widen_jobs()
    _index_jobs()
    op.create_index("ix_idempotency_keys_job_id", "idempotency_keys", ["job_id"])
    _create_attempt_texts()
    _create_waits()
    _create_memory_rungs()
    _create_switches()
    _create_cluster_health()
    _create_tokens()


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
    op.drop_index("ix_idempotency_keys_job_id", "idempotency_keys")
    for index in _INDEXES:
        op.drop_index(f"ix_jobs_{index}", "jobs")
    for column in _COLUMNS:
        op.drop_column("jobs", column)


def _widen_jobs() -> None:
    op.add_column("jobs", sa.Column("namespace", sa.String(length=64), nullable=True))
    op.add_column("jobs", sa.Column("priority", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("vcores", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("memory_mib", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("claim_owner", sa.String(length=128), nullable=True))
    op.add_column("jobs", sa.Column("claim_until", sa.BigInteger(), nullable=True))


def _index_jobs() -> None:
    _index("waiting", ["queue", sa.text("priority DESC"), "number"], _WAITING)
    _index("queued_of_user", ["user_name"], "state = 'QUEUED'")
    _index("active", ["cluster", "namespace", "number"], _ACTIVE)
    _index("claims", ["cluster", "claim_until"], "state = 'SUBMITTING'")
    _index("finished", ["finished_at"], "finished_at IS NOT NULL")


def _index(name: str, columns: list[str | sa.TextClause], where: str) -> None:
    """Of the rows for which `where` is true alone: few, however many jobs have ended."""
    condition = sa.text(where)
    op.create_index(f"ix_jobs_{name}", "jobs", columns, sqlite_where=condition, postgresql_where=condition)


def _create_attempt_texts() -> None:
    op.create_table(
        "attempt_texts",
        sa.Column("job_id", sa.String(length=64), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_attempt_texts_job_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "attempt", "kind", name=op.f("pk_attempt_texts")),
    )


def _create_waits() -> None:
    op.create_table(
        "waits",
        sa.Column("queue", sa.String(length=256), nullable=False),
        sa.Column("user_name", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("queue", "user_name", name=op.f("pk_waits")),
    )


def _create_memory_rungs() -> None:
    op.create_table(
        "memory_rungs",
        sa.Column("team", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("rung", sa.Float(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("team", "name", name=op.f("pk_memory_rungs")),
    )


def _create_switches() -> None:
    op.create_table(
        "switches",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=256), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", name=op.f("pk_switches")),
    )


def _create_cluster_health() -> None:
    op.create_table(
        "cluster_health",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("healthy", sa.Boolean(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("create_seconds", sa.Float(), nullable=True),
        sa.Column("breaker", sa.String(length=16), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_cluster_health")),
    )


def _create_tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=256), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_tokens_digest")),
    )
