"""Writes down where an attempt ran: a job may go to another cluster for its next one."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("attempts", sa.Column("cluster", sa.String(length=128), nullable=True))
    op.execute("UPDATE attempts SET cluster = (SELECT cluster FROM jobs WHERE jobs.id = attempts.job_id)")


def downgrade() -> None:
    op.drop_column("attempts", "cluster")
