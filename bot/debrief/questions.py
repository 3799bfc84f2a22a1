"""Which questions a teacher's turn asks, and what kind each is.

Told sentence by sentence from wording and from the problems that the child can read; it knows no conversation.
"""

from __future__ import annotations

import re
from enum import StrEnum

from bot.student.hearing import form
from bot.student.problems.parsing import parse
from bot.student.said import Said


class QuestionKind(StrEnum):
    """What a question wants back."""

    REASON = "asks for a reason"
    """How the child got there, why, how it knows."""
    OPEN = "open"
    """What it notices, thinks, would do: many answers are good ones."""
    ANSWER = "asks for an answer"
    """One answer that the teacher knows: a sum, a word, a fact."""
    EITHER_OR = "either-or"
    YES_NO = "yes or no"


REASON = re.compile(
    r"\bwhy\b|\bhow come\b|\bexplain\b|\bwhat (makes|made) (you|it|them|that)\b|\bwhat do you mean\b"
    r"|\bhow (do|does|did|would|could|can) (you|u|we|they|he|she|it)"
    r" (know|get|tell|figure|decide|work|think|find|do|prove)\b"
    r"|\bhow('?d| did) (you|ya)\b|\b(walk|talk) me through\b|\b(show|tell) (me|us) how\b"
    r"|\btell me (more|why|about how)\b"
    r"|\bwhere did (you|that|the) .{0,20}(get|come from)\b|\bcan you prove\b|\bwhat were you thinking\b",
    re.I,
)
"""Asks for reasoning: the child's way, its grounds, or why something is so."""
_OPEN = re.compile(
    r"\bwhat (do|did|can|could|would|might|should) (you|we|they|it) (\w+ )?"
    r"(notice|see|think|wonder|do|try|say|use|draw|feel|like|mean|remember)\b"
    r"|\bwhat if\b|\bwhat (happens|happened|else)\b|\bwhat about\b|\bhow (else|could|would|might|are|do) (you|we)\b"
    r"|\banother way\b|\bany (other )?ideas?\b|\bwhat'?s (on your mind|going on)\b|\bhow do you feel\b",
    re.I,
)
_LEAD = r"^(?:(?:so|and|ok|okay|now|then|please|hmm|well|good|great|but)[, ]+)*"
_ASKS = re.compile(
    _LEAD
    + r"(?:what|what's|which|who|who's|where|when|why|how|tell me|explain|show me|walk me through|name|find|solve"
    r"|work out|figure out|spell|read|write|count|(?:can|could|will|would|do|did) you|is it|are you)\b",
    re.I,
)
_VERB_FIRST = re.compile(
    _LEAD + r"(?:do|does|did|is|are|was|were|has|have|can|could|will|would|should)\b", re.I
)
_COMMENT = re.compile(r"^\s*how (nice|lovely|cool|funny|great|wonderful|interesting)\b|^what a\b", re.I)


def asks(sentence: Said) -> bool:
    """Whether a sentence wants something said: a question mark, or the words of a question or of a task."""
    if _COMMENT.search(sentence.text):
        return False
    return "?" in sentence.text or bool(_ASKS.match(sentence.text))


def opens_as_one(sentence: Said) -> bool:
    """Whether a sentence begins with the words of a question or of a task; "45?" does not."""
    return bool(_ASKS.match(sentence.text) or _VERB_FIRST.match(sentence.text))


def kind(sentence: Said) -> QuestionKind | None:
    """What kind of question a sentence is; None for one that asks nothing."""
    if not asks(sentence):
        return None
    if REASON.search(sentence.text):
        return QuestionKind.REASON
    if form.options(sentence) is not None:
        return QuestionKind.EITHER_OR
    if parse(sentence) is not None:
        return QuestionKind.ANSWER
    if _OPEN.search(sentence.text):
        return QuestionKind.OPEN
    if form.yes_no(sentence):
        return QuestionKind.YES_NO
    return QuestionKind.ANSWER


def kinds(turn: Said) -> tuple[QuestionKind, ...]:
    """The questions of a turn in order, one for each sentence that asks."""
    found = (kind(Said.of(each)) for each in turn.sentences)
    return tuple(each for each in found if each is not None)
