"""Decisions about findings, bodies of receipts, and whether declared AI use fits the project's rule."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("scans", sa.Column("ai_use_fits", sa.Boolean(), nullable=True))
    op.add_column("reports", sa.Column("receipt", sa.LargeBinary(), nullable=True))
    op.add_column("reports", sa.Column("verdicts", sa.JSON(), nullable=True))
    op.create_table(
        "decisions",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("finding", sa.String(length=64), nullable=False),
        sa.Column("policy_name", sa.String(length=100), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("decided_on", sa.String(length=10), nullable=False),
        sa.Column("expires", sa.String(length=10), nullable=True),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("matched_at", sa.Double(), nullable=True),
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_decisions"),
    )
    op.create_index("ix_decisions_tenant_finding", "decisions", ["tenant", "finding"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE decisions ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE decisions FORCE ROW LEVEL SECURITY")
        op.execute(
            "CREATE POLICY tenant ON decisions "
            "USING (current_setting('whence.tenant', true) IN ('*', tenant))"
        )


def downgrade() -> None:
    op.drop_table("decisions")
    with op.batch_alter_table("reports") as table:
        table.drop_column("verdicts")
        table.drop_column("receipt")
    with op.batch_alter_table("scans") as table:
        table.drop_column("ai_use_fits")
