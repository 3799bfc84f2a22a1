"""Questions with the choice in them: this or that, which is bigger, is it so?

From everyday tables alone; None where they do not tell. It reads words and decides nothing of what a child believes.
"""

from __future__ import annotations

import re

from bot.student.knowing.everyday import (
    Answers,
    has,
    is_kind,
    known_things,
    property_of,
    single,
    things,
    words,
)

_MORE = {
    "bigger": ("big", 1),
    "larger": ("big", 1),
    "biggest": ("big", 1),
    "smaller": ("big", -1),
    "littler": ("big", -1),
    "tinier": ("big", -1),
    "smallest": ("big", -1),
    "largest": ("big", 1),
    "heavier": ("heavy", 1),
    "heaviest": ("heavy", 1),
    "weighs more": ("heavy", 1),
    "weigh more": ("heavy", 1),
    "weighs less": ("heavy", -1),
    "lighter": ("heavy", -1),
    "lightest": ("heavy", -1),
    "faster": ("fast", 1),
    "fastest": ("fast", 1),
    "quicker": ("fast", 1),
    "slower": ("fast", -1),
    "slowest": ("fast", -1),
    "hotter": ("hot", 1),
    "warmer": ("hot", 1),
    "hottest": ("hot", 1),
    "colder": ("hot", -1),
    "cooler": ("hot", -1),
    "coldest": ("hot", -1),
    "longer": ("long", 1),
    "longest": ("long", 1),
    "taller": ("tall", 1),
    "tallest": ("tall", 1),
    "higher": ("tall", 1),
    "shorter": ("tall", -1),
    "shortest": ("tall", -1),
    "louder": ("loud", 1),
    "loudest": ("loud", 1),
    "quieter": ("loud", -1),
    "older": ("old", 1),
    "younger": ("old", -1),
    "sweeter": ("sweet", 1),
    "farther": ("far", 1),
    "closer": ("far", -1),
    "nearer": ("far", -1),
    "worth more": ("worth", 1),
    "worth less": ("worth", -1),
    "worth the most": ("worth", 1),
    "worth the least": ("worth", -1),
    "takes longer": ("long in time", 1),
}
_COMPARES = re.compile(r"\b(" + "|".join(sorted(_MORE, key=len, reverse=True)) + r")\b")
_OR = re.compile(r"^(?P<before>.*?)\s*,?\s+or\s+(?P<other>.+)$")
_TAIL = re.compile(
    r"(?:,? (?:do you think|would you say|usually|please|to (?:touch|eat|you|hold)|in"
    r" (?:the )?(?:water|your hand|a pool)|when .*"
    r"|if .*|most of the time|at all|now|there|here))+$"
)


def either_or(ask: str, scope: str) -> Answers | None:
    """Of two or three things named with "or", the one that is meant."""
    split = _OR.match(_TAIL.sub("", ask))
    if split is None:
        return None
    before, other = split["before"], split["other"]
    if re.fullmatch(r"not|isn't|no|isn't it|can't|doesn't", other):
        return yes_or_no(before, scope)
    return (
        _compared(before, other)
        or _which_has(before, other)
        or _is_it(before, other)
        or _by_word(before, other)
        or _belongs(before, other)
    )


def _options(before: str, other: str) -> tuple[str, list[str]]:
    """What is asked, and the two or three things to choose from."""
    if re.search(r"[,:;?] ", before):
        head, *listed = re.split(r"\s*[,:;?]\s+", before)
        return head, [*listed, other]
    # Without a comma: "which is heavier a feather or a brick".
    match = re.match(r"(.*) ((?:an?|the) [\w' -]+|[\w'-]+)$", before)
    return (match[1], [match[2], other]) if match else (before, [other])


def _compared(before: str, other: str) -> Answers | None:
    word = _COMPARES.search(before)
    if word is None:
        return None
    _, options = _options(before, other)
    return _most(word[1], options)


def _most(word: str, options: list[str]) -> Answers | None:
    scale, sign = _MORE[word]
    names = [re.sub(r"^or ", "", each) for each in options if each.strip()]
    for each in dict.fromkeys(
        (scale, *(("tall", "long", "big") if scale in {"tall", "long", "heavy"} else ()))
    ):
        order = things().order[each]
        places = [_place(order, name) for name in names]
        if all(place is not None for place in places) and len(set(places)) > 1:
            best = max(range(len(names)), key=lambda at: sign * (places[at] or 0))
            return _named(names[best])
    property_ = scale if sign > 0 else next(iter(things().opposites.get(scale, ("",))))
    fitting = [name for name in names if has(name, property_)]
    return _named(fitting[0]) if len(fitting) == 1 else None


def _place(order: tuple[str, ...], name: str) -> int | None:
    thing = single(name)
    for each in (thing, thing.rsplit(" ", 1)[-1]):
        if each in order:
            return order.index(each)
    return None


def _named(option: str) -> Answers:
    option = option.strip(" .?!,:'\"")
    return (option, single(option)) if single(option) != option else (option,)


_ASKS_WHICH = re.compile(
    r"^(?:so |ok |and |now )*(?:which|what|who)(?: (?:one|thing|animal|word|of these"
    r"|of them|food|two))*(?:'s| is| are| has| have|"
    r" can| could| would| will| do| does| feels?| tastes?| lives?| goes)?\s*(?P<property>.*)$"
)


def _which_has(before: str, other: str) -> Answers | None:
    """Which can fly, a bird or a dog? Which is a fruit: an apple or a carrot?"""
    head, options = _options(before, other)
    asked = _ASKS_WHICH.match(head)
    if asked is None:
        return None
    text = asked["property"]
    for phrase in (f"have {text}", text, text.rsplit(" ", 1)[-1], re.sub(r"s\b", "", text)):
        property_ = property_of(phrase) if phrase else None
        if property_ is None:
            continue
        holds = [has(each, property_) for each in options]
        if holds.count(True) == 1:
            return _named(options[holds.index(True)])
        if holds.count(False) == len(holds) - 1:
            return _named(next(each for each, held in zip(options, holds, strict=True) if held is not False))
    return None


_IS_IT = re.compile(
    r"^(?:(?:so|ok|now|and|tell me|hmm|well|then|also|if you touch it|,) )*(?:is|are"
    r"|was|do|does|can|will|would|feels?|did)(?: you think)? (?P<rest>.+)$"
)
_SKIP = re.compile(
    r"^(?:(?:usually|more|like|a|an|the|made|mostly|in|at|on|feel|have|has|it|taste|be"
    r"|go|move|considered|called|kind of|made from|made of) )+"
)


def _is_it(before: str, other: str) -> Answers | None:
    """Is ice hard or soft? Does a rock sink or float?"""
    asked = _IS_IT.match(before)
    if asked is None:
        return None
    parts = asked["rest"].replace(",", "").split()
    for cut in range(1, len(parts)):
        thing, one = " ".join(parts[:cut]), " ".join(parts[cut:])
        if single(thing) not in known_things() and single(thing.rsplit(" ", 1)[-1]) not in known_things():
            continue
        thing = re.sub(r" (?:feel|taste|look|usually|mostly|sound|move|go|an?)$", "", thing)
        verb = re.match(r"(have|lay|make|live on|live in)\b", one)
        pairs = ((one, other), (_SKIP.sub("", one), _SKIP.sub("", other)))
        for left, right in (*pairs, *((f"{verb[1]} {a}", f"{verb[1]} {b}") for a, b in pairs[1:] if verb)):
            found = _one_of(thing, left, right)
            if found is not None:
                return found
    return None


def _one_of(thing: str, left: str, right: str) -> Answers | None:
    colours = things().about["color"].get(single(thing), ())
    for option, alternative in ((left, right), (right, left)):
        mine, others = property_of(option), property_of(alternative)
        if option in colours and alternative not in colours:
            return (option,)
        if mine is None:
            continue
        held = has(thing, mine)
        if held and not (others and has(thing, others)):
            return _named(option)
        if held is False and others and has(thing, others) is not False:
            return _named(alternative)
    return None


def _by_word(before: str, other: str) -> Answers | None:
    """Which rhymes with cake: lake or milk? Which starts with b, ball or cat?"""
    head, options = _options(before, other)
    options = [each.strip("'\" ") for each in options]
    if asked := re.search(
        r"\b(?:rhymes?|sounds like|rhyme) (?:with|like) (?:the word )?['\"]?([a-z]+)", head
    ):
        fitting = [each for each in options if rhymes(asked[1], each)]
    elif asked := re.search(
        r"\b(start|begin|end)s? with (?:an? |the )?(?:letter |sound )?['\"]?([a-z]+)", head
    ):
        edge = str.endswith if asked[1] == "end" else str.startswith
        fitting = [each for each in options if edge(single(each), asked[2])]
    else:
        return None
    return (fitting[0],) if len(fitting) == 1 else None


def rhymes(one: str, other: str) -> bool:
    """Whether two words sound alike at the end."""
    one, other = (each.strip("'\"") for each in (one, other))
    return one != other and any(one in line and other in line for line in words().rhymes)


def _belongs(before: str, other: str) -> Answers | None:
    """Is breakfast in the morning or at night? By what goes with each."""
    match = re.match(r"(.*?)((?:(?:in|at|on|by|from|of|with)(?: the| a| an| your)? )?[\w']+)$", before)
    if match is None:
        return None
    goes = words().goes
    hits = []
    for option in (match[2], other):
        topic = re.sub(r"^(?:(?:in|at|on|by|from|of|with|the|a|an|your) )+", "", option)
        belonging = goes.get(topic, goes.get(topic + "s", goes.get(single(topic), ())))
        hits.append(sum(bool(re.search(rf"\b{re.escape(each.rstrip('s'))}", match[1])) for each in belonging))
    if hits[0] == hits[1]:
        return None
    option = match[2] if hits[0] > hits[1] else other
    bare = re.sub(r"^(?:(?:in|at|on|by|from|of|with|the|a|an|your) )+", "", option)
    return tuple(dict.fromkeys((option, bare)))


_YES, _NO = ("yes", "yeah"), ("no", "nope")


def yes_or_no(ask: str, scope: str) -> Answers | None:
    """Is fire hot? Can a penguin fly? Is an elephant bigger than a cat? Do moon and spoon rhyme?"""
    del scope
    ask = _TAIL.sub(
        "",
        re.sub(r"^(?:(?:so|ok|now|and|hmm|well|then|true or false|do you think|would you say),? )+", "", ask),
    )
    if " or " in ask:
        return None
    held = _rhyming(ask)
    if held is None:
        held = _than(ask)
    if held is None:
        held = _so(ask)
    return None if held is None else (_YES if held else _NO)


def _rhyming(ask: str) -> bool | None:
    pair = re.search(
        r"\b(?:do|does|did) (?:the words )?['\"]?([a-z]+)['\"]? (?:and|rhyme with) ['\"]?"
        r"([a-z]+)['\"]?(?: rhyme)?$",
        ask,
    )
    if pair is None or "rhyme" not in ask:
        return None
    return rhymes(pair[1], pair[2])


def _than(ask: str) -> bool | None:
    pair = re.match(
        r"(?:is|are|does|do|can|was) (.+?) (?:go |run |move )?(bigger|smaller|larger|heavier"
        r"|lighter|faster|slower|hotter|colder"
        r"|taller|shorter|longer|louder|older|younger|weigh more|worth more) than (.+)$",
        ask,
    )
    if pair is None:
        return None
    best = _most(pair[2], [pair[1], pair[3]])
    return None if best is None else best[0] == _named(pair[1])[0]


def _so(ask: str) -> bool | None:
    asked = re.match(r"(is|are|can|could|do|does|will) (.+)$", ask)
    if asked is None:
        return None
    parts = asked[2].split()
    for cut in range(1, len(parts)):
        thing, rest = " ".join(parts[:cut]), " ".join(parts[cut:])
        if single(thing) not in known_things():
            continue
        legs = re.fullmatch(r"have (\w+) (\w+)", rest)
        counts = things().many.get(single(legs[2]), {}) if legs else {}
        if legs and single(thing) in counts:
            return counts[single(thing)] == _NUMBERS.get(legs[1], legs[1])
        denied = rest.startswith("not ")
        property_ = property_of(rest) or property_of(_SKIP.sub("", rest))
        if property_ is None:
            colour = _SKIP.sub("", rest)
            colours = things().about["color"].get(single(thing))
            if colours and colour in things().true["color"]:
                return colour in colours
            continue
        held = has(thing, property_)
        if held is None and is_kind(property_) and (asked[1] in {"is", "are"} or has(thing, "animal")):
            held = False
        return held if held is None or not denied or property_.startswith("not") else not held
    return None


_NUMBERS = {"two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "eight": "8", "ten": "10"}
