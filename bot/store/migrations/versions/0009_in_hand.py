"""Which conversation a waiting message stands in, and which message there is being answered: one, over all programs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"


def upgrade() -> None:
    """Two columns. What waits by now stands in no queue: whoever takes it over answers it at once."""
    op.add_column("claims", sa.Column("place", sa.Text()))
    op.add_column("claims", sa.Column("in_hand", sa.Text()))
    op.create_index("uq_claims_in_hand", "claims", ["in_hand"], unique=True)
    waiting = sa.text("place IS NOT NULL")
    op.create_index("ix_claims_place", "claims", ["place"], sqlite_where=waiting, postgresql_where=waiting)
