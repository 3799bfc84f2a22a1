"""For long logs: the indexes that questions use, and on PostgreSQL a partition of the turns for each month."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"

OLDEST = 120
"""Months back from now; what is older, or said to be of the future, lies in the partition of all others."""
AHEAD = 3


def upgrade() -> None:
    """Five indexes come, one goes; on PostgreSQL every turn moves to the partition of its month."""
    branches, waiting = sa.text("branch_of IS NOT NULL"), sa.text("author_hash IS NOT NULL")
    op.create_index("ix_conversations_place", "conversations", ["platform", "channel", "thread"])
    op.create_index(
        "ix_conversations_branch_of",
        "conversations",
        ["branch_of"],
        sqlite_where=branches,
        postgresql_where=branches,
    )
    op.create_index("ix_claims_claimed_at", "claims", ["claimed_at"])
    op.create_index(
        "ix_claims_author_hash", "claims", ["author_hash"], sqlite_where=waiting, postgresql_where=waiting
    )
    op.create_index("ix_candidates_state", "candidates", ["state", "seen_at"])
    if op.get_bind().dialect.name == "postgresql":
        _by_month()
    else:
        op.drop_index("ix_turns_paid", table_name="turns")
        op.create_index("ix_turns_said_at", "turns", ["said_at"])


def _by_month() -> None:
    """A partition's table cannot promise what spans partitions: the key of feedback goes, and a turn's number within
    its conversation is unique in each month; over months the count in the conversation's row gives each but once."""
    connection = op.get_bind()
    op.execute("ALTER TABLE feedback DROP CONSTRAINT fk_feedback_turn_id")
    op.execute("ALTER TABLE feedback ALTER COLUMN turn_id TYPE BIGINT")
    op.execute("ALTER TABLE turns RENAME TO turns_before")
    op.execute("ALTER SEQUENCE turns_id_seq AS BIGINT")
    op.execute("CREATE TABLE turns (LIKE turns_before INCLUDING DEFAULTS) PARTITION BY RANGE (said_at)")
    op.execute("ALTER TABLE turns ALTER COLUMN id TYPE BIGINT")
    op.execute("ALTER SEQUENCE turns_id_seq OWNED BY turns.id")
    op.execute("CREATE TABLE turns_other PARTITION OF turns DEFAULT")
    oldest = connection.execute(sa.text("SELECT min(said_at) FROM turns_before")).scalar()
    partitions = ["turns_other"]
    for first, after in _months(oldest, datetime.now(UTC)):
        partitions.append(f"turns_{first:%Y_%m}")
        op.execute(
            f"CREATE TABLE {partitions[-1]} PARTITION OF turns"
            f" FOR VALUES FROM ('{first.isoformat()}') TO ('{after.isoformat()}')"
        )
    moved = connection.execute(sa.text("INSERT INTO turns SELECT * FROM turns_before")).rowcount
    held = connection.execute(sa.text("SELECT count(*) FROM turns_before")).scalar()
    if moved != held:
        raise RuntimeError(f"{held} turns were there and {moved} moved; nothing was changed")
    op.execute("DROP TABLE turns_before")
    op.execute("ALTER TABLE turns ADD CONSTRAINT pk_turns PRIMARY KEY (id, said_at)")
    op.execute(
        "ALTER TABLE turns ADD CONSTRAINT fk_turns_conversation_id"
        " FOREIGN KEY (conversation_id) REFERENCES conversations (id)"
    )
    for column in ("author_hash", "platform_message_id", "said_at"):
        op.create_index(f"ix_turns_{column}", "turns", [column])
    for partition in partitions:
        op.create_index(f"uq_{partition}_number", partition, ["conversation_id", "number"], unique=True)


def _months(oldest: datetime | None, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The first moments of each month from the oldest turn's to some months ahead, and of the one after it."""
    this = now.year * 12 + now.month - 1
    begin = this if oldest is None else oldest.astimezone(UTC).year * 12 + oldest.astimezone(UTC).month - 1
    for month in range(min(max(begin, this - OLDEST), this), this + AHEAD + 1):
        yield _first(month), _first(month + 1)


def _first(month: int) -> datetime:
    return datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)
