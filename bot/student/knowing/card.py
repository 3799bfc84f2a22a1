"""The child's own card: name, age, grade, family, pets, what it likes, told from the child's own file.

It answers curious talk inside the lesson; whether somebody asks sincerely who is there is `safeguard`'s.
"""

from __future__ import annotations

import random
import re

from bot.student.records.child import Child
from bot.student.said import Said

_NAME = re.compile(
    r"\bwhat(?:'s| is) your name\b|\bwho are you\b|^and you are\b|\bwhat should i call you\b"
    r"|\b(?:say|tell me) your name\b"
)
_GRADE = re.compile(r"\b(?:what|which) grade\b.*\byou\b|\bare you in first (?:grade )?or second grade\b")
_AGE = re.compile(r"\bhow old are you\b|\bwhat(?:'s| is) your age\b|\bare you (?:six|seven)\b")
_SIBLINGS = re.compile(
    r"\byou have (?:a|any) (brother|sister)s?\b(?! or\b)|\byou have any brothers or\b|\bonly child\b"
)
_PETS = re.compile(r"\byou (?:have|got) (?:a|any) (?:pet|(dog|cat))s?\b|\byour pet\b")
_FAMILY = re.compile(r"\babout your family\b|\bwho lives with you\b|\byour parents\b")
_RELATIVE = re.compile(
    r"^(?!.*\b(?:would|could|if|when)\b).*?\byour (mom|dad|grandma|grandpa|abuelo|aunt|uncle|cousin|nana)\b"
    r"(?!'s | was| bak)"
)
_LIKES = re.compile(
    r"\bwhat do you (?:like|do for fun)\b(?!.*\bfavou?rite\b)|\byour favou?rite thing\?|\btell me about yourself\b"
)
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


def own(said: Said, child: Child, rng: random.Random) -> str | None:
    """What the child tells when `said` asks it about itself, in its own words; None where it does not ask."""
    text = re.split(r"(?<=[.!]) ", said.lower)[-1]
    if len(text.split()) > MOST_WORDS or _OTHERS.search(text):
        return None
    if _NAME.search(text):
        return rng.choice((f"I'm {child.name}", child.name, f"my name is {child.name}"))
    if _GRADE.search(text):
        return rng.choice(("second grade", "I'm in second grade", "second"))
    if _AGE.search(text):
        return rng.choice((f"I'm {child.age}", str(child.age)))
    return _home(text, child, rng)


def _home(text: str, child: Child, rng: random.Random) -> str | None:
    if asked := _SIBLINGS.search(text):
        have = next((each for each in child.family if re.search(r"\b(?:brother|sister)s?\b", each)), "")
        other = asked[1] and asked[1] not in have
        return f"{'no, ' if other else ''}I have {_mine(have)}" if have else "no, just me"
    if asked := _PETS.search(text):
        pet = next((found[1] for each in child.interests if (found := _PET.search(each))), "")
        if not pet:
            return "no, I don't have a pet"
        return f"no, just my {pet}" if asked[1] and asked[1] not in pet else f"my {pet}"
    if _FAMILY.search(text):
        told = _mine(rng.choice(child.family))
        return f"I have {told}" if told.startswith(("a ", "twin")) else told
    if asked := _RELATIVE.search(text):
        return next((_mine(each) for each in child.family if asked[1] in each), None)
    if _LIKES.search(text):
        return f"I like {_mine(rng.choice(child.interests))}"
    return None


def _mine(told: str) -> str:
    for theirs, mine in _MINE:
        told = re.sub(theirs, mine, told)
    return told
