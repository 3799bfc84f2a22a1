"""What any second grader knows of everyday things: how they are, what they do, which is bigger.

It reads `data/reference/everyday.toml` and `words.toml` once and answers from them; what it does not find there
it does not know. It knows nothing of lessons or of the child: an idea that is practised goes first in `hearing`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

from pydantic import Field

from bot.student.records.files import REFERENCE
from bot.student.records.reading import DataError, Text, Texts, every, read_toml

Answers = tuple[str, ...]
"""What the child says, then other ways to be right."""

_ARTICLE = re.compile(
    r"^(?:(?:a|an|the|your|my|our|some|this|that|these|those|one|real|big|most|all|normal"
    r"|it|of|to|word|on|in|at|by) )+"
)
_TWO_WAYS = re.compile(r"[\s-]+")


def single(phrase: str) -> str:
    """A thing's name without article and plural: "the ice cubes" is "ice cube"."""
    phrase = _ARTICLE.sub("", _TWO_WAYS.sub(" ", phrase.strip().strip("'\".,:;?!")))
    phrase = _words().one_of_many.get(phrase, phrase)
    if len(phrase) > 4 and phrase.endswith("ies"):  # noqa: PLR2004 - ties are no plural of ty
        return phrase[:-3] + "y"
    if re.search(r"(?:ch|sh|x|ss|zz|to)es$", phrase):
        return phrase[:-2]
    return phrase[:-1] if len(phrase) > 2 and phrase[-1] == "s" and phrase[-2] != "s" else phrase  # noqa: PLR2004


@dataclass(frozen=True, slots=True)
class Words:
    """`words.toml`: rhymes, forms of words, and facts by the words that ask for them."""

    rhymes: tuple[tuple[str, ...], ...]
    plurals: Mapping[str, str]
    one_of_many: Mapping[str, str]
    pasts: Mapping[str, str]
    same: Mapping[str, str]
    short: Mapping[str, str]
    claps: Mapping[str, str]
    letter_sounds: Mapping[str, str]
    facts: Mapping[str, str]
    goes: Mapping[str, Answers]


@dataclass(frozen=True, slots=True)
class Things:
    """`everyday.toml`. `true` holds what is true of a thing, adjective, kind or deed; `order` goes from least to
    most; `many` counts parts; `about` is what is said of a thing: its colour, young, sound, home, food, gifts."""

    true: Mapping[str, Mapping[str, str]]
    order: Mapping[str, tuple[str, ...]]
    opposites: Mapping[str, Answers]
    many: Mapping[str, Mapping[str, str]]
    about: Mapping[str, Mapping[str, Answers]]
    mixed: Mapping[frozenset[str], str]


def _listed(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]


def _pairs(text: str) -> dict[str, str]:
    """Said "cow moo, hen cluck" by the first word."""
    return {one: other for one, _, other in (each.partition(" ") for each in _listed(text))}


def _last_pairs(text: str) -> dict[str, str]:
    """Said "polar bear 4" by all but the last word."""
    return {one: other for one, _, other in (each.rpartition(" ") for each in _listed(text))}


_Rows = dict[str, Text]
_Pairs = Annotated[_Rows, every(("pairs",))]
_Of = Annotated[_Rows, every(("of",))]


@dataclass(frozen=True, slots=True)
class _WordsFile:
    """The tables of `words.toml`."""

    rhymes: Texts
    plurals: Text
    pasts: Text
    same: Text
    short: Text
    claps: Text
    letter_sounds: Text
    facts: _Rows
    goes: _Rows


@dataclass(frozen=True, slots=True)
class _ThingsFile:
    """The tables of `everyday.toml`."""

    is_: Annotated[_Rows, Field(alias="is")]
    does: _Rows
    order: _Rows
    opposites: _Pairs
    many: _Rows
    baby: Annotated[_Rows, every(("young",))]
    sound: Annotated[_Rows, every(("says",))]
    home: _Of
    eats: _Of
    gives: _Of
    color: _Rows
    mix: _Pairs


@lru_cache(maxsize=1)
def _words() -> Words:
    table = read_toml(_WordsFile, REFERENCE / "words.toml")
    plurals = _last_pairs(table.plurals)
    return Words(
        rhymes=tuple(tuple(dict.fromkeys(line.lower().split())) for line in table.rhymes),
        plurals=plurals,
        one_of_many={many: one for one, many in plurals.items() if many != one},
        pasts=_pairs(table.pasts),
        same=_pairs(table.same),
        short=_last_pairs(table.short.lower()),
        claps=_last_pairs(table.claps.lower()),
        letter_sounds=_pairs(table.letter_sounds),
        facts=table.facts,
        goes={name: tuple(_listed(text)) for name, text in table.goes.items()},
    )


@lru_cache(maxsize=1)
def _things() -> Things:
    table = read_toml(_ThingsFile, REFERENCE / "everyday.toml")
    true = {
        single(name): {single(each.lower()): each for each in _listed(text)}
        for section in (table.is_, table.does)
        for name, text in section.items()
    }
    opposites: dict[str, Answers] = {}
    for pair in _listed(table.opposites["pairs"]):
        one, _, other = pair.partition(" ")
        opposites[one] = (*opposites.get(one, ()), other)
        opposites[other] = (*opposites.get(other, ()), one)
    opposites |= {"alive": ("not alive", "dead"), "not alive": ("alive",), "living": ("not living",)}
    colours: dict[str, Answers] = {}
    for colour, text in table.color.items():
        for thing in map(single, _listed(text)):
            colours[thing] = (*colours.get(thing, ()), colour)
    mixed = {
        frozenset((one, other)): both
        for one, other, both in (each.split() for each in _listed(table.mix["pairs"]))
    }
    return Things(
        true=true,
        order={name: tuple(map(single, _listed(text))) for name, text in table.order.items()},
        opposites=opposites,
        many={
            part: {single(of): count for of, count in _last_pairs(text).items()}
            for part, text in table.many.items()
        },
        about={
            "baby": _things_said(table.baby["young"]),
            "sound": _things_said(table.sound["says"]),
            "home": _things_said(table.home["of"]),
            "eats": _things_said(table.eats["of"]),
            "gives": _things_said(table.gives["of"]),
            "color": colours,
        },
        mixed=mixed,
    )


def _things_said(text: str) -> dict[str, Answers]:
    """Said "fish water|the ocean, polar bear ice": the thing is as many words as are known to come before."""
    found: dict[str, Answers] = {}
    for each in _listed(text):
        first, *others = each.split("|")
        words = first.split()
        names = 2 if " ".join(words[:2]) in _TWO_WORDS else 1
        found[single(" ".join(words[:names]))] = (" ".join(words[names:]), *others)
    return found


_TWO_WORDS = frozenset({"polar bear", "hermit crab", "apple tree", "orange tree"})


@lru_cache(maxsize=1)
def known_things() -> frozenset[str]:
    """Every thing that the tables know something of."""
    things = _things()
    found = {each for true in things.true.values() for each in true}
    for many in (*things.order.values(), *things.about.values()):
        found.update(many)
    return frozenset(found)


def words() -> Words:
    """The table of words, read once; raise `DataError`."""
    return _words()


def things() -> Things:
    """The table of things, read once; raise `DataError`."""
    return _things()


_ALIKE = {
    "little": "little",
    "small": "little",
    "tiny": "little",
    "large": "big",
    "huge": "big",
    "quick": "fast",
    "warm": "hot",
    "cool": "cold",
    "chilly": "cold",
    "noisy": "loud",
    "living": "alive",
    "living thing": "alive",
    "a living thing": "alive",
    "nonliving": "not alive",
    "nonliving thing": "not alive",
    "not living": "not alive",
    "non living": "not alive",
    "dead": "not alive",
    "colour": "color",
    "fuzzy": "furry",
    "make believe": "pretend",
    "fluffy": "soft",
    "clear": "see through",
    "see thru": "see through",
    "transparent": "see through",
    "high": "tall",
    "quickly": "fast",
    "slowly": "slow",
    "alive or": "alive",
    "weigh": "heavy",
    "naming word": "noun",
    "action word": "verb",
    "weekday": "school day",
    "bicycle": "bike",
    "has fur": "have fur",
    "fur": "have fur",
    "feather": "have feather",
    "scale": "have scale",
    "wing": "have wing",
    "not real": "pretend",
    "fake": "pretend",
    "describing word": "adjective",
    "walk": "live on land",
    "kid toy": "toy",
}


def property_of(phrase: str) -> str | None:
    """The property that `phrase` names, as the table has it."""
    name = single(phrase)
    for each in (name, _ALIKE.get(name, ""), _ALIKE.get(phrase.strip(), "")):
        key = single(each) if each else ""
        if key and _things().true.get(key):
            return key
    return None


def has(thing: str, property_: str) -> bool | None:
    """Whether it is true of the thing; None where the tables do not say."""
    table, name = _things(), single(thing)
    for each in (name, name.rsplit(" ", 1)[-1]):
        if each in table.true.get(property_, ()):
            return True
        against = [single(other) for other in table.opposites.get(property_, ())]
        if any(each in table.true.get(other, ()) for other in against):
            return False
    return None


def is_kind(property_: str) -> bool:
    """Whether it names a kind of thing or a deed, of which the tables know all that matter."""
    return property_ in _KINDS or property_.startswith("have ") or property_ in _DEEDS


_KINDS = frozenset(
    "animal plant bird bug insect pet fruit vegetable food drink color shape toy vehicle"
    " noun verb vowel consonant day "
    "month season meal mammal reptile coin pretend solid liquid".split()
)
_DEEDS = frozenset("fly swim bark hop slither talk".split())

Reader = Callable[[str, str], Answers | None]
"""From the question and all that was said with it, both in small letters, to the answers."""


def first(readers: Iterable[Reader], ask: str, scope: str) -> Answers | None:
    """The first of `readers` that knows."""
    for reader in readers:
        found = reader(ask, scope)
        if found:
            return found
    return None


__all__ = ["REFERENCE", "Answers", "DataError", "Reader", "first", "has", "is_kind", "known_things", "property_of",
           "single", "things", "words"]  # fmt: skip
