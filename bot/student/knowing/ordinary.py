"""Questions that any second grader can answer, whatever lesson is on: the door to the everyday tables.

One question in, the child's answer out, or None. It decides nothing: when it counts is `hearing` and `mind`.
"""

from __future__ import annotations

import re
from functools import lru_cache

from bot.student.knowing import attributes, either, facts, figures, reading, sequences, wordplay
from bot.student.knowing.everyday import Answers, Reader, first
from bot.student.numbers import LONGEST, plain

MOST_CHARACTERS = 300
"""Longer turns teach or tell; no question of everyday things is that long."""

_READERS: tuple[Reader, ...] = (
    sequences.counts,
    figures.figures,
    reading.aloud,
    wordplay.blends,
    sequences.order,
    sequences.letters,
    wordplay.opposite,
    wordplay.means_same,
    wordplay.rhyme,
    wordplay.spelling,
    wordplay.in_order,
    wordplay.changed,
    wordplay.compound,
    wordplay.sentence_kind,
    facts.fact,
    either.either_or,
    reading.comprehends,
    wordplay.forms,
    wordplay.sounds,
    attributes.colour,
    attributes.how_many,
    attributes.worth,
    attributes.name_one,
    attributes.which_animal,
    attributes.animals,
    attributes.fact,
    either.yes_or_no,
)
_FILLER = re.compile(
    r"^(?:(?:ok|okay|now|so|and|next|well|great|good|hmm|hey|alright|please|then|quick"
    r" question|tell me|can you tell me|could you tell me|do you know"
    r"|can you think of|could you|can you|try this|how about this|let's see|i wonder"
    r"|fill in|finish this|here's one|one more)\b[\s,:!-]*)+(?=\w)"
)
_ASKS = re.compile(
    r"\?|^(?:what|which|who|whose|where|when|how|is|are|do|does|can|could|name|tell|say|spell"
    r"|give|read|count|list|think|fill|finish|if|true or false|make|put|change|order|arrange)\b|_"
)


_STANDS_AFTER = re.compile(r"^[\w ,+=_-]*\d[\w ,+=_-]*[.!]?$|^yes or no[.!?]*$|^(?:[a-z]+, ){2,}")
"""What is asked about may stand behind the question: numbers, a list."""


@lru_cache(maxsize=256)
def known(text: str) -> Answers | None:
    """What every second grader answers to `text`, first as a child says it; None where nothing is asked or known.

    Never raises on any text; `DataError` when the tables cannot be read.
    """
    if len(text) > min(MOST_CHARACTERS, LONGEST):
        return None
    said = _tidy(text)
    sentences = [each for each in re.split(r"(?<=[.!?])\s+", said) if re.search(r"\w", each)]
    bare = [_FILLER.sub("", each) for each in sentences]
    # "Tell me a word" asks, too, where nothing else does.
    at = next(
        (at for texts in (bare, sentences) for at in reversed(range(len(texts))) if _ASKS.search(texts[at])),
        None,
    )
    if at is None:
        return None
    ask = re.sub(r",? (?:yes or no|true or false)$", "", bare[at].strip(" ?.!"))
    scope = (
        " ".join(sentences)
        if _STANDS_AFTER.search(" ".join(sentences[at + 1 :]))
        else " ".join(sentences[: at + 1])
    )
    answers = first(_READERS, ask, scope)
    if answers is None or " or " not in ask or answers[0] in {"yes", "no"}:
        return answers
    # Of this or that, nothing else will do.
    return answers if any(re.search(rf"\b{re.escape(each)}", ask) for each in answers) else None


def _tidy(text: str) -> str:
    said = " ".join(text.lower().split())
    for typed, meant in (
        ("\u2019", "'"),
        ("\u2018", "'"),
        ("\u201c", '"'),
        ("\u201d", '"'),
        ("colour", "color"),
    ):
        said = said.replace(typed, meant)
    said = re.sub(r"_{2,}|\[ ?\]|\.{3,}(?=\s*$)", "_", said)
    # Number words as digits only where counting is asked: elsewhere they may be read aloud.
    return (
        plain(said)
        if re.search(r"\bcount\b", said)
        else re.sub(r"\b(what|who|where)(?:'s|s)\b", r"\1 is", re.sub(r"\bw(?:a|u)t'?s\b", "what is", said))
    )
