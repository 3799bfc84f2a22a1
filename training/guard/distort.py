"""Lines spelled evasively, as people spell what they think a filter would catch: seeded, for training and measuring.

What the guard makes of such spellings is `bot.student.guard.disguise`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

_SIGNS = {"o": "0", "i": "1!", "e": "3", "a": "4@", "s": "5$", "t": "7", "l": "1"}
_VOWEL = re.compile(r"(?<=\w)[aeiou](?=\w)")


def _signs(word: str, rng: random.Random) -> str:
    places = [place for place, letter in enumerate(word) if letter in _SIGNS]
    chosen = set(rng.sample(places, min(len(places), rng.choice((1, 1, 2)))))
    return "".join(rng.choice(_SIGNS[each]) if place in chosen else each for place, each in enumerate(word))


def _spaced(word: str, rng: random.Random) -> str:
    return rng.choice((" ", " ", ".", "-", "*")).join(word)


def _drawn_out(word: str, rng: random.Random) -> str:
    place = rng.randrange(len(word))
    return word[:place] + word[place] * rng.choice((2, 3, 4)) + word[place + 1 :]


def _cut(word: str, rng: random.Random) -> str:
    place = rng.randrange(1, len(word))
    return word[:place] + rng.choice((" ", " ", ".", "-", "_")) + word[place:]


def _starred(word: str, rng: random.Random) -> str:
    place = rng.randrange(1, len(word) - 1)
    return f"{word[:place]}*{word[place + 1 :]}"


def _hurried(word: str, rng: random.Random) -> str:
    if rng.random() < 0.5:  # noqa: PLR2004 - a vowel left out, or two letters swapped
        return _VOWEL.sub("", word, count=1)
    place = rng.randrange(1, len(word) - 1)
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


_WAYS: tuple[Callable[[str, random.Random], str], ...] = (
    _signs, _signs, _spaced, _drawn_out, _cut, _starred, _hurried, _hurried,
)  # fmt: skip
_LEAST = 3


def distorted(text: str, rng: random.Random) -> str:
    """`text` in small letters with one to three of its longer words spelled evasively."""
    words = re.sub(r"[.,!]+$", "", text.lower()).split()
    places = [place for place, word in enumerate(words) if len(word) >= _LEAST and word.isalpha()]
    longest = sorted(places, key=lambda place: -len(words[place]) - 2 * rng.random())
    for place in longest[: rng.choice((1, 2, 3))]:
        words[place] = rng.choice(_WAYS)(words[place], rng)
    return " ".join(words)
