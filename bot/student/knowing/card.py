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

_START = r"(?:^|[.!?,;:] ?|\b(?:so|and|ok|okay|hi|hey|hello|there|me|again) )"
_NAME = re.compile(
    rf"{_START}(?:what(?:'s| is|s| was) your (?:first )?name|who are you|(?:and )?you"
    rf" are\?|what(?:'s| is) your name again"
    r"|what (?:do|should|can|may) (?:i|we|people|your friends) call you|what are you"
    r" called|do you have a name"
    r"|(?:tell|say|remind) (?:me|us) (?:of )?your name|say your name|your name(?: again)?\W*"
    r"(?:please)?\W*$|how do you spell your name"
    r"|who (?:am i|are we) (?:working|learning|reading|doing math) with)",
    re.I,
)
_NAMED = re.compile(
    r"\b(?:is your name|are you called|your name is|you(?:'re| are)) (?P<name>[A-Z][a-z]+)\b[^?]*\?"
)
_AGE = re.compile(
    r"\bhow old (?:are|r) (?:you|u)\b|\bwhat(?:'s| is|s) your age\b|\b(?:are|r) you "
    r"(?:\w+ )?(?:six|seven|eight|nine|6|7|8|9)(?: years old)?(?: or \w+)?\W*$"
    r"|\byour age\b|\bhow many years old\b|\bhow old you are\b|\bhow old did you\b",
    re.I,
)
_GRADE = re.compile(
    r"\b(?:what|which) (?:grade|class|year)\b.*\b(?:you|u|your)\b|\bare you (?:in|a)"
    r" (?:\w+ (?:or )?)?(?:\w+ grade|kindergarten|\w+ grader)"
    r"|\byour grade\b|\bwhat grade\b\W*$|\bgrade are you\b|\bwhat grader\b",
    re.I,
)
_SIBLINGS = re.compile(
    r"\b(?:have|got|are there)\b.*\b(brothers?|sisters?|siblings?)\b|\byour (brothers?"
    r"|sisters?|siblings?)\b|\bonly child\b",
    re.I,
)
_PETS = re.compile(
    r"\b(?:do|have) you (?:even |also |guys )?(?:have|got|own)\b.{0,20}\b(pets?|dogs?"
    r"|cats?|puppy|kitten|animals?)\b(?! (?:in|on) (?:the|your) (?:story|picture|page))"
    r"|\byour (pets?)\b",
    re.I,
)
_FAMILY = re.compile(
    r"\b(?:about|who is in|who's in|like|is) your family\b|\bwho (?:do you live|lives)"
    r" with(?: you)?\b|\byour parents\b",
    re.I,
)
_RELATIVE = re.compile(
    r"\byour (mom|mother|dad|father|grandma|grandpa|abuelo|aunt|uncle|cousin|nana)\b"
    r"(?!'s )(?! (?:gives?|gave|has|had|buys?|bought|makes?|made|puts?|says?|said|is"
    r"|was|bak\w+))",
    re.I,
)
_LIKES = re.compile(
    r"\b(?:what(?:'s| is| are) your (?:favou?rite thing(?:s)?(?= ?(?:$|[?.!]|to do\b"
    r"|to play\b))|hobb\w+)|what do you (?:like|love)(?: to)?(?: do| play)?|what do you"
    r" do (?:for fun|after school|at home|at recess)"
    r"|tell me about yourself|what are you (?:into|good at)|tell me (?:something )?about you\b)",
    re.I,
)
_OTHER_FAVOURITE = re.compile(r"\bfavou?rite (?!things?\b|hobb|activit|thing to do|toy\b)\w+", re.I)
_PET = re.compile(
    r"\b(?:her|his) ((?:cat|dog|snail|turtle|rabbit|parrot|hamster|fish|bird|lizard|kitten|puppy)\b[^,]*)",
    re.I,
)
_MINE = (
    (r"\b(?:her|his)\b", "my"),
    (r"\btheir\b", "our"),
    (r"\bwith them\b", "with us"),
    (r"\bthey speak\b", "we speak"),
    (r"\b(?:she|he) has\b", "I have"),
    (r"\bjust (?:her|him)\b", "just me"),
    (r"\bjust my and\b", "just me and"),
    (r"\bpicks (?:her|him)\b", "picks me"),
    (r"\btakes (?:her|him)\b", "takes me"),
    (r"\bteaches (?:her|him)\b", "teaches me"),
    (r", whom (?:she|he) calls \w+,", ""),
)
_OTHERS = re.compile(r"\b(?:story|book|character|picture|pretend)\b", re.I)
_IMAGINED = re.compile(r"\b(?:would|could|if|when|should)\b", re.I)
MOST_WORDS = 14
"""Who asks a child about itself asks briefly."""


@dataclass(frozen=True, slots=True)
class Own:
    """What the child is asked about itself; `of` is the relative, sibling or pet that is named, or ""."""

    topic: Literal["name", "named", "grade", "age", "siblings", "pets", "family", "relative", "likes"]
    of: str = ""


def asked(said: Said) -> Own | None:
    """What of itself the child is asked in `said`; None where it is not."""
    last = re.split(r"(?<=[.!]) (?=\S)", said.text)[-1]
    if len(last.split()) > MOST_WORDS or _OTHERS.search(last):
        return None
    if _NAME.search(last) or _NAME.search(said.text):
        return Own("name")
    if named := _NAMED.search(last):
        return Own("named", named["name"])
    if _GRADE.search(last):
        return Own("grade")
    if _AGE.search(last):
        return Own("age")
    return _home(last)


def _home(text: str) -> Own | None:
    if found := _SIBLINGS.search(text):
        both = re.search(r"\bor\b|sibling", text)
        return Own("siblings", "" if both else (found[1] or found[2] or "").lower().rstrip("s"))
    if found := _PETS.search(text):
        return Own("pets", (found[1] or found[2]).lower().rstrip("s"))
    if _FAMILY.search(text):
        return Own("family")
    if (found := _RELATIVE.search(text)) and not _IMAGINED.search(text):
        return Own("relative", {"mother": "mom", "father": "dad"}.get(found[1].lower(), found[1].lower()))
    return Own("likes") if _LIKES.search(text) and not _OTHER_FAVOURITE.search(text) else None


def tell(own: Own, child: Child, rng: random.Random) -> str | None:
    """What the child tells of itself, in its own words; None where its card does not say."""
    match own.topic:
        case "name":
            return rng.choice((f"I'm {child.name}", child.name, f"my name is {child.name}"))
        case "named":
            return f"yeah, I'm {child.name}" if own.of == child.name else None
        case "grade":
            return rng.choice(("second grade", "I'm in second grade", "second"))
        case "age":
            return rng.choice((f"I'm {child.age}", str(child.age)))
        case "siblings":
            return _siblings(child, own.of)
        case "pets":
            return _pets(child, own.of)
        case "family":
            told = _mine(rng.choice(child.family))
            return f"I have {told}" if told.startswith(("a ", "twin")) else told
        case "relative":
            return next((_mine(each) for each in child.family if re.search(rf"\b{own.of}s?\b", each)), None)
        case "likes":
            return f"I like {_mine(rng.choice(child.interests))}"


def _siblings(child: Child, asked: str) -> str:
    have = [each for each in child.family if re.search(r"\b(?:brother|sister)s?\b", each)]
    for each in have:
        if asked in {"brother", "sister"} and asked not in each:
            return f"no, I have {_mine(each)}"
        return f"I have {_mine(each)}"
    return "no, just me"


def _pets(child: Child, asked: str) -> str:
    pet = next((found[1] for each in (*child.interests, *child.family) if (found := _PET.search(each))), None)
    if pet is None:
        return "no, I don't have a pet"
    if asked in {"dog", "cat", "puppy", "kitten"} and not pet.startswith(asked):
        return f"no, just my {pet}"
    return f"my {pet}"


def _mine(told: str) -> str:
    for theirs, mine in reversed(_MINE):
        told = re.sub(theirs, mine, told)
    return told
