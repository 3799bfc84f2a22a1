"""The store: every question the bot and the training ask of the log, each answered in one method.

All SQL of the project is here. It knows no platform, no model and no lesson: it keeps what it is
given. Methods raise `StoreError` and nothing else when the database fails; a failed write left nothing.
A cancelled one is finished behind the caller's back: it is stored as a whole.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar, Unpack
from uuid import uuid4

from sqlalchemy import Row, delete, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import backups, candidates, harvested, person, upkeep
from bot.store.database import Database, StoreError, Work, insert, ready
from bot.store.rows import (
    BackupsReport,
    ClaimedMessage,
    ClaimState,
    Consent,
    ConversationChanges,
    ConversationRow,
    Exchange,
    FeedbackKind,
    FeedbackRow,
    ForgetReport,
    LoggedTurn,
    PurgeReport,
    RatingRow,
    StudentTurn,
    TeacherTurn,
    TurnRow,
    WeekRow,
)
from bot.store.tables import claims, consents, conversations, feedback, ratings, storable, turns
from bot.student.records.dialogue import DialogueError, MoveKind, Role, Thought

P = ParamSpec("P")
T = TypeVar("T")

PAGE = 500
"""Turns read at once while streaming: bounds the memory, and no read lasts long enough to hold up others."""
SCORES = range(1, 6)


def whole(
    method: Callable[Concatenate[Store, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Store, P], Coroutine[Any, Any, T]]:
    """Let a method of the store finish what it began, whatever happens to its caller."""

    @functools.wraps(method)
    async def finish(self: Store, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._work.finish(method(self, *args, **kwargs))

    return finish


class Store:
    """One open database. Make it with `Store.open`, give it back with `aclose`."""

    def __init__(self, database: Database, data: Path | None = None, backups: Path | None = None) -> None:
        self._database = database
        self._data = data
        self._backups = backups
        self._work = Work()

    @classmethod
    async def open(
        cls, url: str, *, read_only: bool = False, data: Path | None = None, backups: Path | None = None
    ) -> Store:
        """Open the database at `url`, creating it when new (unless `read_only`).

        `data` is the folder with the files of harvested dialogues, `backups` that of the copies: `forget` cleans
        both as well.

        Raises `StoreError` when it cannot be used: missing, damaged, older (says to migrate) or newer.
        """
        database = Database(url, read_only=read_only)
        try:
            await ready(database)
        except BaseException:
            await database.aclose()
            raise
        return cls(database, data, backups)

    @property
    def candidates(self) -> candidates.Candidates:
        """What was harvested from the log, with its reviews."""
        return candidates.Candidates(self._database)

    async def aclose(self) -> None:
        """Finish what is in hand and close every connection; the store is of no use afterwards."""
        await self._work.all_done()
        await self._database.aclose()

    @whole
    async def writable(self) -> None:
        """Really write something, through to the disk, and leave no trace; `StoreError` when that fails."""
        key = f"probe:{uuid4()}"
        async with self._database.writing() as connection:
            await connection.execute(
                insert(connection, claims).values(message_key=key, claimed_at=_now(), state=ClaimState.FAILED)
            )
            # Deleted and committed, not rolled back: only a commit finds out that the disk is full.
            await connection.execute(delete(claims).where(claims.c.message_key == key))

    # Messages: claimed once, then answered or failed.

    @whole
    async def claim(self, message: ClaimedMessage) -> bool:
        """Take the message; False when this or another program already did, ever."""
        payload = {
            **dataclasses.asdict(message),
            "text": storable(message.text),
            "created_at": message.created_at.astimezone(UTC).isoformat(),
        }
        async with self._database.writing() as connection:
            result = await connection.execute(
                insert(connection, claims)
                .values(
                    message_key=message.key,
                    author_hash=message.author_hash,
                    payload=payload,
                    claimed_at=_now(),
                    state=ClaimState.CLAIMED,
                )
                .on_conflict_do_nothing()
            )
            return result.rowcount == 1

    @whole
    async def unanswered(self) -> list[ClaimedMessage]:
        """Messages claimed but neither answered nor failed, oldest first.

        At start-up these are what a crash left behind; later, what is in hand right now.
        """
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(claims.c.payload)
                .where(claims.c.state == ClaimState.CLAIMED)
                .order_by(claims.c.claimed_at, claims.c.message_key)
            )
            return [_message(payload) for payload in found.scalars()]

    @whole
    async def mark_failed(self, key: str, reason: str) -> None:
        """Give up on a claimed message, and let go of its text; one already answered stays answered."""
        async with self._database.writing() as connection:
            await connection.execute(
                update(claims)
                .where(claims.c.message_key == key, claims.c.state == ClaimState.CLAIMED)
                .values(state=ClaimState.FAILED, reason=reason, payload=None, author_hash=None)
            )

    # Conversations: one current one per place.

    @whole
    async def conversation(self, platform: str, channel: str, thread: str | None) -> ConversationRow:
        """The current conversation of a place, begun when there is none."""
        async with self._database.reading() as connection:
            row = await _current(connection, platform, channel, thread)
        if row is None:
            async with self._database.writing() as connection:
                row = await _begin(connection, platform, channel, thread, {})
        return row

    @whole
    async def new_conversation(self, platform: str, channel: str, thread: str | None) -> ConversationRow:
        """End the current conversation of a place and begin one with the same model, child and lesson."""
        async with self._database.writing() as connection:
            old = await _current(connection, platform, channel, thread)
            settings: dict[str, str | None] = {}
            if old is not None:
                settings = {"model": old.model, "child": old.child, "lesson": old.lesson}
                await connection.execute(
                    update(conversations).where(conversations.c.id == old.id).values(ended_at=_now())
                )
            return await _begin(connection, platform, channel, thread, settings)

    @whole
    async def update_conversation(
        self, conversation_id: int, **changes: Unpack[ConversationChanges]
    ) -> ConversationRow:
        """Change what is named, keep the rest; None sets a default. Raises `StoreError` for no such id."""
        async with self._database.writing() as connection:
            found = await connection.execute(
                update(conversations)
                .where(conversations.c.id == conversation_id)
                .values(**changes, updated_at=_now())
                .returning(conversations)
            )
            row = found.one_or_none()
            if row is None:
                raise self._missing("conversation", conversation_id)
            return _conversation(row)

    # Turns.

    @whole
    async def log_exchange(
        self,
        claim_key: str,
        conversation_id: int,
        teacher: TeacherTurn,
        student: StudentTurn | None,
        mind: str | None,
    ) -> Exchange:
        """Log a teacher's turn, the child's answer and state, and mark the claim answered: all or nothing.

        `student` is None where a notice took the child's place. Raises `StoreError` when the claim is not
        waiting for an answer: it was answered, given up, or its author asked to be forgotten meanwhile.
        """
        async with self._database.writing() as connection:
            waiting = await connection.execute(
                update(claims)
                .where(claims.c.message_key == claim_key, claims.c.state == ClaimState.CLAIMED)
                .values(
                    state=ClaimState.ANSWERED, conversation_id=conversation_id, payload=None, author_hash=None
                )
            )
            if waiting.rowcount != 1:
                raise StoreError(
                    f"{self._database.name}: message {claim_key} does not wait for an answer, so nothing "
                    "was logged"
                )
            said = [_teacher_values(teacher)]
            if student is not None:
                said.append(_student_values(student, teacher.consent))
            # Adding first locks the row: two programs cannot give two turns the same number.
            count = await connection.scalar(
                update(conversations)
                .where(conversations.c.id == conversation_id)
                .values(turns=conversations.c.turns + len(said), mind=mind, updated_at=_now())
                .returning(conversations.c.turns)
            )
            if count is None:
                raise self._missing("conversation", conversation_id)
            ids = []
            for number, values in enumerate(said, start=count - len(said) + 1):
                added = await connection.execute(
                    insert(connection, turns)
                    .values(conversation_id=conversation_id, number=number, **values)
                    .returning(turns.c.id)
                )
                ids.append(added.scalar_one())
            return Exchange(teacher_id=ids[0], student_id=ids[1] if student is not None else None)

    @whole
    async def turns(self, conversation_id: int, limit: int) -> list[TurnRow]:
        """The last `limit` turns of a conversation, newest last, without forgotten ones."""
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(turns)
                .where(turns.c.conversation_id == conversation_id, turns.c.content != "")
                .order_by(turns.c.number.desc())
                .limit(limit)
            )
            return [self._turn(row) for row in reversed(found.all())]

    @whole
    async def find_turn(self, platform_message_id: str) -> TurnRow | None:
        """The turn that was said in this message, or None.

        The id must be unique over platforms and channels (Slack's alone is not): the edge that gives it
        to `log_exchange` or `set_message_id` puts platform and channel into it.
        """
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(turns)
                .where(turns.c.platform_message_id == platform_message_id)
                .order_by(turns.c.id.desc())
                .limit(1)
            )
            row = found.one_or_none()
            return None if row is None else self._turn(row)

    @whole
    async def set_message_id(self, turn_id: int, platform_message_id: str) -> None:
        """Say in which message a logged turn was sent. Raises `StoreError` for no such turn."""
        async with self._database.writing() as connection:
            changed = await connection.execute(
                update(turns).where(turns.c.id == turn_id).values(platform_message_id=platform_message_id)
            )
            if changed.rowcount != 1:
                raise self._missing("turn", turn_id)

    async def turns_stream(self) -> AsyncIterator[LoggedTurn]:
        """Every turn that is not forgotten, conversation by conversation in order, in constant memory.

        Turns logged meanwhile may or may not be among them. Nothing stays open between two turns, so
        the reader may take its time or stop early.
        """
        after = (0, 0)
        while page := await self._page(after):
            for logged in page:
                yield logged
            after = (page[-1].turn.conversation_id, page[-1].turn.number)

    @whole
    async def _page(self, after: tuple[int, int]) -> list[LoggedTurn]:
        newest = consents.alias()
        consent_now = (
            select(newest.c.state)
            .where(newest.c.author_hash == turns.c.author_hash)
            .order_by(newest.c.id.desc())
            .limit(1)
            .scalar_subquery()
        )
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(turns, conversations.c.platform, consent_now.label("consent_now"))
                .join(conversations, conversations.c.id == turns.c.conversation_id)
                .where(tuple_(turns.c.conversation_id, turns.c.number) > tuple_(*after))
                .where(turns.c.content != "")
                .order_by(turns.c.conversation_id, turns.c.number)
                .limit(PAGE)
            )
            page = found.all()
            opinions: dict[int, list[FeedbackRow]] = {row.id: [] for row in page}
            judged = await connection.execute(
                select(feedback).where(feedback.c.turn_id.in_(opinions)).order_by(feedback.c.at)
            )
            for row in judged:
                opinions[row.turn_id].append(_feedback(row))
        return [
            LoggedTurn(
                turn=self._turn(row),
                platform=row.platform,
                consent_now=None if row.consent_now is None else Consent(row.consent_now),
                feedback=tuple(opinions[row.id]),
            )
            for row in page
        ]

    # What people think of it, and what they allow.

    @whole
    async def add_feedback(
        self, turn_id: int, author_hash: str, kind: FeedbackKind, text: str | None = None
    ) -> None:
        """Note one person's judgement of a turn; saying it again replaces it, and up replaces down.

        Raises `StoreError` for no such turn.
        """
        opposite = {FeedbackKind.UP: FeedbackKind.DOWN, FeedbackKind.DOWN: FeedbackKind.UP}.get(kind)
        said = {"text": text, "at": _now()}
        async with self._database.writing() as connection:
            if await connection.scalar(select(turns.c.id).where(turns.c.id == turn_id)) is None:
                raise self._missing("turn", turn_id)
            await connection.execute(
                delete(feedback).where(
                    feedback.c.turn_id == turn_id,
                    feedback.c.author_hash == author_hash,
                    feedback.c.kind == opposite,
                )
            )
            await connection.execute(
                insert(connection, feedback)
                .values(turn_id=turn_id, author_hash=author_hash, kind=kind, **said)
                .on_conflict_do_update(index_elements=["turn_id", "author_hash", "kind"], set_=said)
            )

    @whole
    async def take_back_feedback(self, turn_id: int, author_hash: str, kind: FeedbackKind) -> bool:
        """Remove one person's judgement of that kind from a turn; False when there is none."""
        async with self._database.writing() as connection:
            gone = await connection.execute(
                delete(feedback).where(
                    feedback.c.turn_id == turn_id,
                    feedback.c.author_hash == author_hash,
                    feedback.c.kind == kind,
                )
            )
            return gone.rowcount == 1

    @whole
    async def set_consent(self, author_hash: str, consent: Consent) -> None:
        """Note that a person gave or took back consent; earlier answers stay as history.

        Who takes it back leaves every candidate for training at once, and the harvested files; a file that cannot
        be written now is cleaned by the next harvest.
        """
        async with self._database.writing() as connection:
            await connection.execute(
                insert(connection, consents).values(author_hash=author_hash, state=consent, at=_now())
            )
            left = consent is Consent.OFF and await candidates.withdraw(connection, author_hash)
        if left:
            with contextlib.suppress(OSError, ValueError):
                await self._bury()

    @whole
    async def consent(self, author_hash: str) -> Consent | None:
        """The person's newest answer, or None who never gave one."""
        async with self._database.reading() as connection:
            state = await connection.scalar(
                select(consents.c.state)
                .where(consents.c.author_hash == author_hash)
                .order_by(consents.c.id.desc())
                .limit(1)
            )
            return None if state is None else Consent(state)

    @whole
    async def add_rating(  # noqa: PLR0913 - one per column
        self,
        conversation_id: int,
        author_hash: str,
        scores: Mapping[str, int],
        comment: str | None = None,
        *,
        model: str | None = None,
        model_version: str | None = None,
    ) -> int:
        """Note one person's rating of a conversation: 1 to 5 for each line of the rubric; give its id.

        `model` and `model_version` say who was rated. Raises `StoreError` for other scores or no such
        conversation.
        """
        for name, score in scores.items():
            if score not in SCORES:
                raise StoreError(f"rating {name!r}: expected a whole number from 1 to 5, got {score!r}")
        async with self._database.writing() as connection:
            found = select(conversations.c.id).where(conversations.c.id == conversation_id)
            if await connection.scalar(found) is None:
                raise self._missing("conversation", conversation_id)
            added = await connection.execute(
                insert(connection, ratings)
                .values(
                    conversation_id=conversation_id,
                    author_hash=author_hash,
                    scores=dict(scores),
                    comment=comment,
                    at=_now(),
                    model=model,
                    model_version=model_version,
                )
                .returning(ratings.c.id)
            )
            return int(added.scalar_one())

    @whole
    async def ratings(self, conversation_id: int) -> list[RatingRow]:
        """Every rating of a conversation, oldest first."""
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(ratings).where(ratings.c.conversation_id == conversation_id).order_by(ratings.c.id)
            )
            return [RatingRow(**row._mapping) for row in found]  # noqa: SLF001 - its public name

    @whole
    async def all_ratings(self) -> list[RatingRow]:
        """Every rating there is, oldest first."""
        async with self._database.reading() as connection:
            found = await connection.execute(select(ratings).order_by(ratings.c.id))
            return [RatingRow(**row._mapping) for row in found]  # noqa: SLF001 - its public name

    # What a person may ask for.

    @whole
    async def export(self, author_hash: str) -> dict[str, Any]:
        """Give everything kept of a person, ready for JSON: their turns with the answers they got, their
        feedback, ratings, consents, and messages still waiting.
        """
        async with self._database.reading() as connection:
            return await person.export(connection, author_hash)

    @whole
    async def forget(self, author_hash: str) -> ForgetReport:
        """Remove everything that says what a person said or that it was them; count the rows.

        Turns stay as blank rows, so that costs and counts stay true. Blanked with them: the child's
        answers, which repeat names and words; the child's state in conversations they took part in; and
        messages still waiting, which are given up. A conversation in which nobody else spoke loses its place. On
        SQLite the bytes are overwritten as well. Candidates for training with the person in them are blanked, and
        leave the harvested files; the backups lose the person's rows like the database.

        Raises `StoreError`, also when the database has forgotten and something beside it could not be cleaned:
        doing it again does what is left.
        """
        async with self._database.writing() as connection:
            report, keys = await person.forget(connection, author_hash)
        await self._database.scrub()
        try:
            gone = await self._bury()
            models = harvested.learned(self._data, keys) if self._data and keys else []
        except (OSError, ValueError) as error:
            raise StoreError(
                f"{self._data}: the database has forgotten, but a harvested file could not be cleaned ({error}); "
                "forget again once it can be written"
            ) from None
        copies = await backups.forget(self._backups, author_hash) if self._backups else BackupsReport()
        return dataclasses.replace(
            report, harvested_lines=gone, models=tuple(models), backups=copies.cleaned, damaged=copies.damaged
        )

    async def _bury(self) -> int:
        """Take whoever left out of the harvested files; gives how many lines went. Raises `OSError`, `ValueError`."""
        if self._data is None:
            return 0
        left = await self.candidates.left()
        return await asyncio.to_thread(harvested.bury, self._data, left, _now().date().isoformat())

    def _missing(self, what: str, identifier: int) -> StoreError:
        return StoreError(f"{self._database.name}: there is no {what} {identifier}")

    def _turn(self, row: Row[Any]) -> TurnRow:
        values = {column.name: row._mapping[column] for column in turns.c}  # noqa: SLF001 - its public name
        try:
            return TurnRow(
                **{
                    **values,
                    "role": Role(row.role),
                    "move": None if row.move is None else MoveKind(row.move),
                    "thought": None if row.thought is None else Thought.from_json(row.thought),
                    "consent": None if row.consent is None else Consent(row.consent),
                }
            )
        except (ValueError, DialogueError) as error:
            raise StoreError(f"{self._database.name}: turn {row.id} cannot be read: {error}") from None

    # Upkeep, by schedule.

    @whole
    async def begin_job(self, name: str, due: datetime, limit: timedelta) -> bool:
        """Take the run of `name` due at `due`; False when it is taken, or one still runs (for up to `limit`)."""
        async with self._database.writing() as connection:
            return await upkeep.begin_job(connection, name, due, _now(), limit)

    @whole
    async def end_job(self, name: str, due: datetime, result: str) -> None:
        """Write down how a run ended."""
        async with self._database.writing() as connection:
            await upkeep.end_job(connection, name, due, _now(), result)

    async def last_job(self, name: str) -> datetime | None:
        """When the newest run of `name` was due, or None when it never ran."""
        async with self._database.reading() as connection:
            return await upkeep.last_job(connection, name)

    @whole
    async def purge(self, before: datetime) -> PurgeReport:
        """Delete what was said, rated, claimed and harvested before that time."""
        async with self._database.writing() as connection:
            report = await upkeep.purge(connection, before)
        await self._database.scrub()
        return report

    async def week(self, since: datetime) -> WeekRow:
        """Student turns, different teachers and ratings since that time, and the candidates that wait."""
        async with self._database.reading() as connection:
            return await upkeep.week(connection, since)

    @whole
    async def back_up(self, keep: int) -> tuple[Path, int]:
        """Write one more whole, compact copy into the folder of backups, and remove the oldest above `keep`; gives
        the copy and how many are gone. SQLite only."""
        if self._backups is None:
            raise StoreError(f"{self._database.name}: no folder was given for backups")
        return await backups.make(self._database, self._backups, keep)


def _now() -> datetime:
    return datetime.now(UTC)


async def _current(
    connection: AsyncConnection, platform: str, channel: str, thread: str | None
) -> ConversationRow | None:
    found = await connection.execute(
        select(conversations).where(
            conversations.c.platform == platform,
            conversations.c.channel == channel,
            conversations.c.thread == (thread or ""),
            conversations.c.ended_at.is_(None),
        )
    )
    row = found.one_or_none()
    return None if row is None else _conversation(row)


async def _begin(
    connection: AsyncConnection,
    platform: str,
    channel: str,
    thread: str | None,
    settings: Mapping[str, str | None],
) -> ConversationRow:
    now = _now()
    await connection.execute(
        insert(connection, conversations)
        .values(
            platform=platform,
            channel=channel,
            thread=thread or "",
            turns=0,
            created_at=now,
            updated_at=now,
            **settings,
        )
        .on_conflict_do_nothing()  # another program was faster: its conversation is as good
    )
    row = await _current(connection, platform, channel, thread)
    if row is None:
        raise StoreError(f"the conversation in {platform} {channel} ended while it began; try again")
    return row


def _message(payload: Mapping[str, Any]) -> ClaimedMessage:
    return ClaimedMessage(**{**payload, "created_at": datetime.fromisoformat(payload["created_at"])})


def _conversation(row: Row[Any]) -> ConversationRow:
    return ConversationRow(**{**row._mapping, "thread": row.thread or None})  # noqa: SLF001 - its public name


def _feedback(row: Row[Any]) -> FeedbackRow:
    return FeedbackRow(**{**row._mapping, "kind": FeedbackKind(row.kind)})  # noqa: SLF001 - its public name


def _teacher_values(turn: TeacherTurn) -> dict[str, Any]:
    return {"role": Role.TEACHER, **_columns(turn)}


def _student_values(turn: StudentTurn, consent: Consent | None) -> dict[str, Any]:
    return {"role": Role.STUDENT, **_columns(turn), "thought": turn.thought.to_json(), "consent": consent}


def _columns(turn: TeacherTurn | StudentTurn) -> dict[str, Any]:
    return {field.name: getattr(turn, field.name) for field in dataclasses.fields(turn)}
