"""Which secret hashed the people in it, when each child last spoke, and what a day has cost, quickly found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"


def upgrade() -> None:
    """One table, one column, one index."""
    op.create_table(
        "about",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_about"),
    )
    op.add_column("conversations", sa.Column("spoken_at", sa.DateTime(timezone=True)))
    op.execute("UPDATE conversations SET spoken_at = updated_at WHERE turns > 0")
    op.create_index(
        "ix_turns_paid",
        "turns",
        ["said_at"],
        sqlite_where=sa.text("cost_usd IS NOT NULL"),
        postgresql_where=sa.text("cost_usd IS NOT NULL"),
    )
