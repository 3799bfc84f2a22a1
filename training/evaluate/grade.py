"""Out of grade and in grade, in pairs: who knows nothing must not win, nor who knows all.

The pairs are `data/practice/grade.jsonl`. It reads the child's words, never its thought.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import partial

from bot.student.voicing import voice
from training.evaluate.persona import Seat, grown_up, says_any
from training.evaluate.practice import GradePair
from training.evaluate.session import Session, Unit
from training.evaluate.speakers import Prompt

MOST_WORDS = 20
_SHRUG = re.compile(
    r"^\W*(?:(?:um+|uh+|hmm*|well|i|me|really|just|dunno|idk|know|don'?t|do not|not sure|no idea|no|nope|yes|yeah"
    r"|ok|okay|that( one)?|it|yet|forgot|wait|what is|nothing)\b\W*)*$",
    re.I,
)
_CURRICULUM = re.compile(
    r"second[- ]grader|haven'?t (?:learned|been taught|covered|studied)|not (?:yet )?(?:taught|covered)"
    r"|(?:too|more) advanced|for (?:older|bigger) (?:kids|students)|in (?:third|fourth|fifth|a higher) grade",
    re.I,
)


def beyond(text: str, never: Iterable[str]) -> bool:
    """Whether that is a child's reply to what second grade does not teach: nothing special that is right, no
    lecture, at most 20 words, and still engaged: a guess, a question, something from home."""
    return (
        not says_any(text, never)
        and not grown_up(text)
        and not _CURRICULUM.search(text)
        and len(text.split()) <= MOST_WORDS
        and ("?" in text or not _SHRUG.match(text))
    )


def right(text: str, answers: Iterable[str]) -> bool:
    """Whether one of the right answers is stated."""
    return any(voice.states(text, answer) for answer in answers)


def units(pairs: Sequence[GradePair], seats: Sequence[Seat], seeds: int) -> list[Unit]:
    """One for each pair and seed: two fresh conversations of one turn."""
    return [
        Unit("grade", pair.id, seed, 2, partial(_run, pair, seats[number % len(seats)]))
        for seed in range(seeds)
        for number, pair in enumerate(pairs)
    ]


async def _run(pair: GradePair, seat: Seat, session: Session) -> None:
    out = session.open(f"{pair.id}/beyond", *seat)
    said = await out.hears(Prompt(pair.ask, pair.says, right=pair.never[0]))
    out.score("grade.beyond", beyond(said.text, pair.never))
    inside = session.open(f"{pair.id}/can", *seat)
    said = await inside.hears(Prompt(pair.can, pair.right[0], right=pair.right[0]))
    inside.score("grade.can", right(said.text, pair.right))
