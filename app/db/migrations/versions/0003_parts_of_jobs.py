"""A job that adds releases has one part for each of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("jobs") as table:
        table.add_column(sa.Column("parent", sa.String(length=40), nullable=True))
        table.create_foreign_key("fk_jobs_parent", "jobs", ["parent"], ["id"], ondelete="CASCADE")
        table.create_index("ix_jobs_parent", ["parent"])


def downgrade() -> None:
    op.execute("DELETE FROM jobs WHERE parent IS NOT NULL")
    with op.batch_alter_table("jobs") as table:
        table.drop_index("ix_jobs_parent")
        table.drop_constraint("fk_jobs_parent", type_="foreignkey")
        table.drop_column("parent")
