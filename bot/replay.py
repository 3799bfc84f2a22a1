"""Replay: teacher turns from a file through the real classroom, one fresh conversation a row.

A student's turn that is given is history: the child has said just that. It knows rows and files. An interrupted run
leaves OUT.part behind, and the same command goes on from there.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import uuid
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, PlainValidator

from bot.app import App
from bot.messages import Answer, Message, Outgoing, Place, clean_text
from bot.student.records.dialogue import MAX_TURN_CHARACTERS
from bot.student.records.reading import expected, near, parse, parse_json, wrong
from bot.student.records.text import utf8

AT_ONCE = 4
"""Conversations side by side. The embedded model writes four replies to choose from, and each has its deadline."""


class ReplayError(ValueError):
    """The file cannot be replayed at all; the message says why in one line."""


def teacher_text(raw: str) -> str:
    """A teacher's turn given by hand, cleaned; raise `ValueError` for one that is empty or too long."""
    if any("\ud800" <= character <= "\udfff" for character in raw):
        raise ValueError("the text is not valid UTF-8")
    if len(raw) > MAX_TURN_CHARACTERS:
        raise ValueError(f"the text has {len(raw)} characters; at most {MAX_TURN_CHARACTERS} are read")
    text = clean_text(raw)
    if not text:
        raise ValueError("the text is empty; say something to the child")
    return text


def _printable(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise expected("printable text that is not empty")
    return text


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the teacher says, and what the child said to it where that is given."""

    teacher: str
    given: str | None = None


def _exchanges(raw: object) -> tuple[Exchange, ...]:
    """Texts are a teacher's; an object has role and content."""
    if not isinstance(raw, list) or not raw:
        raise expected("a list of turns that is not empty")
    found: list[Exchange] = []
    for number, each in enumerate(raw):
        role, text = (each.get("role"), each.get("content")) if isinstance(each, dict) else ("teacher", each)
        if not isinstance(text, str) or role not in ("teacher", "student"):
            raise expected(
                f"turns[{number}] to be text, or an object with role (teacher or student) and content"
            )
        try:
            text = teacher_text(text)
        except ValueError as error:
            raise wrong(f"turns[{number}]: {error}") from None
        if role == "teacher":
            found.append(Exchange(text))
        elif found and found[-1].given is None:
            found[-1] = replace(found[-1], given=text)
        else:
            raise wrong(f"turns[{number}]: a student's turn answers the teacher's turn before it")
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Row:
    """One conversation to replay."""

    id: Annotated[str, AfterValidator(_printable)]
    turns: Annotated[tuple[Exchange, ...], PlainValidator(_exchanges)]
    child: str | None = None
    lesson: str | None = None


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that cannot be used."""

    line: int
    reason: str


class Silent:
    """Nobody watches a replay; the answer comes back from the classroom."""

    async def thinking(self) -> None:
        """Nothing to show."""

    async def send(self, outgoing: Outgoing) -> str | None:  # noqa: ARG002 - the protocol's name
        """Nowhere to send."""
        return None

    async def find(self, outgoing: Outgoing) -> list[str]:  # noqa: ARG002 - the protocol's name
        """Nothing is there."""
        return []

    async def tell(self, text: str) -> bool:  # noqa: ARG002 - the protocol's name
        """Nobody to tell."""
        return False


def read_rows(path: Path, app: App) -> tuple[list[Row], list[Bad]]:
    """Parse the file; rows that are wrong come back with line and reason. Raises `ReplayError`."""
    try:
        lines = utf8(path.read_bytes(), path).split(b"\n")
    except OSError as error:
        raise ReplayError(f"{path}: cannot be read ({error.strerror})") from None
    rows: list[Row] = []
    bad: list[Bad] = []
    seen: set[str] = set()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = _row(line, app)
            if row.id in seen:
                raise ValueError(f"id {row.id!r} was used before")
            seen.add(row.id)
            rows.append(row)
        except ValueError as error:
            bad.append(Bad(number, str(error)))
    return rows, bad


async def replay(  # noqa: PLR0913 - one per option of the command
    app: App, rows: list[Row], out: Path, *, source: Path, seed: int, done: Callable[[int], None]
) -> None:
    """Answer every turn of `rows`; write one JSON object a row to `out`, in the order of `rows`.

    Raises `ReplayError` when a file cannot be written or an answer cannot be had.
    """
    try:
        await _replay(app, rows, out, _stamp(app, source, seed), seed, done)
    except OSError as error:
        raise ReplayError(f"{error.filename or out}: cannot be read or written ({error.strerror})") from None


async def _replay(  # noqa: PLR0913
    app: App, rows: list[Row], out: Path, stamp: dict[str, Any], seed: int, done: Callable[[int], None]
) -> None:
    part = out.with_name(out.name + ".part")
    finished = _finished(part, stamp)
    left = [row for row in rows if row.id not in finished]
    done(len(rows) - len(left))
    run = uuid.uuid4().hex[:12]
    # Written anew, since a kill can leave half a line at its end.
    rest = part.with_name(part.name + ".new")
    with rest.open("w", encoding="utf-8") as file:
        for kept in ({"replay": stamp}, *finished.values()):
            _append(file, kept)
    rest.replace(part)
    with part.open("a", encoding="utf-8") as file:
        async for row, result in _answers(app, left, run, seed):
            finished[row.id] = result
            _append(file, result)
            done(1)
    with rest.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(finished[row.id], ensure_ascii=False) + "\n" for row in rows)
    rest.replace(out)
    part.unlink()


async def _answers(
    app: App, rows: list[Row], run: str, seed: int
) -> AsyncIterator[tuple[Row, dict[str, Any]]]:
    """Results as they come, some conversations at once."""
    waiting = iter(rows)
    running: dict[asyncio.Task[dict[str, Any]], Row] = {}
    try:
        while True:
            while len(running) < AT_ONCE and (row := next(waiting, None)) is not None:
                running[asyncio.create_task(_conversation(app, row, run, seed))] = row
            if not running:
                return
            ready, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in ready:
                yield running.pop(task), task.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _conversation(app: App, row: Row, run: str, seed: int) -> dict[str, Any]:
    place = Place("replay", f"{run}:{row.id}", None)
    conversation = await app.store.conversation(place.platform, place.channel, place.thread)
    await app.store.update_conversation(conversation.id, child=row.child, lesson=row.lesson)
    row_seed = (seed + zlib.crc32(row.id.encode())) % 2**31
    dialogue: list[dict[str, Any]] = []
    last: Answer | None = None
    for number, exchange in enumerate(row.turns, start=1):
        message = Message(
            key=f"replay:{run}:{row.id}:{number}",
            platform=place.platform,
            channel=place.channel,
            thread=None,
            author="replay",
            text=exchange.teacher,
            sent_at=datetime.now(UTC),
            given=exchange.given,
        )
        answer = await app.classroom.receive(message, Silent(), seed=row_seed)
        if answer is None:
            raise ReplayError(f"{row.id}: turn {number} got no answer; see the log")
        last = answer
        move = {"move": answer.move.value} if answer.move else {}
        dialogue.append({"role": "teacher", "content": exchange.teacher, **move})
        if answer.thought is not None:
            dialogue.append(
                {
                    "role": "student",
                    "content": answer.text,
                    "thought": answer.thought.to_json(),
                    "voiced": answer.voiced,
                    "latency_ms": answer.latency_ms,
                }
            )
        else:
            dialogue.append({"role": "notice", "content": answer.text, "flag": answer.flag})
    if last is None:
        raise ReplayError(f"{row.id}: no turns")
    return {"id": row.id, **as_json(last), "dialogue": dialogue}


def as_json(answer: Answer) -> dict[str, Any]:
    """The object that `ask --json` prints; `flag` is there when the answer is a notice."""
    thought = answer.thought.to_json() if answer.thought else None
    row = {
        "reply": answer.text,
        "model": answer.model,
        "version": answer.version,
        "child": answer.child,
        "lesson": answer.lesson,
        "move": answer.move.value if answer.move else None,
        "thought": thought,
        "voiced": answer.voiced,
        "latency_ms": answer.latency_ms,
        "usage": {
            "prompt_tokens": answer.prompt_tokens,
            "completion_tokens": answer.completion_tokens,
            "cost_usd": answer.cost_usd,
        },
    }
    return row if answer.flag is None else {**row, "flag": answer.flag}


def _row(line: bytes, app: App) -> Row:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("not valid UTF-8") from None
    row = parse(Row, parse_json(text))
    for key, name, known in (
        ("child", row.child, app.classroom.children),
        ("lesson", row.lesson, app.classroom.curriculum.lessons),
    ):
        if name is not None and name not in known:
            raise ValueError(f"{key}: no {name!r}; {near(name, known)}")
    return row


def _stamp(app: App, source: Path, seed: int) -> dict[str, Any]:
    """What a run was made of: another file, model or seed must not go on from its rest."""
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    return {"source": digest, "model": app.settings.student.model, "seed": seed}


def _finished(part: Path, stamp: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Whole rows of an interrupted run of the same stamp; a torn last line is ignored."""
    found: dict[str, dict[str, Any]] = {}
    try:
        lines = part.read_bytes().split(b"\n")
    except OSError:
        return found
    for number, line in enumerate(lines):
        try:
            row = json.loads(line)
        except ValueError:
            break
        if number == 0 and row != {"replay": stamp}:
            return {}
        if number:
            found[row["id"]] = row
    return found


def _append(file: Any, row: dict[str, Any]) -> None:
    file.write(json.dumps(row, ensure_ascii=False) + "\n")
    file.flush()
    os.fsync(file.fileno())
