"""Courses that people join with a code, the practices they share there, and sign-in links that were used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"


def upgrade() -> None:
    """Four tables."""
    op.create_table(
        "courses",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("author_hash", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("scenario", sa.Text()),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_courses"),
        sa.UniqueConstraint("code", name="uq_courses_code"),
    )
    op.create_index("ix_courses_author_hash", "courses", ["author_hash"])
    op.create_table(
        "members",
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("author_hash", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("course_id", "author_hash", name="pk_members"),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name="fk_members_course_id"),
    )
    op.create_index("ix_members_author_hash", "members", ["author_hash"])
    op.create_table(
        "shares",
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.Integer(), nullable=False),
        sa.Column("author_hash", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("course_id", "conversation_id", "author_hash", name="pk_shares"),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name="fk_shares_course_id"),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"], name="fk_shares_conversation_id"),
    )
    op.create_index("ix_shares_author_hash", "shares", ["author_hash"])
    op.create_table(
        "used_links",
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("nonce", name="pk_used_links"),
    )
