"""What a child tells of itself: name, age, grade, family, pets, what it likes. From the child's own file.

It answers curious talk inside the lesson; whether somebody asks sincerely who is there is `safeguard`'s.
"""

from __future__ import annotations

import random
import re

from bot.student.records.child import Child

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
MOST_WORDS = 14
"""Who asks a child about itself asks briefly."""


def own(text: str, child: Child, rng: random.Random) -> str | None:
    """What the child tells when `text` asks it about itself, in its own words; None where it does not ask."""
    said = " ".join(text.replace("\u2019", "'").split())
    last = re.split(r"(?<=[.!]) (?=\S)", said)[-1]
    if len(last.split()) > MOST_WORDS or re.search(
        r"\b(?:story|book|character|picture|pretend)\b", last, re.I
    ):
        return None
    if _NAME.search(last) or _NAME.search(said):
        return rng.choice((f"I'm {child.name}", child.name, f"my name is {child.name}"))
    named = _NAMED.search(last)
    if named and named["name"] == child.name:
        return f"yeah, I'm {child.name}"
    if _GRADE.search(last):
        return rng.choice(("second grade", "I'm in second grade", "second"))
    if _AGE.search(last):
        return rng.choice((f"I'm {child.age}", str(child.age)))
    return _home(last, child, rng)


def _home(text: str, child: Child, rng: random.Random) -> str | None:
    if asked := _SIBLINGS.search(text):
        both = re.search(r"\bor\b|sibling", text)
        return _siblings(child, "" if both else (asked[1] or asked[2] or "").lower().rstrip("s"))
    if asked := _PETS.search(text):
        return _pets(child, (asked[1] or asked[2]).lower().rstrip("s"))
    if _FAMILY.search(text):
        told = _mine(rng.choice(child.family))
        return f"I have {told}" if told.startswith(("a ", "twin")) else told
    if (asked := _RELATIVE.search(text)) and not re.search(r"\b(?:would|could|if|when|should)\b", text):
        name = {"mother": "mom", "father": "dad"}.get(asked[1].lower(), asked[1].lower())
        return next((_mine(each) for each in child.family if re.search(rf"\b{name}s?\b", each)), None)
    if _LIKES.search(text) and not _OTHER_FAVOURITE.search(text):
        return f"I like {_mine(rng.choice(child.interests))}"
    return None


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
