"""Which wrong idea does a teacher's turn address, if any?

A turn is compared with the examples of help that the lessons give, rare words weighing more, and with
the help for the ideas of all other lessons: good teaching of something else is no help here. It knows
lessons and words; what kind of move a turn is else, and what the child makes of it, is decided elsewhere.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from bot.student.rarity import Groups, Rarity
from bot.student.records.dialogue import Stage
from bot.student.records.lesson import Lesson, Misconception
from bot.student.said import PLAIN_STEMS, stems

CUE_WORD = 0.2
"""What each word of a cue adds to a fit; likeness and coverage reach 1 each."""
CUE_WORDS = 4
"""Cue words that count, at most."""
EMPTY = 0.9
"""What being just like an empty phrase takes off."""
ELSEWHERE = 0.5
"""What each point by which another lesson fits better takes off. Fitted with `CUE_WORD`
by logistic regression, as round numbers, on the development turns and the lessons' own examples."""

SMOOTH = 6.0
"""Weight of a word that no lesson knows, added to every turn: one word in common proves little."""
IN_DOUBT = 0.3
"""What the idea on the table has ahead of the lesson's other ideas."""

# Words that teachers use for one another when they help: any of a line stands for all of it.
_SAME = {
    word: stems(line)[0]
    for line in (
        "block cube counter tile chip bead token",
        "trade swap exchange regroup unbundle",
        "draw sketch picture",
        "imagine pretend suppose",
        "hop jump leap",
        "scale balance seesaw weigh",
        "slide move push scoot shift",
        "lens magnify magnifying microscope",
        "cover hide",
        "kid child friend",
        "happen occur",
        "big huge giant large",
        "small tiny little teeny",
        "spin turn rotate",
        "start begin beginning",
        "end stop finish",
        "match same alike equal",
        "pair partner buddy",
        "detective clue hint",
        "shop store",
    )
    for word in stems(line)
}


@dataclass(frozen=True, slots=True)
class Match:
    """The idea that a turn fits best. `score`: 0 is no help at all, 1 is a fair paraphrase of an example."""

    misconception: str
    score: float


@dataclass(frozen=True, slots=True)
class _Idea:
    helps: tuple[frozenset[str], ...]
    looks_helpful: tuple[frozenset[str], ...]
    words: frozenset[str]
    wrong: tuple[frozenset[str], ...]


class Helps:
    """The help that all lessons know, with the weight of every word. Built once: it reads every lesson."""

    def __init__(self, lessons: Iterable[Lesson]) -> None:
        self._ideas: dict[str, _Idea] = {}
        self._cues: dict[tuple[str, ...], set[str]] = {}
        self._topics: dict[str, frozenset[str]] = {}
        texts: list[frozenset[str]] = []
        for lesson in lessons:
            asks = [telling(ask) for ask in _asks(lesson)]
            for misconception in lesson.misconceptions:
                idea = self._ideas[misconception.id] = _read(misconception)
                for cue in misconception.cues:
                    self._cues.setdefault(tuple(_alike(cue)), set()).add(misconception.id)
                asks += [*idea.helps, *idea.looks_helpful]
            texts += asks
            self._topics[lesson.id] = frozenset().union(
                *asks, *map(telling, (lesson.title, lesson.objective, *lesson.skills, *lesson.words))
            )
        self._rarity = Rarity(texts, unseen=1)
        self._helps = Groups(self._rarity, {name: idea.helps for name, idea in self._ideas.items()})
        self._having: defaultdict[str, list[str]] = defaultdict(list)
        for name, idea in self._ideas.items():
            for word in idea.words:
                self._having[word].append(name)
        self._longest = max(map(len, self._cues), default=0)

    def best(self, text: str, ideas: Iterable[str], held: Iterable[str] = ()) -> Match | None:
        """Of `ideas`, the one whose help `text` is most like, in doubt one that is `held`; None of none."""
        fits = self._fits(text)
        ours = {name: fits.get(name, 0.0) for name in ideas if name in self._ideas}
        if not ours:
            return None
        favoured = frozenset(held)
        name = max(ours, key=lambda each: ours[each] + IN_DOUBT * (each in favoured))
        elsewhere = max((fit for other, fit in fits.items() if other not in ours), default=0.0)
        return Match(
            name, ours[name] - EMPTY * self.empty(text, ours) - ELSEWHERE * max(0.0, elsewhere - ours[name])
        )

    def empty(self, text: str, ideas: Iterable[str]) -> float:
        """How much `text` is like what only sounds helpful, from 0 to 1."""
        words = telling(text)
        known = (self._ideas[name] for name in ideas if name in self._ideas)
        return max(
            (self._rarity.likeness(words, example) for idea in known for example in idea.looks_helpful),
            default=0.0,
        )

    def wrong(self, text: str, idea: str) -> float:
        """How much `text` is like the wrong idea itself: its belief, and what children say who hold it; 0 to 1."""
        words, known = telling(text), self._ideas.get(idea)
        return (
            max((self._rarity.likeness(words, each) for each in known.wrong), default=0.0) if known else 0.0
        )

    def alike(self, text: str, other: str) -> float:
        """How alike two texts are by their rare words, from 0 to 1."""
        return self._rarity.likeness(telling(text), telling(other))

    def on_topic(self, text: str, lesson: str) -> bool:
        """Whether any telling word of `text` belongs to that lesson."""
        return bool(telling(text) & self._topics.get(lesson, frozenset()))

    def shared(self, text: str, other: str) -> float:
        """The share of what `text` tells that `other` tells too, from 0 to 1."""
        words = telling(text)
        return self._rarity.weight(words & telling(other)) / self._rarity.weight(words) if words else 0.0

    def _fits(self, text: str) -> dict[str, float]:
        """How `text` fits each idea that it shares a word with: by likeness, words covered, and cues."""
        words, cues = telling(text), self._cues_in(text)
        like, known = self._helps.likeness(words), self._rarity.weight(words) + SMOOTH
        covered: defaultdict[str, float] = defaultdict(float)
        for word in words & self._having.keys():
            for name in self._having[word]:
                covered[name] += self._rarity.weight((word,))
        return {
            name: like.get(name, 0.0) + weight / known + CUE_WORD * min(cues[name], CUE_WORDS)
            for name, weight in covered.items()
        }

    def _cues_in(self, text: str) -> Counter[str]:
        """By idea, the number of words of its cues that `text` has, as whole phrases."""
        words = _alike(text)
        found: Counter[str] = Counter()
        for size in range(1, self._longest + 1):
            for start in range(len(words) - size + 1):
                for name in self._cues.get(tuple(words[start : start + size]), ()):
                    found[name] += size
        return found


def telling(text: str) -> frozenset[str]:
    """The words of `text` that tell what it is about, each as the first of its kind; no digits."""
    return frozenset(_alike(text)) - PLAIN_STEMS


def _alike(text: str) -> list[str]:
    return [_SAME.get(word, word) for word in stems(text)]


def _asks(lesson: Lesson) -> list[str]:
    return [*lesson.asks, *(question.ask for question in (*lesson.questions, *lesson.neighbours))]


def _read(misconception: Misconception) -> _Idea:
    says = (
        line for stage in (Stage.WAVERS, Stage.REVISES, Stage.SECURE) for line in misconception.says[stage]
    )
    texts = (*misconception.helps, *misconception.cues, *misconception.understanding, *says)
    return _Idea(
        tuple(map(telling, misconception.helps)),
        tuple(map(telling, misconception.looks_helpful)),
        frozenset().union(*map(telling, texts)),
        tuple(map(telling, (misconception.belief, *misconception.says[Stage.HOLDS]))),
    )
