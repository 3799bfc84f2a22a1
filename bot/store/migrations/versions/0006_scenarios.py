"""Which scenario is practised where, and what it takes to go back to an earlier turn."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"


def upgrade() -> None:
    """One table, four columns."""
    op.create_table(
        "assignments",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("scenario", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "channel", name="pk_assignments"),
    )
    op.add_column("conversations", sa.Column("scenario", sa.Text()))
    op.add_column("conversations", sa.Column("branch_of", sa.Integer()))
    op.add_column("conversations", sa.Column("branch_at", sa.Integer()))
    op.add_column("turns", sa.Column("mind", sa.Text()))
