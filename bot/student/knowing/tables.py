"""The tables behind the readers: words and their forms, things and what is true of them.

`data/reference/words.toml` and `everyday.toml`, read once; what does not stand there is not known. No wording of a
question is known here, no lesson and no child: an idea that is practised goes first in `hearing`.
"""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from bot.student.records.files import REFERENCE
from bot.student.records.reading import read_toml
from bot.student.said import singular

Answers = tuple[str, ...]
"""What the child says, then other ways to be right."""

_ARTICLE = re.compile(r"^(?:(?:an?|the|your|my|one|real|it) )+")


def single(phrase: str) -> str:
    """A thing's name without article and plural: "the ice cubes" is "ice cube"."""
    phrase = _ARTICLE.sub("", phrase.strip(" '\".,:;?!").replace("-", " "))
    return singular(words().one_of_many.get(phrase, phrase))


def _listed(text: Any) -> Any:
    """Said "dog, cat"; anything else is for pydantic to complain of."""
    return text.split(", ") if isinstance(text, str) else text


def _by_name(names: list[str]) -> dict[str, str]:
    return {single(each.lower()): each for each in names}


def _both_ways(pairs: list[str]) -> dict[str, Answers]:
    found: dict[str, Answers] = {}
    for one, _, other in (pair.partition(" ") for pair in pairs):
        found[one] = (*found.get(one, ()), other)
        found[other] = (*found.get(other, ()), one)
    return found


Listed = Annotated[Answers, BeforeValidator(_listed)]
Name = Annotated[str, AfterValidator(single)]
Names = Annotated[tuple[Name, ...], BeforeValidator(_listed)]


class Words(BaseModel):
    """`words.toml`: `rhymes` are words that sound alike at the end; of `facts` all words of a key are asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rhymes: tuple[Listed, ...]
    plurals: dict[str, str]
    pasts: dict[str, str]
    same: dict[str, str]
    short: dict[str, str]
    letter_sounds: dict[str, str]
    facts: dict[str, Listed]
    goes: dict[str, Listed]

    @cached_property
    def one_of_many(self) -> dict[str, str]:
        """One of it by its irregular plural."""
        return {many: one for one, many in self.plurals.items() if many != one}


class Things(BaseModel):
    """`everyday.toml`. `true` holds what is true of a thing, adjective, kind or deed: of the `closed` ones all that
    matter, and `alike` are other words for some; `order` goes from least to most; `many` counts parts; `about` is what
    is said of a thing: its young, sound, home, food, gifts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    alike: dict[str, str]
    closed: Listed
    true: dict[Name, Annotated[dict[str, str], BeforeValidator(_by_name), BeforeValidator(_listed)]]
    order: dict[str, Names]
    opposites: Annotated[dict[str, Answers], BeforeValidator(_both_ways), BeforeValidator(_listed)]
    many: dict[str, dict[Name, int]]
    about: dict[str, dict[Name, Listed]]
    color: dict[str, Names]


@lru_cache(maxsize=1)
def words() -> Words:
    """The table of words; raise `DataError`."""
    return read_toml(Words, REFERENCE / "words.toml")


@lru_cache(maxsize=1)
def things() -> Things:
    """The table of things; raise `DataError`."""
    return read_toml(Things, REFERENCE / "everyday.toml")


@lru_cache(maxsize=1)
def known_things() -> frozenset[str]:
    """Every thing that the tables know something of."""
    table = things()
    return frozenset().union(
        *table.true.values(), *table.order.values(), *table.about.values(), *table.color.values()
    )


def colors(thing: str) -> Answers:
    """The colours that it has, the likeliest first."""
    return tuple(color for color, those in things().color.items() if single(thing) in those)


def property_of(phrase: str) -> str | None:
    """The property that `phrase` names, as the table has it."""
    name = single(phrase)
    name = things().alike.get(name, name)
    return name if name in things().true else None


def has(thing: str, property_: str) -> bool | None:
    """Whether it is true of the thing; None where the tables do not say."""
    table, name = things(), single(thing)
    for each in (name, name.rsplit(" ", 1)[-1]):
        if each in table.true.get(property_, ()):
            return True
        against = [single(other) for other in table.opposites.get(property_, ())]
        if any(each in table.true.get(other, ()) for other in against):
            return False
    return None
