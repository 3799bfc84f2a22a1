"""The harvest: the log as a stream, through every rule, into the candidates that people will review.

It is a function of the log, the consents and the rules: running it again finds the same, stores nothing twice, and
takes out what is no longer allowed. Memory does not grow with the log.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

from bot.store import harvested
from bot.store.rows import LoggedTurn, NewCandidate, Put
from bot.store.store import Store
from bot.student.records.child import Child
from bot.student.records.dialogue import Dialogue, Role, Turn
from bot.student.records.reading import DataError
from training.evaluate.talk import Said, words
from training.harvest import filters
from training.harvest.duplicates import Seen
from training.harvest.filters import Kept, Reason, Rules
from training.harvest.generations import Generations
from training.harvest.ranges import Judge, Judged, cut, in_line, side_by_side

FEWEST_EXCHANGES = 2
MOST_EXCHANGES = 30
"""A longer piece is cut: nobody reviews a hundred turns at a time."""
PER_TEACHER = 25
"""Dialogues that one person may give, so that no one's way of teaching takes the lessons over."""
LOWEST_RATING = 2.5
MOST_PHRASINGS = 0.5
MOST_MEAN_WORDS = 20
MOST_IDENTICAL = 0.5
BATCH = 200
SAMPLE = 2000
"""Turns kept for the measures of talk."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to harvest. `policy` is the setting privacy.consent; a sitting is over after `settled` of silence. More than
    one of `processes` judge side by side."""

    policy: str = "opt_in"
    per_teacher: int = PER_TEACHER
    settled: timedelta = timedelta(minutes=60)
    days: int | None = None
    """Only conversations in which somebody spoke in so many days until now. Near-duplicates and repeated lines are
    found among those alone; a harvest of all takes out what it finds beyond."""
    processes: int = 1


@dataclass(slots=True)
class Summary:
    """What a harvest did. `left_out` counts turns, the others dialogues; `sample` are child turns of candidates."""

    turns: int = 0
    kept_turns: int = 0
    left_out: Counter[Reason] = field(default_factory=Counter)
    dialogues: int = 0
    new: int = 0
    changed: int = 0
    withdrawn: int = 0
    pairs: int = 0
    sample: list[Said] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Kept exchanges in a row, with one child and one lesson."""

    kept: tuple[Kept, ...]

    @property
    def turns(self) -> list[LoggedTurn]:
        return [logged for each in self.kept for logged in (each.teacher, each.student)]

    @property
    def teachers(self) -> frozenset[str]:
        return frozenset(logged.turn.author_hash for logged in self.turns if logged.turn.author_hash)

    @property
    def key(self) -> str:
        """The same in every harvest: made of what never changes in the log."""
        first = self.turns[0].turn
        told = f"{self.turns[0].platform}\0{first.conversation_id}\0{first.id}\0{first.said_at.isoformat()}"
        return f"harvested-{hashlib.sha256(told.encode()).hexdigest()[:16]}"


async def harvest(  # noqa: PLR0913 - what a harvest needs, each named
    store: Store,
    data: Path,
    children: Mapping[str, Child],
    lessons: Mapping[str, object],
    options: Options,
    out: Path,
    *,
    now: datetime | None = None,
    url: str = "",
    advance: Callable[[int], None] = lambda _turns: None,
) -> Summary:
    """Harvest the log into the store's candidates; write every turn left out, with its reason, to `out`. `url` is the
    address of the store's database, which more than one process need.

    Raises `StoreError`, and `DataError` where the golden test set cannot be read or a harvested file not cleaned.
    """
    run = _Run(store, options, now or datetime.now(UTC))
    if options.policy == "off":
        run.summary.withdrawn = await store.harvests.withdraw_all()
        run.seen.close()
        return await _buried(run, data)
    since = None if options.days is None else run.now - timedelta(days=options.days)
    places = await store.harvests.conversations(since)
    if since is not None:
        run.per_teacher.update(await store.harvests.given(places))
    rules = Rules(
        children=children,
        lessons=frozenset(lessons),
        generations=Generations(data / "models"),
        consents=await store.harvests.consents(),
        repeated=await store.harvests.repeated_lines(filters.LEAST_REPEATED, filters.MOST_REPEATING, since),
        golden=filters.golden_grams(data / "dialogues" / "test.jsonl"),
        silence_is_consent=options.policy == "opt_out",
    )
    judge = Judge(rules, await store.harvests.mean_ratings(), run.now, options.settled)
    read = cut(places)
    all_of_it = (
        side_by_side(url, read, judge, options.processes)
        if options.processes > 1
        else in_line(store, read, judge)
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    fresh = out.with_name(f".{out.name}.{os.getpid()}.new")
    try:
        with fresh.open("w", encoding="utf-8") as file:
            run.file = file
            async with contextlib.aclosing(all_of_it):
                async for judged in all_of_it:
                    await run.take(judged)
                    advance(len(judged.sitting.turns))
            await run.flush()
        fresh.replace(out)
    finally:
        fresh.unlink(missing_ok=True)
        run.seen.close()
    # Last: a harvest that broke off has taken nothing away.
    run.summary.withdrawn = await store.harvests.retire(
        run.now,
        silence_is_consent=rules.silence_is_consent,
        within=None if since is None else places,
    )
    return await _buried(run, data)


async def _buried(run: _Run, data: Path) -> Summary:
    """Take whoever left since out of the published files, too: whatever came in between, the next harvest does it."""
    try:
        harvested.bury(data, await run.store.candidates.left(), run.now.date().isoformat())
    except (OSError, ValueError) as error:
        raise DataError(f"harvested files: {error}") from None
    return run.summary


class _Run:
    """One harvest under way."""

    def __init__(self, store: Store, options: Options, now: datetime) -> None:
        self.store, self.options, self.now = store, options, now
        self.summary = Summary()
        self.seen = Seen()
        self.file: TextIO | None = None
        self.per_teacher: Counter[str] = Counter()
        self._waiting: list[tuple[_Piece, NewCandidate]] = []

    async def take(self, judged: Judged) -> None:
        """Take what the rules kept of one sitting, and leave out what they did not."""
        turns = judged.sitting.turns
        self.summary.turns += len(turns)
        if judged.reason is not None:
            self._leave(turns, judged.reason)
            return
        if self._capped(judged.sitting.people):
            self._leave(turns, Reason.CAP)
            return
        for exchange, each in zip(judged.sitting.exchanges, judged.exchanges, strict=True):
            if isinstance(each, Reason):
                self._leave(exchange.turns, each)
        for piece in _pieces(judged.exchanges):
            if reason := _piece_reason(piece, judged.rating) or self._across(piece):
                self._leave(piece.turns, reason)
                continue
            self._waiting.append((piece, _candidate(piece, judged.rating)))
            if len(self._waiting) >= BATCH:
                await self.flush()

    def _across(self, piece: _Piece) -> Reason | None:
        """What depends on the candidates before this one."""
        if self._capped(piece.teachers):
            return Reason.CAP
        spoken = [
            word
            for kept in piece.kept
            for text in (kept.teacher.turn.content, kept.said)
            for word in words(text)
        ]
        if self.seen.before(spoken):
            return Reason.DUPLICATE
        self.per_teacher.update(piece.teachers)
        return None

    def _capped(self, people: Iterable[str]) -> bool:
        return any(self.per_teacher[person] >= self.options.per_teacher for person in people)

    async def flush(self) -> None:
        """Store the candidates that wait."""
        batch, self._waiting = self._waiting, []
        if not batch:
            return
        done = await self.store.harvests.put(
            [candidate for _, candidate in batch],
            silence_is_consent=self.options.policy == "opt_out",
            now=self.now,
        )
        summary = self.summary
        for (piece, candidate), became in zip(batch, done, strict=True):
            if became is Put.REFUSED:
                self._leave(piece.turns, Reason.REFUSED)
                continue
            summary.dialogues += 1
            summary.kept_turns += len(piece.turns)
            summary.new += became is Put.NEW
            summary.changed += became is Put.CHANGED
            summary.pairs += len(candidate.lineage["rejected"])
            room = SAMPLE - len(summary.sample)
            summary.sample += [
                Said(kept.teacher.turn.content, kept.said) for kept in piece.kept[: max(0, room)]
            ]

    def _leave(self, turns: Sequence[LoggedTurn], reason: Reason) -> None:
        """Count and write down turns that are left out; ids only, never what was said."""
        self.summary.left_out[reason] += len(turns)
        if self.file is not None:
            for logged in turns:
                row = {
                    "turn": logged.turn.id,
                    "conversation": logged.turn.conversation_id,
                    "reason": reason.name.lower(),
                    "why": reason.value,
                }
                self.file.write(json.dumps(row) + "\n")


def _pieces(judged: Sequence[Kept | Reason]) -> list[_Piece]:
    """Runs of kept exchanges with one child and one lesson, cut where they are long."""
    runs: list[list[Kept]] = [[]]
    for each in judged:
        if isinstance(each, Reason):
            runs.append([])
            continue
        run = runs[-1]
        if run and (_place(run[-1]) != _place(each) or len(run) >= MOST_EXCHANGES):
            runs.append([])
        runs[-1].append(each)
    return [_Piece(tuple(run)) for run in runs if run]


def _place(kept: Kept) -> tuple[str | None, str | None]:
    return kept.student.turn.child, kept.student.turn.lesson


def _piece_reason(piece: _Piece, rating: float | None) -> Reason | None:
    if len(piece.kept) < FEWEST_EXCHANGES:
        return Reason.SHORT
    if rating is not None and rating < LOWEST_RATING:
        return Reason.RATED_LOW
    said = [kept.said.lower() for kept in piece.kept]
    plain = sum(kept.suggestion is None and kept.student.turn.voiced == "phrasing" for kept in piece.kept)
    if plain > MOST_PHRASINGS * len(said):
        return Reason.PHRASING
    identical = 1 - len(set(said)) / len(said)
    if sum(len(words(text)) for text in said) > MOST_MEAN_WORDS * len(said) or identical > MOST_IDENTICAL:
        return Reason.BANDS
    return None


def _candidate(piece: _Piece, rating: float | None) -> NewCandidate:
    turns, rejected, votes, put_right = [], {}, {}, []
    for number, kept in enumerate(piece.kept):
        teacher, student = kept.teacher.turn, kept.student.turn
        if kept.move is not None:
            put_right.append(2 * number)
        turns.append(Turn(Role.TEACHER, teacher.content, move=kept.move or teacher.move))
        turns.append(Turn(Role.STUDENT, kept.said, thought=student.thought))
        place = str(2 * number + 1)
        if kept.suggestion is not None:
            rejected[place] = student.content
        if kept.ups or kept.downs:
            votes[place] = [kept.ups, kept.downs]
    child, lesson = _place(piece.kept[0])
    dialogue = Dialogue(piece.key, tuple(turns), child, lesson, source="harvested")
    said = [logged.turn for logged in piece.turns if logged.turn.role is Role.STUDENT]
    lineage: dict[str, Any] = {
        "conversation": said[0].conversation_id,
        "turns": [logged.turn.id for logged in piece.turns],
        "models": sorted({f"{turn.model}@{turn.model_version}" for turn in said}),
        "prompts": sorted({turn.prompt_version or "" for turn in said}),
        "voiced": dict(sorted(Counter(turn.voiced or "" for turn in said).items())),
        "generation": 1,
        # Who taught, without saying who: enough to keep one teacher's dialogues in one part of a split.
        "teachers": sorted(hashlib.sha256(person.encode()).hexdigest()[:8] for person in piece.teachers),
        "rejected": rejected,
        "votes": votes,
        "rating": None if rating is None else round(rating, 2),
    }
    if put_right:
        lineage["put_right"] = put_right
    return NewCandidate(
        key=piece.key,
        conversation_id=said[0].conversation_id,
        people=piece.teachers | {kept.suggestion.author_hash for kept in piece.kept if kept.suggestion},
        turns=tuple(lineage["turns"]),
        record=dialogue.to_json(),
        lineage=lineage,
    )
