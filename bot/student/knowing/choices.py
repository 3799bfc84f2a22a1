"""This or that, yes or no: of two things the one that is meant, which is bigger, is it so?

From the tables alone; None where they do not tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.student.knowing.question import WORD, Question, asks
from bot.student.knowing.tables import (
    Answers,
    colors,
    has,
    known_things,
    property_of,
    single,
    things,
    words,
)

_SCALES = {
    "big": ("bigger", "smaller"),
    "heavy": ("heavier", "lighter"),
    "fast": ("faster", "slower"),
    "hot": ("hotter", "colder"),
    "long": ("longer", "shorter"),
    "worth": ("worth more", "worth less"),
}
"""By the scale of `everyday.toml` the words for more and for less of it."""
_COMPARED = {word: (scale, word == more) for scale, (more, less) in _SCALES.items() for word in (more, less)}
_COMPARES = f"({'|'.join(_COMPARED)})"
_YES, _NO = ("yes", "yeah"), ("no", "nope")


@asks(r"^(.*?),? or (.+)$")
def either_or(asked: re.Match[str]) -> Answers | None:
    """Is ice hard or soft? Of the things named with "or", the one that is meant."""
    before, other = asked.groups()
    if other == "not":
        return _yes_or_no(before)
    return next(
        (found for way in (_more, _which, _is_it, _rhymes, _goes) if (found := way(before, other))), None
    )


def _options(before: str, other: str) -> tuple[str, list[str]]:
    """What is asked, and the things to choose from, behind marks or in the last word."""
    head, *listed = re.split(r"[,:?] ", before)
    if not listed:
        head, _, last = before.rpartition(" ")
        listed = [last]
    return head, [each.strip("'\"") for each in (*listed, other)]


def _named(option: str) -> Answers:
    return tuple(dict.fromkeys((option, single(option))))


def _more(before: str, other: str) -> Answers | None:
    """Which is heavier, a feather or a brick?"""
    word = re.search(rf"\b{_COMPARES}\b", before)
    return _most(word[1], _options(before, other)[1]) if word else None


def _most(word: str, options: list[str]) -> Answers | None:
    scale, more = _COMPARED[word]
    order, names = things().order[scale], [single(each) for each in options]
    if not set(names) <= set(order):
        return None
    best = (max if more else min)(range(len(names)), key=lambda at: order.index(names[at]))
    return _named(options[best])


def _which(before: str, other: str) -> Answers | None:
    """Which shape is round, a circle or a square? What comes out at night, the sun or the moon?"""
    head, options = _options(before, other)
    if not re.match(r"(?:which|what)\b", head):
        return None
    property_ = next((found for _, tail in _cuts(head) if (found := property_of(tail))), None)
    if property_ is None:
        return None
    holds = [has(each, property_) for each in options]
    return _named(options[holds.index(True)]) if holds.count(True) == 1 else None


def _cuts(text: str) -> Iterator[tuple[str, str]]:
    """Every way to cut `text` in two between words, the shortest beginning first."""
    parts = text.split()
    return ((" ".join(parts[:cut]), " ".join(parts[cut:])) for cut in range(1, len(parts)))


def _is_it(before: str, other: str) -> Answers | None:
    """Is ice hard or soft? Does a rock sink or float? Is the sky blue or green?"""
    asked = re.search(r"^(?:is|does|do|did|can) (.+)$", before)
    for thing, one in _cuts(asked[1]) if asked else ():
        if single(thing) in known_things() and (found := _one_of(thing, one, other)):
            return found
    return None


def _one_of(thing: str, one: str, other: str) -> Answers | None:
    for option, against in ((one, other), (other, one)):
        if option in colors(thing):
            return (option,)
        mine, others = property_of(option), property_of(against)
        if mine and has(thing, mine) and not (others and has(thing, others)):
            return _named(option)
    return None


def _rhymes(before: str, other: str) -> Answers | None:
    """Which rhymes with cake: lake or milk?"""
    head, options = _options(before, other)
    asked = re.search(rf"\brhymes with {WORD}", head)
    return next(((each,) for each in options if asked and _rhyme(asked[1], each)), None)


def _rhyme(one: str, other: str) -> bool:
    return any(one in line and other in line for line in words().rhymes)


_AT = r"(?:in|on|from) (?:the )?"


def _goes(before: str, other: str) -> Answers | None:
    """Is breakfast in the morning or at night? By what goes with each."""
    asked = re.search(rf"^(.*?)((?:{_AT})?[\w']+)$", before)
    if asked is None:
        return None
    hits = {}
    for option in (asked[2], other):
        bare = re.sub(rf"^(?:{_AT}|the )", "", option)
        belonging = words().goes.get(bare, words().goes.get(single(bare), ()))
        hits[option] = sum(bool(re.search(rf"\b{each}", asked[1])) for each in belonging)
    if len(set(hits.values())) == 1:
        return None
    option = max(hits, key=hits.__getitem__)
    return tuple(dict.fromkeys((option, re.sub(rf"^(?:{_AT}|the )", "", option))))


def yes_or_no(question: Question) -> Answers | None:
    """Is fire hot? Can a penguin fly? Is an elephant bigger than a cat? Do moon and spoon rhyme?"""
    return None if " or " in question.ask else _yes_or_no(question.ask)


def _yes_or_no(ask: str) -> Answers | None:
    held = next((held for way in (_do_rhyme, _than, _so) if (held := way(ask)) is not None), None)
    return None if held is None else (_YES if held else _NO)


def _do_rhyme(ask: str) -> bool | None:
    pair = re.search(rf"\bdo(?:es)? {WORD} (?:and {WORD} rhyme|rhyme with {WORD})$", ask)
    return _rhyme(pair[1], pair[2] or pair[3]) if pair else None


def _than(ask: str) -> bool | None:
    pair = re.search(rf"^is (.+?) {_COMPARES} than (.+)$", ask)
    best = _most(pair[2], [pair[1], pair[3]]) if pair else None
    return best[0] == pair[1] if pair and best else None


def _so(ask: str) -> bool | None:
    verb, _, rest = ask.partition(" ")
    if verb not in {"is", "are", "can", "do"}:
        return None
    for thing, phrase in _cuts(rest):
        property_ = property_of(phrase)
        if property_ is not None and single(thing) in known_things():
            # Of a closed kind all that matter are listed.
            sure = property_ in things().closed and (verb in {"is", "are"} or has(thing, "animal"))
            held = has(thing, property_)
            return False if held is None and sure else held
    return None
