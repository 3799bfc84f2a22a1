"""How a child writes or says it that learns English as a new language: what learners leave out and mix up.

Applied to words that were checked already; it changes forms, never numbers, names or the answer. Each form is touched
only now and then, for a learner says the same thing both ways. It knows nothing of lessons or models.

What is left out and mixed up is what teachers' handbooks describe (Swan & Smith, Learner English, 2nd ed. 2001): early
on, under Arabic, no "am, is, are" and no articles; later, under Spanish, a missing subject "it", "in" for "on", and no
-s on "he likes". The shares are guesses.
"""

from __future__ import annotations

import random
import re
from collections.abc import Collection

from bot.student.records.child import English

EARLY_SHARE, INTERMEDIATE_SHARE = 0.5, 0.3
"""Share of the places at which the form is left out or mixed up."""

Rewrite = tuple[re.Pattern[str], str]
_THIRD: Rewrite = (
    re.compile(
        r"\b(he|she|it) (like|want|need|get|know|eat|live|play|make|take|come|look|help|work|run|sleep)s\b",
        re.I,
    ),
    r"\1 \2",
)
_EARLY: tuple[Rewrite, ...] = (
    (re.compile(r"\b(the|a|an) (?=[a-z])", re.I), ""),
    (re.compile(r"\b(I|you|he|she|it|we|they)(?:'m|'re|'s) (?!got\b|been\b)", re.I), r"\1 "),
    (re.compile(r"\b([a-z]+) (?:is|are|am) (?=[a-z0-9])", re.I), r"\1 "),
    _THIRD,
)
_INTERMEDIATE: tuple[Rewrite, ...] = (
    (re.compile(r"(?:(?<=^)|(?<=[.!?,] ))it'?s (?=[a-z])", re.I), "is "),
    (re.compile(r"\bon (?=the (?:bus|table|wall|page|weekend)\b)", re.I), "in "),
    _THIRD,
)
_WORD = re.compile(r"[A-Za-z']+")
_QUESTION = re.compile(r"^(?:who|what|where|when|why|how)\b", re.I)


def speak(text: str, english: English, rng: random.Random, keep: Collection[str]) -> str:
    """`text` as that learner says it; what would take one of the words in `keep` (lower case) stays as it is."""
    rewrites, share = (_EARLY, EARLY_SHARE) if english == "early" else (_INTERMEDIATE, INTERMEDIATE_SHARE)
    for pattern, new in rewrites:

        def now_and_then(match: re.Match[str], new: str = new) -> str:
            words = {word.lower() for word in _WORD.findall(match.group())}
            if words & set(keep) or _QUESTION.match(match.group()) or rng.random() >= share:
                return match.group()
            return match.expand(new)

        text = pattern.sub(now_and_then, text)
    return text.strip()


__all__ = ["speak"]
