"""A language model as one more judge of a blind session: optional, and worth what its agreement with people is.

Such judges lean to the first answer and to grown-up ones (Zheng et al. 2023, arXiv 2306.05685): each pair is asked in
both orders, and counts only where both choices fall on the same words. It knows pairs, choices and a model that
answers. Without people's choices on the same pairs it says nothing of its own.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bot.models.base import ModelRefused
from bot.student.records.reading import DataError, parse, parse_json
from bot.student.records.text import files_in, lines_of
from training.evaluate.blind import Choice, Pair, Question, Session, Side, append
from training.harvest.agreement import agreement

if TYPE_CHECKING:
    from bot.models.chat import ChatModel

FOLDER = "judges"
AT_ONCE = 4
SEED = 0

_TASK = (
    "You compare two answers to the same teacher. Which one sounds more like a real child of seven or eight in second "
    "grade, in words, length, reasoning and mistakes? A correct or polite answer is not better for that. "
    "Reply with A, B, or = if you cannot tell. Nothing else."
)
_SAID = re.compile(r"^\W*(?:answer\W+)?([AB])\b|^\s*(=)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one judge thinks beside people. `share`, `low`, `high` are as a session's own; `steady` is the share of
    pairs on which it chose alike in both orders; `alpha` is Krippendorff's between it and most people, over the
    `shared` pairs that both judged; None where it is not defined."""

    judge: str
    pairs: int
    steady: float
    share: float | None
    low: float | None
    high: float | None
    alpha: float | None
    shared: int


async def ask(session: Session, model: ChatModel, done: Callable[[], object]) -> None:
    """Let `model` judge the pairs that it has not judged yet, each in both orders.

    Raise `ModelUnavailable` when it cannot be asked; what it said until then is kept. A refusal is no choice.
    """
    path = session.folder / FOLDER / f"{model.name}.jsonl"
    judged = _read(path)
    path.parent.mkdir(exist_ok=True)
    places = asyncio.Semaphore(AT_ONCE)

    async def one(pair: Pair) -> None:
        async with places:
            both = [await _choice(model, Question(0, pair, swapped)) for swapped in (False, True)]
        at = datetime.now(UTC).isoformat(timespec="seconds")
        append(path, {"pair": pair.id, "choices": both, "model": model.version, "at": at})
        done()

    try:
        async with asyncio.TaskGroup() as group:
            for pair in session.pairs:
                if pair.id not in judged:
                    group.create_task(one(pair))
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None


def judges(session: Session) -> list[Path]:
    """The files of all models that judged."""
    return files_in(session.folder / FOLDER, "*.jsonl")


def verdicts(session: Session) -> list[Verdict]:
    """Of every model that judged, beside people; none where people judged none of its pairs. Raise `DataError`."""
    people = {pair: _most(choices.values()) for pair, choices in session.by_pair().items()}
    found = []
    for path in judges(session):
        judged = _read(path)
        both = {pair.id: judged[pair.id] for pair in session.pairs if pair.id in judged}
        own: dict[str, Choice] = {
            pair: first if first == second else "neither" for pair, (first, second) in both.items()
        }
        shared = own.keys() & people.keys()
        if not shared:
            continue
        agreed = agreement({"people": people[pair], "judge": own[pair]} for pair in sorted(shared))
        share, _ = session.share({pair: [choice] for pair, choice in own.items()})
        found.append(
            Verdict(
                judge=path.stem,
                pairs=len(own),
                steady=sum(first == second for first, second in both.values()) / len(both),
                share=share.mean if share else None,
                low=share.low if share else None,
                high=share.high if share else None,
                alpha=agreed.alpha,
                shared=agreed.units,
            )
        )
    return found


async def _choice(model: ChatModel, question: Question) -> Choice:
    pair, (first, second) = question.pair, question.answers
    before = f"{pair.before}\n" if pair.before else ""
    asked = f"{before}Teacher: {pair.teacher}\n\nA: {first}\nB: {second}"
    try:
        reply = await model.complete(
            [{"role": "system", "content": _TASK}, {"role": "user", "content": asked}], seed=SEED
        )
    except ModelRefused:
        return "neither"
    return question.choice(_side(reply.text))


def _side(said: str) -> Side:
    found = _SAID.search(said)
    if found is None or found[1] is None:
        return "neither"
    return "first" if found[1].upper() == "A" else "second"


def _most(choices: Iterable[Choice]) -> Choice:
    """What most chose; a tie tells nothing."""
    ranked = Counter(choices).most_common(2)
    return "neither" if len(ranked) > 1 and ranked[0][1] == ranked[1][1] else ranked[0][0]


@dataclass(frozen=True, slots=True)
class _Judged:
    """A line of the judge's file, as far as it is read."""

    pair: str
    choices: tuple[Choice, Choice]


def _read(path: Path) -> dict[str, tuple[Choice, Choice]]:
    """By pair what was chosen in either order; a line that was cut short is asked again."""
    found: dict[str, tuple[Choice, Choice]] = {}
    for line in lines_of(path) if path.is_file() else ():
        with suppress(DataError):
            row = parse(_Judged, parse_json(line), known_only=False)
            found[row.pair] = row.choices
    return found
