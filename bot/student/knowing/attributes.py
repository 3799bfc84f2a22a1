"""Open questions about everyday things: its colour, its legs, its home; name one; a fact.

From everyday tables alone; None where they do not tell.
"""

from __future__ import annotations

import re
from functools import lru_cache

from bot.student.knowing.everyday import Answers, has, property_of, single, things, words
from bot.student.said import content_words

_CALLED = r"(?:called|named|for it)"


def colour(ask: str, scope: str) -> Answers | None:
    """What color is grass? What do red and yellow make?"""
    del scope
    named = re.findall(r"\b(red|yellow|blue|white|black)\b", ask)
    if len(set(named)) == 2 and re.search(r"\b(?:mix|make|get|together|and)\b", ask):  # noqa: PLR2004
        both = things().mixed.get(frozenset(named))
        if both and re.search(r"\bcolou?r|\bmix", ask):
            return (both,)
    asked = re.search(
        r"\bcolou?rs? (?:is|are|would|does|do|of)(?: you think)? (?P<thing>[\w' -]+?)(?:"
        r" (?:usually|be|have|most of the time|when .*))?$",
        ask,
    )
    if asked is None:
        asked = re.search(r"\b(?:the )?colou?r of (?P<thing>[\w' -]+)$", ask)
    return _said("color", asked["thing"]) if asked else None


def _said(what: str, phrase: str) -> Answers | None:
    table, thing = things().about[what], single(phrase)
    return table.get(thing) or table.get(thing.rsplit(" ", 1)[-1])


_HAS_MANY = re.compile(
    r"\bhow many (?P<part>\w+)(?: \w+)? (?:(?:do|does|did|are|is|can|will)(?: there)?"
    r" )?(?:you (?:have|see) )?(?:in|on|make up|make|equal|equals|does|do)? ?"
    r"(?P<thing>[\w' -]*?)(?: (?:have|has|equal|worth|get|make|got))?$"
)


def how_many(ask: str, scope: str) -> Answers | None:
    """How many legs does an ant have? How many minutes are in an hour?"""
    del scope
    asked = _HAS_MANY.search(ask)
    if asked is None:
        asked = re.search(
            r"\bhow many (?P<part>\w+) .*\b(?P<thing>you|week|year|hour|day|minute|dozen|nickel"
            r"|dime|quarter|dollar|foot)\b",
            ask,
        )
    if asked is None:
        return None
    counts = things().many.get(single(asked["part"]), {})
    thing = single(re.sub(r"^(?:there |in |on |one |a |an |the |make |are )+", "", asked["thing"]) or "you")
    if thing in {"you", "there", "are there", "all"} and len(counts) == 1:
        thing = next(iter(counts))
    for each in (thing, thing.rsplit(" ", 1)[-1]):
        if each in counts:
            return counts[each], _IN_WORDS.get(counts[each], counts[each])
    return None


_IN_WORDS = {"0": "zero", "1": "one", "2": "two", "3": "three", "4": "four", "5": "five", "6": "six", "7": "seven",
             "8": "eight", "10": "ten", "12": "twelve"}  # fmt: skip


def worth(ask: str, scope: str) -> Answers | None:
    """How much is a dime worth?"""
    del scope
    asked = re.search(
        r"\b(?:how (?:much|many cents) (?:is|are)|what(?:'s| is)) (?:a |an |one )?(penny"
        r"|nickel|dime|quarter|dollar)(?: worth)?$",
        ask,
    )
    if asked is None or not re.search(r"worth|how", ask):
        return None
    cents = things().many["cent"][asked[1]]
    return f"{cents} cents" if cents != "1" else "1 cent", cents


_SOUND = (
    re.compile(r"\b(?:sound|noise) (?:do|does) (?:an? |the )?([\w -]+?) (?:make|say)s?$"),
    re.compile(r"\bwhat (?:do|does) (?:an? |the )?([\w -]+?) (?:say|says)$"),
)
_LIVES = re.compile(
    r"\bwhere (?:do|does|would|might|could|can)(?: you find| we find| you see)? (?:an?"
    r" |the )?([\w -]+?)(?: (?:live|sleep|stay|make (?:its|their) home)s?)?(?: in (?:the"
    r" )?winter| at night)?$"
)
_HOME = re.compile(
    r"\b(?:home of|home for|call(?:ed)? the home of) (?:an? )?([\w ]+)$|\b(?:an? |the )?(\w+)'s? home\b"
)
_EATS = re.compile(
    r"\bwhat (?:(?:kind of )?food )?(?:do|does|would|might|could)(?: you feed)? (?:an?"
    r" |the )?([\w -]+?) (?:like to |love to )?(?:eat|munch on|for food)s?$"
)
_GIVES = re.compile(
    r"\bwhat (?:do(?:es)?|can|food do(?:es)?)(?: we get from)? (?:an? |the )?([\w -]+?)"
    r"(?: (?:give|make|lay|spin|provide)s?(?: (?:us|for us|people))?(?: to (?:drink|eat"
    r"|wear))?)?$|\bwhat (?:do )?we get from (?:an? )?([\w -]+)$"
)
_BABY = re.compile(r"\bbaby ([\w -]+?)(?: is| are)?(?: called| named)?$|\b(?:young|baby) of an? (\w+)$")
_GROWN = re.compile(
    r"\b(?:an? |the )?(puppy|kitten|chick|calf|lamb|foal|cub|tadpole|duckling|piglet"
    r"|fawn|caterpillar)s?\b.*\b(?:grows? (?:up|into)|becomes?|turns? into|be when|adult)\b"
)


def animals(ask: str, scope: str) -> Answers | None:
    """What does it say, where does it live, what does it eat, what are its young called?"""
    del scope
    if grown := _GROWN.search(ask):
        return next(((one,) for one, young in things().about["baby"].items() if young[0] == grown[1]), None)
    for what, patterns in (
        ("sound", _SOUND),
        ("home", (_HOME,)),
        ("eats", (_EATS,)),
        ("baby", (_BABY,)),
        ("home", (_LIVES,)),
        ("gives", (_GIVES,)),
    ):
        for pattern in patterns:
            asked = pattern.search(ask)
            thing = next((each for each in asked.groups() if each), "") if asked else ""
            if thing and (found := _said(what, thing)):
                return found
    return _who_does(ask)


def _who_does(ask: str) -> Answers | None:
    """Which animal says moo? Who lives in a nest?"""
    for what, pattern in (
        ("sound", r"\b(?:says?|goes|makes the sound|makes? a|that goes) ['\"]?([a-z-]+)(?: sound)?['\"]?$"),
        (
            "home",
            r"\b(?:what|who|which)(?: animals?)? (?:might |would |could )?lives? in (?:an? |the )?(\w+)$",
        ),
        ("baby", r"\b(?:an? |the )?(\w+) is (?:a|the) baby (?:what|of what|of which)?"),
    ):
        asked = re.search(pattern, ask)
        if asked is None or not re.search(r"\b(?:what|which|who|name|animal)\b", ask):
            continue
        for thing, said in things().about[what].items():
            if asked[1] in said or any(asked[1] in each.split() for each in said):
                return (thing,)
    return None


_NAME = re.compile(
    r"\b(?:name|tell me|say|think of|give me|list|can you name|tell us|what(?:'s| is)"
    r"(?: the name of)?|give an example of)(?: me)?(?: just)?"
    r" (?P<count>an?|one|two|three|four|2|3|4|any|some|something)\b(?: example of an?)?"
    r"(?: of the (?:\w+ )?(?P<group>\w+)| (?:more )?(?P<kind>[\w' ]+?))?"
    r"(?: (?:that|which|who|you|with)(?: is| are| can| could| has| have| feels?| lives?"
    r"| would| we)? ?(?P<also>[\w' ]+))?$"
)
_COUNTS = {"two": 2, "three": 3, "four": 4, "2": 2, "3": 3, "4": 4}


def name_one(ask: str, scope: str) -> Answers | None:
    """Name a fruit. Tell me three colors. Name an animal that can fly. What is something cold?"""
    del scope
    asked = _NAME.search(ask)
    if asked is None:
        return None
    kind = asked["group"] or asked["kind"] or ""
    kind = re.sub(
        r"^(?:that is|that's|that can|that has|which is|you know is|really|very|kind of) ", "", kind
    )
    property_ = property_of(kind)
    if property_ is None or (
        asked[0].startswith("what") and asked["count"] not in {"something", "one", "some"}
    ):
        property_ = None
    also = _also(asked["also"]) if asked["also"] else None
    if property_ is None and asked["count"] == "something":
        property_ = also or property_of(kind)
    if property_ is None:
        return None
    fitting = [said for thing, said in things().true[property_].items() if also is None or has(thing, also)]
    if not fitting:
        return None
    count = _COUNTS.get(asked["count"], 1)
    return (", ".join(fitting[:count]) if count > 1 else fitting[0], *fitting)


def _also(text: str) -> str | None:
    last = text.rsplit(" ", 1)[-1]
    return next(
        (
            found
            for each in (f"have {text}", text, last, f"have {last}", single(last))
            if (found := property_of(each))
        ),
        None,
    )


def which_animal(ask: str, scope: str) -> Answers | None:
    """What animal can fly? Which animal has stripes?"""
    del scope
    asked = re.match(
        r"(?:what|which)(?: kind of)? (animals?|bird|bug|insect|fruit|food|toy|vehicle)s?"
        r" (?:can|has|have|is|are|that)? ?(?:an? )?([\w' ]+)$",
        ask,
    )
    property_ = _also(asked[2]) if asked else None
    if asked is None or property_ is None:
        return None
    kind = property_of(asked[1])
    fitting = [
        said for thing, said in things().true[property_].items() if kind and thing in things().true[kind]
    ]
    return tuple(fitting) or None


MOST_WORDS = 18
"""A question of a plain fact is no longer."""


def fact(ask: str, scope: str) -> Answers | None:
    """The fact whose words are all asked for; of several the one with most words."""
    del scope
    if len(ask.split()) > MOST_WORDS:
        return None
    asked = content_words(ask)
    best = max(
        (key for key in _facts() if key <= asked), key=lambda key: (len(key), sorted(key)), default=None
    )
    return _facts()[best] if best is not None else None


@lru_cache(maxsize=1)
def _facts() -> dict[frozenset[str], Answers]:
    return {content_words(key): tuple(text.split("|")) for key, text in words().facts.items()}
