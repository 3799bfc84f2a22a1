"""Turns: what was said, in its place, with what made it. Works inside a transaction of `store`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Row,
    ScalarSelect,
    Select,
    Text,
    and_,
    bindparam,
    case,
    func,
    insert,
    or_,
    select,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import consents, conversations, opinions, tables
from bot.store.database import Database, StoreError, Work, name_of
from bot.store.rows import Consent, Exchange, LoggedTurn, StudentTurn, TeacherTurn, TurnRow
from bot.store.tables import turns
from bot.student.records.dialogue import MOST_ANSWERS, DialogueError, MoveKind, Role, Thought

MOST = 2**31 - 1
"""No turn has a higher number."""
PAGE = 500
"""Turns read at once while streaming: bounds the memory, and no read lasts long enough to hold up others."""
EVERYWHERE = range(1, MOST)
"""All conversations."""

# Of every message: made once, so that neither they nor what is kept of them compiled are made anew each time.
_SAID = [each for each in turns.c if each is not turns.c.mind]
_EMPTY = dict.fromkeys(each.name for each in turns.c if each.name not in {"id", "consent"})
_ADD = (
    insert(turns)
    .values(
        consent=func.coalesce(
            consents.newest_of(bindparam("asked", type_=Text)), bindparam("silence", type_=Text)
        )
    )
    .returning(turns.c.number, turns.c.id)
)
_LAST = (
    select(*_SAID)
    .where(
        turns.c.conversation_id == bindparam("conversation"),
        turns.c.number <= bindparam("up_to"),
        turns.c.content != "",
    )
    .order_by(turns.c.number.desc())
    .limit(bindparam("most"))
)


async def log(  # noqa: PLR0913 - see `store`
    connection: AsyncConnection,
    conversation_id: int,
    teacher: TeacherTurn,
    student: StudentTurn | None,
    mind: str | None,
    mind_before: str | None,
) -> Exchange:
    """Add a teacher's turn, the child's answer and state to a conversation. Raises `StoreError` for no such one."""
    said = [_columns(teacher)]
    if student is not None:
        said.append(_answered(student))
    count, kept = await conversations.lengthen(
        connection, conversation_id, len(said), mind, mind_before, spoke=student is not None
    )
    # Who was forgotten meanwhile is not remembered here either.
    said[0]["mind"] = mind_before if kept else None
    ids = await _add(connection, conversation_id, count - len(said) + 1, said, teacher)
    return Exchange(ids[0], ids[1] if student is not None else None)


async def follow(  # noqa: PLR0913 - see `store`
    connection: AsyncConnection,
    conversation_id: int,
    teacher: TeacherTurn,
    student: StudentTurn,
    mind: str | None,
    mind_before: str | None,
) -> int:
    """Add one more child's answer to what this teacher said last, and the state since; give its id. Raises
    `StoreError` for no such conversation."""
    count, _ = await conversations.lengthen(connection, conversation_id, 1, mind, mind_before, spoke=True)
    (added,) = await _add(connection, conversation_id, count, [_answered(student)], teacher)
    return added


async def _add(
    connection: AsyncConnection,
    conversation_id: int,
    first: int,
    said: list[dict[str, Any]],
    teacher: TeacherTurn,
) -> list[int]:
    """Add turns from that number on, all with the consent of `teacher`; give their ids in order."""
    same = {"conversation_id": conversation_id, "asked": teacher.author_hash, "silence": teacher.consent}
    added = await connection.execute(
        _ADD, [{**_EMPTY, **same, "number": number, **each} for number, each in enumerate(said, start=first)]
    )
    return [row.id for row in sorted(added, key=lambda row: row.number)]


def _answered(student: StudentTurn) -> dict[str, Any]:
    return {**_columns(student), "thought": student.thought.to_json()}


def answers_to(asked: FromClause, answer: FromClause) -> ColumnElement[bool]:
    """Whether one turn is a child's answer to the other, a teacher's. Several children may answer one turn; what is
    behind the next teacher's turn answers that."""
    between = turns.alias()
    later = select(between.c.id).where(
        between.c.conversation_id == answer.c.conversation_id,
        between.c.number > asked.c.number,
        between.c.number < answer.c.number,
        between.c.role == Role.TEACHER,
    )
    return and_(
        answer.c.conversation_id == asked.c.conversation_id,
        answer.c.number > asked.c.number,
        answer.c.number <= asked.c.number + MOST_ANSWERS,
        answer.c.role == Role.STUDENT,
        ~later.correlate(asked, answer).exists(),
    )


def answered_by(author: ColumnElement[bool]) -> Select[int]:
    """The ids of the children's turns that answer turns of teachers for whom that holds."""
    answer = turns.alias()
    return select(answer.c.id).select_from(turns.join(answer, answers_to(turns, answer))).where(author)


def _asked_by(answer: FromClause) -> ScalarSelect[str]:
    """Who said the teacher's turn that a turn of a child answers."""
    before = turns.alias()
    return (
        select(before.c.author_hash)
        .where(
            before.c.conversation_id == answer.c.conversation_id,
            before.c.number < answer.c.number,
            before.c.number >= answer.c.number - MOST_ANSWERS,
            before.c.role == Role.TEACHER,
        )
        .order_by(before.c.number.desc())
        .limit(1)
        .correlate(answer)
        .scalar_subquery()
    )


async def last(
    connection: AsyncConnection, conversation_id: int, limit: int, *, up_to: int = MOST
) -> list[TurnRow]:
    """The last `limit` turns of a conversation up to that number, newest last, without forgotten ones."""
    asked = {"conversation": conversation_id, "most": limit, "up_to": up_to}
    found = await connection.execute(_LAST, asked)
    return [_turn(connection, row) for row in reversed(found.all())]


async def spent(connection: AsyncConnection, since: datetime, author_hash: str) -> tuple[float, float]:
    """US dollars since that time, where the price was known: of everybody, and of the answers to one person."""
    mine = case((_asked_by(turns) == author_hash, turns.c.cost_usd), else_=0.0)
    found = await connection.execute(
        select(func.sum(turns.c.cost_usd), func.sum(mine)).where(
            turns.c.cost_usd.is_not(None), turns.c.said_at >= since
        )
    )
    by_all, by_one = found.one()
    return by_all or 0.0, by_one or 0.0


async def find(connection: AsyncConnection, platform_message_id: str) -> TurnRow | None:
    """The newest turn that was said in this message, or None."""
    # No LIMIT: it would tempt PostgreSQL to walk down the ids instead of looking the message up.
    found = await connection.execute(
        select(*_SAID).where(turns.c.platform_message_id == platform_message_id).order_by(turns.c.id.desc())
    )
    row = found.first()
    return None if row is None else _turn(connection, row)


async def stream(
    database: Database, work: Work, within: Sequence[int], *, forgotten: bool
) -> AsyncGenerator[LoggedTurn, None]:
    """The turns of these conversations, page by page."""

    async def read(after: tuple[int, int], before: int) -> list[LoggedTurn]:
        async with database.reading() as connection:
            return await page(connection, after, before, forgotten=forgotten)

    # Conversations of a list one by one: looked up together, they would be searched for from the first to the last.
    runs = [within] if isinstance(within, range) else [range(each, each + 1) for each in within]
    for run in runs:
        after, more = (run.start, 0), True
        while more:
            found = await work.finish(read(after, run.stop))
            for logged in found:
                yield logged
                after = (logged.turn.conversation_id, logged.turn.number)
            more = len(found) == PAGE


async def page(
    connection: AsyncConnection, after: tuple[int, int], before: int, *, forgotten: bool = False
) -> list[LoggedTurn]:
    """Up to `PAGE` turns that are not blank, behind that conversation and number and before the conversation `before`;
    with `forgotten`, the blank turns of teachers who were forgotten, too."""
    said = turns.c.content != ""
    if forgotten:
        said = or_(said, and_(turns.c.role == Role.TEACHER, turns.c.author_hash.is_(None)))
    consent_now = consents.newest_of(turns.c.author_hash)
    found = await connection.execute(
        select(*_SAID)
        .add_columns(tables.conversations.c.platform, consent_now.label("consent_now"))
        .join(tables.conversations, tables.conversations.c.id == turns.c.conversation_id)
        .where(tuple_(turns.c.conversation_id, turns.c.number) > tuple_(*after))
        .where(turns.c.conversation_id < before, said)
        .order_by(turns.c.conversation_id, turns.c.number)
        .limit(PAGE)
    )
    rows = found.all()
    judged = await opinions.of_turns(connection, [row.id for row in rows])
    return [
        LoggedTurn(
            turn=_turn(connection, row),
            platform=row.platform,
            consent_now=None if row.consent_now is None else Consent(row.consent_now),
            feedback=tuple(judged[row.id]),
        )
        for row in rows
    ]


def _turn(connection: AsyncConnection, row: Row[Any]) -> TurnRow:
    values = {column.name: row._mapping[column] for column in _SAID}  # noqa: SLF001 - its public name
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
        raise StoreError(f"{name_of(connection)}: turn {row.id} cannot be read: {error}") from None


def _columns(turn: TeacherTurn | StudentTurn) -> dict[str, Any]:
    role = Role.TEACHER if isinstance(turn, TeacherTurn) else Role.STUDENT
    values = {field.name: getattr(turn, field.name) for field in fields(turn) if field.name != "consent"}
    return {**values, "role": role}
