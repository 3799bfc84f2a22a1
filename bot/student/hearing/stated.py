"""Does a turn state an answer to the question on the table: the right one, or another that the teacher puts forward?

It knows the turn, the right answers and the lesson's wrong ones; it computes nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.student.hearing import patterns
from bot.student.hearing.heard import Context
from bot.student.problems.asking import integers
from bot.student.problems.stated import parse_answer
from bot.student.records.lesson import Lesson
from bot.student.said import PLAIN, Said, content_words

FEW_WORDS = 14
"""Longest turn, in words, that may do nothing but state an answer."""
OTHER_WORDS = 2
"""Telling words beside the answer in a turn that states it: whose answer it is, no more."""
ANSWER_WORDS = 6
"""Longest answer that a teacher puts forward."""
_NUMERIC = re.compile(r"\d|\b(even|odd|half|third|fourth)\b")
_DENIES = re.compile(r"\b(not|never|no|nobody|nothing)\b|n't\b", re.I)
_BEGINS = re.compile(r"^((no|nope|yes|actually|well)\W+)+|\W+$")
_REASON = re.compile(r"\W*\b(because|cuz|since|right)\b.*")
_IT_IS = re.compile(r"its?\b|it'?s|it is", re.I)
_NAMES_IT = re.compile(r"\b(the answer|it'?s|its)\b")


@dataclass(frozen=True, slots=True)
class Stated:
    """An answer that the teacher stated (None: one that is not named), and whether it is right."""

    answer: str | None
    right: bool


def stated(said: Said, lesson: Lesson, context: Context) -> Stated | None:
    """The answer stated in `said` to the question of `context`; None where it states none."""
    if not context.right or said.length > FEW_WORDS or patterns.RIGHT.search(said.text):
        return None
    named = _right_answer(said, context)
    if any(_NUMERIC.search(right) for right in context.right):
        answer = parse_answer(said) if patterns.STATES.search(said.text) else None
        if answer is not None:
            # A number, a time or a share; other words about it are no answer.
            return Stated(answer, answer.lower() in {each.lower() for each in context.right})
        return Stated(named, right=True) if named else None
    return Stated(named, right=True) if named else _proposed(said, lesson)


def number_told(said: Said, context: Context) -> Stated | None:
    """What a turn states that is known to state an answer, in whatever words: its one number that the question has not.

    None where the answer is no number, or the turn denies one."""
    if not any(right.isdigit() for right in context.right) or _DENIES.search(said.text):
        return None
    told = set(integers(said.plain)) - set(integers(Said.of(context.question).plain))
    if len(told) != 1:
        return None
    answer = str(told.pop())
    return Stated(answer, answer in context.right)


def _proposed(said: Said, lesson: Lesson) -> Stated | None:
    """Words that the teacher puts forward as the answer."""
    proposed = patterns.PROPOSES.search(said.text)
    if proposed is None:
        return None
    answer = proposed["answer"].strip()
    if len(answer.split()) > ANSWER_WORDS or patterns.OPINION.search(answer):
        return None
    if _IT_IS.match(proposed[0]) and not _is_an_answer(answer, lesson):
        return None
    return Stated(None if patterns.VAGUE.search(answer) else answer, right=False)


def _right_answer(said: Said, context: Context) -> str | None:
    """The right answer, if all that one of the sentences which ask nothing does is state it."""
    for sentence in said.sentences:
        if sentence.endswith("?"):
            continue
        whole = _BEGINS.sub("", sentence.lower())
        for right in (right.lower() for right in context.right if right):
            if any(_only_states(told, right, context.question) for told in (_REASON.sub("", whole), whole)):
                return right
    return None


def _only_states(told: str, right: str, question: str) -> bool:
    """Whether `told`, without its full stop, only states `right`."""
    words, needed = content_words(told), content_words(right) - PLAIN or content_words(right)
    last = right.rsplit(maxsplit=1)[-1]
    if right in ("yes", "no"):
        return f"the answer is {right}" in told
    if not needed <= words or not re.search(rf"\b{re.escape(last)}(?!\w)", told) or "both" in words - needed:
        return False
    if _DENIES.search(told) and not _DENIES.search(right):
        return False
    others = {word for word in words - needed - PLAIN if len(word) > 1}
    names_it = _NAMES_IT.search(told) and len(others) <= 1
    about_it = bool(question) and others <= content_words(question)
    return bool(names_it) or about_it or (told.endswith(last) and len(others) <= OTHER_WORDS)


def _is_an_answer(text: str, lesson: Lesson) -> bool:
    """Whether a question of the lesson has an answer with a word of `text`: "it's" may begin anything."""
    words = content_words(text) - PLAIN
    answers = (" ".join((q.right, *q.accept, *q.wrong.values())) for q in lesson.questions)
    return any(words & content_words(answer) for answer in answers)
