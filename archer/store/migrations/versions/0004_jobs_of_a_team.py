"""Finds a team's jobs by an index, as those of a user or a queue.

On PostgreSQL it is made in the migration's one transaction, not CONCURRENTLY: that wants no transaction around it, and
waits for all others to end, that of a second `archer migrate` among them, which itself waits for the first one's lock.
Only writes to `jobs` wait meanwhile. Servers of the version before may still run then: a write of theirs that waits for
longer than a lock may last (`postgresql.LOCK_SECONDS`) is answered with 503, and its client or worker tries again.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_jobs_team_number", "jobs", ["team", "number"])


def downgrade() -> None:
    op.drop_index("ix_jobs_team_number", "jobs")
