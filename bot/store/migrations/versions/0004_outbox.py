"""What is said waits in its claim until the platform has it, and a claim knows which program holds it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    """One more table, three more columns; the index of what waits holds what is spoken, too."""
    op.create_table(
        "programs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("seen_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_programs"),
    )
    op.add_column("claims", sa.Column("program", sa.Text()))
    op.add_column("claims", sa.Column("spoken", sa.JSON()))
    op.add_column("claims", sa.Column("not_before", sa.DateTime(timezone=True)))
    op.drop_index("ix_claims_waiting", table_name="claims")
    waiting = sa.text("state IN ('claimed', 'spoken')")
    op.create_index(
        "ix_claims_waiting", "claims", ["claimed_at"], sqlite_where=waiting, postgresql_where=waiting
    )
