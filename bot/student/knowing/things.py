"""Which thing, how many, what colour: open questions about everyday things.

From everyday tables alone; None where they do not tell.
"""

from __future__ import annotations

import re
from functools import lru_cache

from bot.student.knowing.question import Question, asks
from bot.student.knowing.tables import Answers, colors, has, property_of, single, things, words
from bot.student.numbers import say
from bot.student.said import content_words, singular


@asks(r"\bcolor (?:is|are) ([\w' -]+)$")
def colour(asked: re.Match[str]) -> Answers | None:
    """What color is the sun?"""
    return colors(asked[1]) or None


@asks(r"\bhow many (\w+) ([^,]+?)(?: (?:have|worth))?(?:,|$)")
def how_many(asked: re.Match[str]) -> Answers | None:
    """How many legs does an ant have? How many minutes are in an hour?"""
    counts = things().many.get(single(asked[1]), {})
    found = [thing for thing in counts if f" {singular(asked[2])}".endswith(f" {thing}")]
    if asked[2] == "are there" and len(counts) == 1:
        found = list(counts)
    count = counts[max(found, key=len)] if found else None
    return None if count is None else (str(count), say(count))


def _said(what: str, phrase: str) -> Answers | None:
    table, thing = things().about[what], single(phrase)
    return table.get(thing) or table.get(thing.rsplit(" ", 1)[-1])


@asks(r"\b(\w+?)s? (?:when it )?grows? up\b")
def grown(asked: re.Match[str]) -> Answers | None:
    """What is a puppy when it grows up?"""
    return next(((one,) for one, young in things().about["baby"].items() if young[0] == asked[1]), None)


@asks(r"\bwhat do ([\w -]+?) eat$")
def eats(asked: re.Match[str]) -> Answers | None:
    """What do rabbits eat?"""
    return _said("eats", asked[1])


@asks(r"\bbaby ([\w -]+)$")
def young(asked: re.Match[str]) -> Answers | None:
    """What do you call a baby cat?"""
    return _said("baby", asked[1])


@asks(r"\bwhere (?:do|does) ([\w -]+?)(?: live)?$")
def lives(asked: re.Match[str]) -> Answers | None:
    """Where does a bird live?"""
    return _said("home", asked[1])


@asks(r"\bwhat do ([\w -]+?) give us\b")
def gives(asked: re.Match[str]) -> Answers | None:
    """What do cows give us to drink?"""
    return _said("gives", asked[1])


def _of_whom(what: str, said: str) -> Answers | None:
    return next(
        ((thing,) for thing, those in things().about[what].items() if said in " ".join(those).split()), None
    )


@asks(r"\banimal says ['\"]?([a-z-]+)['\"]?$")
def who_says(asked: re.Match[str]) -> Answers | None:
    """Which animal says quack?"""
    return _of_whom("sound", asked[1])


@asks(r"\banimal lives in (?:an? |the )?(\w+)$")
def who_lives(asked: re.Match[str]) -> Answers | None:
    """What animal lives in a hive?"""
    return _of_whom("home", asked[1])


@asks(r"\bname (an?|one|three) (?:of the (?:\w+ )?)?([a-z ]+?)(?: that .*?(\w+))?$")
def name_one(asked: re.Match[str]) -> Answers | None:
    """Name an animal that can fly. Name three colors. Name one of the four seasons."""
    property_, also = property_of(asked[2]), property_of(asked[3] or "")
    if property_ is None:
        return None
    fitting = [said for thing, said in things().true[property_].items() if also is None or has(thing, also)]
    return (", ".join(fitting[: 3 if asked[1] == "three" else 1]), *fitting) if fitting else None


MOST_WORDS = 18
"""A question of a plain fact is no longer."""


def key_words(question: Question) -> Answers | None:
    """The fact whose words are all asked for; of several the one with most words."""
    if len(question.ask.split()) > MOST_WORDS:
        return None
    asked = content_words(question.ask)
    best = max(
        (key for key in _facts() if key <= asked), key=lambda key: (len(key), sorted(key)), default=None
    )
    return _facts()[best] if best is not None else None


@lru_cache(maxsize=1)
def _facts() -> dict[frozenset[str], Answers]:
    return {content_words(key): answers for key, answers in words().facts.items()}
