"""The tables, in SQL that SQLite and PostgreSQL share. A change here needs a file in `migrations`.

What the rows mean is in `rows`; what is done with them is in `store`.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, always with its zone. SQLite drops zones, so all go in as UTC and come out as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC; a time without a zone is a mistake of the caller."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"expected a time with a zone, such as datetime.now(UTC); got {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give SQLite's times their zone back."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class SaidText(TypeDecorator[str]):
    """What people type. Half emojis and zero bytes, which no database takes, become U+FFFD."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Make the text storable."""
        del dialect
        return None if value is None else storable(value)


def storable(said: str) -> str:
    """The text as both databases can hold it."""
    whole = said.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\0", "\N{REPLACEMENT CHARACTER}")


TurnId = BigInteger().with_variant(Integer(), "sqlite")
"""A thousand million turns are not enough for ever; SQLite counts rows in whatever it calls an integer."""

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("platform", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("thread", Text, nullable=False),  # '' outside threads: NULLs would all count as different
    Column("model", Text),
    Column("child", Text),  # the ids of who sits there, with spaces between
    Column("lesson", Text),
    Column("mind", SaidText),
    Column("turns", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("spoken_at", UtcDateTime),  # when the child last spoke: nothing else makes its night shorter
    Column("scenario", Text),
    # Another try: the conversation, and the number of its turn, after which this one goes on; numbers go on, too.
    Column("branch_of", Integer),
    Column("branch_at", Integer),
    # One current conversation per place, any number of ended ones. What the migration says to PostgreSQL alike is left
    # out here: to name it loads all of its dialect, 4 MB.
    Index(
        "uq_conversations_current",
        "platform",
        "channel",
        "thread",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
    ),
    Index("ix_conversations_place", "platform", "channel", "thread"),  # those that ended, too
    Index("ix_conversations_branch_of", "branch_of", sqlite_where=text("branch_of IS NOT NULL")),
)

assignments = Table(
    "assignments",
    metadata,
    Column("platform", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("scenario", Text, nullable=False),
)

claims = Table(
    "claims",
    metadata,
    Column("message_key", Text, primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id")),
    Column("author_hash", Text),  # with the payload only while the message waits for its answer
    Column("payload", JSON(none_as_null=True)),
    Column("claimed_at", UtcDateTime, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", SaidText),
    Column("program", Text),  # who holds it
    Column("spoken", JSON(none_as_null=True)),  # what is to be sent, until the platform has it
    Column("not_before", UtcDateTime),  # and when, where the platform asked for patience
    Column(
        "place", Text
    ),  # the conversation in whose queue it stands; of no other message is this known any more
    Column("in_hand", Text),  # the same, of the one message there that is being answered
    Index("uq_claims_in_hand", "in_hand", unique=True),
    Index("ix_claims_place", "place", sqlite_where=text("place IS NOT NULL")),
    Index(
        "ix_claims_waiting",
        "claimed_at",
        sqlite_where=text("state IN ('claimed', 'spoken')"),
    ),
    Index("ix_claims_claimed_at", "claimed_at"),
    Index("ix_claims_author_hash", "author_hash", sqlite_where=text("author_hash IS NOT NULL")),
)

programs = Table(
    "programs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("process", Text, nullable=False),
    Column("seen_until", UtcDateTime, nullable=False),
)

# On PostgreSQL a partition for each month of `said_at` (see `months`), where the two unique keys are kept otherwise.
turns = Table(
    "turns",
    metadata,
    Column("id", TurnId, primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("role", Text, nullable=False),
    Column("content", SaidText, nullable=False),  # '' once forgotten
    Column("said_at", UtcDateTime, nullable=False),
    Column("author_hash", Text, index=True),
    Column("platform_message_id", Text, index=True),
    Column("move", Text),
    Column("thought", JSON(none_as_null=True)),
    Column("voiced", Text),
    Column("model", Text),
    Column("model_version", Text),
    Column("prompt_version", Text),
    Column("child", Text),
    Column("lesson", Text),
    Column("seed", BigInteger),
    Column("prompt_tokens", Integer),
    Column("completion_tokens", Integer),
    Column("cost_usd", Float),
    Column("latency_ms", Integer),
    Column("consent", Text),
    Column("flag", Text),
    Column("mind", SaidText),  # the child's state before a teacher's turn
    UniqueConstraint("conversation_id", "number"),
    Index("ix_turns_said_at", "said_at"),
)

feedback = Table(
    "feedback",
    metadata,
    Column("turn_id", TurnId, ForeignKey("turns.id"), primary_key=True),
    Column("author_hash", Text, primary_key=True, index=True),
    Column("kind", Text, primary_key=True),
    Column("text", SaidText),
    Column("at", UtcDateTime, nullable=False),
)

consents = Table(
    "consents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("author_hash", Text, nullable=False, index=True),
    Column("state", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

ratings = Table(
    "ratings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False, index=True),
    Column("author_hash", Text, nullable=False, index=True),
    Column("scores", JSON, nullable=False),
    Column("comment", SaidText),
    Column("at", UtcDateTime, nullable=False),
    Column("model", Text),
    Column("model_version", Text),
)

candidates = Table(
    "candidates",
    metadata,
    Column("key", Text, primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False, index=True),
    Column("state", Text, nullable=False),
    Column("record", JSON(none_as_null=True)),  # NULL once forgotten, like the lineage
    Column("lineage", JSON(none_as_null=True)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),  # when a harvest last found it
    Column("published", Text),  # the file it went into
    Index("ix_candidates_state", "state", "seen_at"),
)

candidate_people = Table(
    "candidate_people",
    metadata,
    Column("candidate_key", ForeignKey("candidates.key"), primary_key=True),
    Column("author_hash", Text, primary_key=True, index=True),
)

reviews = Table(
    "reviews",
    metadata,
    Column("candidate_key", ForeignKey("candidates.key"), primary_key=True),
    Column("reviewer", Text, primary_key=True),
    Column("verdict", Text),  # NULL while it is only a draft
    Column("record", JSON(none_as_null=True)),
    Column("at", UtcDateTime, nullable=False),
)

job_runs = Table(
    "job_runs",
    metadata,
    Column("name", Text, primary_key=True),
    Column("due", UtcDateTime, primary_key=True),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("result", Text),
)

courses = Table(
    "courses",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("author_hash", Text, nullable=False, index=True),  # whose course it is
    Column("code", Text, nullable=False, unique=True),
    Column("title", SaidText, nullable=False),
    Column("scenario", Text),
    Column("at", UtcDateTime, nullable=False),
)

members = Table(
    "members",
    metadata,
    Column("course_id", ForeignKey("courses.id"), primary_key=True),
    Column("author_hash", Text, primary_key=True, index=True),
    Column("name", SaidText, nullable=False),  # what they call themselves there
    Column("at", UtcDateTime, nullable=False),
)

shares = Table(
    "shares",
    metadata,
    Column("course_id", ForeignKey("courses.id"), primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id"), primary_key=True),
    Column("author_hash", Text, primary_key=True, index=True),
    Column("at", UtcDateTime, nullable=False),
)

used_links = Table(
    "used_links",
    metadata,
    Column("nonce", Text, primary_key=True),
    Column("expires_at", UtcDateTime, nullable=False),
)

about = Table(
    "about",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
