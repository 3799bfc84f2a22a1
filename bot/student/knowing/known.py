"""The door: what any second grader answers to a teacher's turn, whatever lesson is on.

A turn goes in, the child's answers come out, or None. When they count is `hearing`'s and `believing`'s. To add a
shape of question, write a reader in the file of its shape, put it into `_READERS` and its examples beside the tests.
"""

from __future__ import annotations

import re
from functools import lru_cache

from bot.student.knowing import choices, counting, facts, reading, things, words
from bot.student.knowing.question import Question, Reader
from bot.student.knowing.tables import Answers
from bot.student.said import Said

MOST_CHARACTERS = 300
"""Longer turns teach or tell; no question of everyday things is that long."""

# The first that answers counts: what is read off the turn itself goes before what is looked up.
_READERS: tuple[Reader, ...] = (
    counting.counts_back,
    counting.counts,
    counting.pattern,
    counting.ordered,
    counting.equation,
    counting.half,
    counting.piece,
    counting.ends,
    counting.richer,
    counting.whose,
    reading.aloud,
    words.vowel,
    counting.between,
    counting.tomorrow,
    counting.beside,
    counting.at_the_end,
    counting.all_of,
    counting.letter,
    words.are_opposite,
    words.opposite,
    words.means_same,
    words.rhyme,
    words.spelled,
    words.counted,
    words.in_order,
    words.changed,
    words.added,
    words.taken,
    words.compound,
    words.sentence_kind,
    facts.fact,
    choices.either_or,
    reading.comprehends,
    words.plural,
    words.past,
    words.contraction,
    words.sound,
    words.letter_of,
    things.colour,
    things.how_many,
    things.name_one,
    things.grown,
    things.eats,
    things.young,
    things.lives,
    things.gives,
    things.who_says,
    things.who_lives,
    things.key_words,
    choices.yes_or_no,
)


@lru_cache(maxsize=256)
def known(said: Said) -> Answers | None:
    """What every second grader answers to `said`, first as a child says it; None where nothing is asked or known.

    Never raises on any text; `DataError` when the tables cannot be read.
    """
    question = Question.of(said) if len(said.text) <= MOST_CHARACTERS else None
    if question is None:
        return None
    answers = next((found for reader in _READERS if (found := reader(question))), None)
    if answers is None or " or " not in question.ask or answers[0] in {"yes", "no"}:
        return answers
    # Of this or that, nothing else will do.
    return answers if any(re.search(rf"\b{re.escape(each)}", question.ask) for each in answers) else None
