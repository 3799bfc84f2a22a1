"""What is harvested from the log, and what people say of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    """Three more tables; the first ones stay as they are."""
    op.create_table(
        "candidates",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("conversation_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("record", sa.JSON()),
        sa.Column("lineage", sa.JSON()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published", sa.Text()),
        sa.PrimaryKeyConstraint("key", name="pk_candidates"),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name="fk_candidates_conversation_id"
        ),
    )
    op.create_index("ix_candidates_conversation_id", "candidates", ["conversation_id"])
    op.create_table(
        "candidate_people",
        sa.Column("candidate_key", sa.Text(), nullable=False),
        sa.Column("author_hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("candidate_key", "author_hash", name="pk_candidate_people"),
        sa.ForeignKeyConstraint(
            ["candidate_key"], ["candidates.key"], name="fk_candidate_people_candidate_key"
        ),
    )
    op.create_index("ix_candidate_people_author_hash", "candidate_people", ["author_hash"])
    op.create_table(
        "reviews",
        sa.Column("candidate_key", sa.Text(), nullable=False),
        sa.Column("reviewer", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text()),
        sa.Column("record", sa.JSON()),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("candidate_key", "reviewer", name="pk_reviews"),
        sa.ForeignKeyConstraint(["candidate_key"], ["candidates.key"], name="fk_reviews_candidate_key"),
    )
