"""How good a child's words are for a thought: a share from 0 to 1, and what to do better, in words.

It knows thoughts and words. It must not know DSPy or any model, so that the same yardstick measures
whatever spoke.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from bot.student.records.child import Child
from bot.student.records.dialogue import Thought
from bot.student.voicing.prompt import meaning
from bot.student.voicing.voice import shape
from training.evaluate.talk import MEASURES, Said, words

MEANS_IT = 0.6
LENGTH = 0.25
CHILDLIKE = 0.15
HALF_SAID = 0.5
LENGTH_SLACK = 2
"""Words more or fewer than wanted that cost nothing."""

_GROWN_UP = {
    "% with a concession": "concedes or apologises, which a child that age does not",
    "% with an adult phrase": "too adult",
    "% with markup or emoji": "has markup, which nobody speaks",
}
_LISTENS_FOR = [(measure, _GROWN_UP[measure.name]) for measure in MEASURES if measure.name in _GROWN_UP]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`score` is from 0 to 1; `feedback` is what a person would say about it, one line."""

    score: float
    feedback: str


def judge(text: str, thought: Thought, child: Child, teacher: str) -> Verdict:
    """Judge a model's raw words.

    0.6 for what they mean: that the voice would let them stand, and half of it for as many of the reason's words
    as are said (ROUGE-1 recall, Lin 2004) where the thought has a reason; 0.25 for the right length; 0.15 for
    no concession, no adult phrase and no markup. Words that mean something else get nothing for their
    length: otherwise the empty answer to a short thought would be a fair one.
    """
    meant = meaning(thought)
    wanted, said = thought.words, len(words(text))
    faults: list[str] = []
    if fault := shape(text, thought, child, teacher=teacher).fault:
        faults.append(_in_words(fault, meant))
    kept = _recall(thought.reason, text)
    if kept < HALF_SAID:
        faults.append(f"leaves out most of the reason ({thought.reason!r})")
    off = max(0, abs(said - wanted) - LENGTH_SLACK)
    if off:
        faults.append(f"too {'long' if said > wanted else 'short'}: {said} words, the child wanted {wanted}")
    unlike = [
        complaint
        for measure, complaint in _LISTENS_FOR
        if measure.value([Said(teacher, text)]) and not measure.value([Said(teacher, meant)])
    ]
    faults += unlike
    score = 0.0
    if fault is None:
        score = MEANS_IT * (1 + kept) / 2 + LENGTH * wanted / (wanted + off)
    score += 0.0 if unlike or not said else CHILDLIKE
    return Verdict(score, "; ".join(faults) or "just what the child wanted to say")


def _recall(reason: str | None, text: str) -> float:
    """Which share of the reason's words is said; 1 without a reason."""
    meant = Counter(words(reason or ""))
    return (meant & Counter(words(text))).total() / meant.total() if meant else 1.0


def _in_words(fault: str, meant: str) -> str:
    if fault.startswith("adult words"):
        return f"too adult ({fault})"
    if fault in {"does not state the answer", "states another answer"} or fault.startswith("another number"):
        return f"says another answer than the thought ({meant!r})"
    return f"{fault} (the thought was {meant!r})"
