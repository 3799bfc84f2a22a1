"""The child's own card: name, age, grade, family, pets, what it likes, told from the child's own file.

It answers curious talk inside the lesson; whether somebody asks sincerely who is there is `safeguard`'s.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import Literal

from bot.student.records.child import Child
from bot.student.said import Said

Topic = Literal["name", "grade", "age", "siblings", "pets", "family", "relative", "likes"]

# In this order; the group is whom or what is named.
_ASKED: dict[Topic, re.Pattern[str]] = {
    "name": re.compile(
        r"\bwhat(?:'?s| is| was) (?:your|ur) (?:first )?name\b|\bwho are you\b|^and you are\b|\bwhat are you called\b"
        r"|\bwhat (?:do|should|can|may) (?:i|we|people|your friends) call you\b|\bdo you have a name\b"
        r"|\b(?:say|tell (?:me|us)|remind me of) your name\b|\bhow do you spell your name\b"
    ),
    "grade": re.compile(
        r"\b(?:what|which) grade\b.*\b(?:you|u)\b|^what grade\W*$"
        r"|\bare you (?:in|a) (?:\w+ (?:grade )?or )?\w+ grader?\b|\bare you in kindergarten\b"
    ),
    "age": re.compile(
        r"\bhow old (?:are|r) (?:you|u)\b|\bhow old you are\b|\bwhat(?:'?s| is) your age\b"
        r"|\bare you (?:six|seven|eight|nine|[6-9])(?: years old)?(?: or \w+)?\W*$"
    ),
    "siblings": re.compile(
        r"\b(?:have|got) (?:a|any) (brother|sister)s?\b(?! or\b)"
        r"|\b(?:have|got) any (?:brothers or|sisters or|siblings)\b"
        r"|\byour siblings\b|\bonly child\b"
    ),
    "pets": re.compile(
        r"\byou (?:have|got|own) (?:a|any) (?:pet|animal|(dog|cat|puppy|kitten))s?\b(?! (?:in|on)\b)|\byour pets?\b"
    ),
    "family": re.compile(r"\babout your family\b|\bwho lives with you\b|\byour parents\b"),
    "relative": re.compile(
        r"^(?!.*\b(?:would|could|if|when)\b).*?\byour (mom|dad|grandma|grandpa|abuelo|aunt|uncle|cousin|nana)\b"
        r"(?!'s | was| bak)"
    ),
    "likes": re.compile(
        r"\bwhat do you (?:like|do for fun)\b(?!.*\bfavou?rite\b)|\byour favou?rite thing\?"
        r"|\btell me about yourself\b"
    ),
}
_OTHERS = re.compile(r"\b(?:story|book)\b")
_PET = re.compile(r"\b(?:her|his) (\w+ [A-Z]\w+)$")
"""A pet among the interests has a name: "her cat Pickle"."""
_MINE = (
    (r", whom (?:she|he) calls \w+,", ""),
    (r"\b(picks|takes|teaches|just) (?:her|him)\b", r"\1 me"),
    (r"\b(?:she|he) has\b", "I have"),
    (r"\bthey speak\b", "we speak"),
    (r"\bwith them\b", "with us"),
    (r"\btheir\b", "our"),
    (r"\b(?:her|his)\b", "my"),
)
MOST_WORDS = 14
"""Who asks a child about itself asks briefly."""


@dataclass(frozen=True, slots=True)
class Own:
    """What the child is asked about itself; `of` is the relative, sibling or pet that is named, or ""."""

    topic: Topic
    of: str = ""


def asked(said: Said) -> Own | None:
    """What of itself the child is asked in `said`; None where it is not."""
    last = re.split(r"(?<=[.!]) ", said.lower)[-1]
    if len(last.split()) > MOST_WORDS or _OTHERS.search(last):
        return None
    for topic, wording in _ASKED.items():
        if found := wording.search(last):
            return Own(topic, (found[1] or "") if found.groups() else "")
    return None


def tell(own: Own, child: Child, rng: random.Random) -> str | None:
    """What the child tells of itself, in its own words; None where its card does not say."""
    match own.topic:
        case "name":
            return rng.choice((f"I'm {child.name}", child.name, f"my name is {child.name}"))
        case "grade":
            return rng.choice(("second grade", "I'm in second grade", "second"))
        case "age":
            return rng.choice((f"I'm {child.age}", str(child.age)))
        case "siblings":
            have = next((each for each in child.family if re.search(r"\b(?:brother|sister)s?\b", each)), "")
            if not have:
                return "no, just me"
            return f"I have {_mine(have)}" if own.of in have else f"no, I have {_mine(have)}"
        case "pets":
            pet = next((found[1] for each in child.interests if (found := _PET.search(each))), "")
            if not pet:
                return "no, I don't have a pet"
            return f"my {pet}" if own.of in pet else f"no, just my {pet}"
        case "family":
            told = _mine(rng.choice(child.family))
            return f"I have {told}" if told.startswith(("a ", "twin")) else told
        case "relative":
            return next((_mine(each) for each in child.family if own.of in each), None)
        case "likes":
            return f"I like {_mine(rng.choice(child.interests))}"


def _mine(told: str) -> str:
    for theirs, mine in _MINE:
        told = re.sub(theirs, mine, told)
    return told
