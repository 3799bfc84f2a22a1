"""What no child says of its own accord, whatever it was asked: the checks of open replies.

Of replies that have a note, `voice` checks that they say it. It knows words, the child's card and the teacher's turn.
"""

from __future__ import annotations

import re
from functools import lru_cache

from bot.student.knowing.later import is_later
from bot.student.numbers import plain as as_digits
from bot.student.records.child import Child
from bot.student.said import Said
from bot.student.voicing.prompt import OPENING

ADULT = re.compile(
    r"\b(as an ai|language model|assistant|i'?m sorry|i apologi[sz]e|sorry for|thank you|you'?re welcome"
    r"|great question|good question|how can i help|feel free|let me know|certainly|of course|i understand"
    r"|that makes sense|you'?re right|i see|my mistake|oh i see|i started by|a total of|the total|number of"
    r"|is equal to|equals|that means|amount|therefore|however|equation|calculat\w+|subtract\w*|multipl\w+"
    r"|represent\w*|determin\w+|solution|process|concept|example of|in order to|as a second grader"
    r"|haven'?t learned|let'?s (?:solve|break|explore)|the answer is that|wants? to say|second grade student"
    r"|little kid)\b",
    re.I,
)
"""How grown-ups and assistants talk."""
SECRET = 3
"""Words in a row that only the instructions have."""
_CODE = re.compile(r"\b[A-Z]{4,}\b|\b(?!\d+(?:st|nd|rd|th|s|am|pm|d|x)\b)(?=[a-z]*\d)(?=\d*[a-z])[a-z\d]+\b")
"""Capitals, and letters mixed with digits: no child says these."""
LEAST_ECHO = 4
"""Words from which a repeated piece of the teacher's turn is an echo; children do repeat a word or two."""
LOOP = 4
"""Words in a row that nobody says twice in one turn."""
_WORDS = re.compile(r"[a-z0-9']+")
_ACCENTED = frozenset("áéíóúñüàâèêçÁÉÍÓÚÑ")
"""Letters of names and words from home."""
_OF_THE_HOUSE = re.compile(
    r"\b(?:my|our) (?:\w+ )?(?P<who>brothers?|sisters?|twin|cats?|dogs?|pupp(?:y|ies)|kittens?|hamsters?|fish|birds?"
    r"|parrot|bunny|rabbits?|turtles?|guinea pigs?|horses?|pony|snake|lizard|gecko)\b"
)
_AGE = re.compile(r"\bi(?:'m| am) (\d+)(?: years? old)?(?=[.!,?]|$)", re.I)


def fault(text: str, child: Child, teacher: str) -> str | None:
    """What no child answers, whatever it was asked: grown-up words, other letters, the teacher's own words, the same
    again and again, what later grades teach, a home that is not its own."""
    adult = ADULT.search(text)
    if adult and adult.group().lower() not in teacher.lower():
        return f"adult words: {adult.group().lower()}"
    if foreign := set(re.sub(r"[\x00-\x7f]", "", text)) - set(teacher) - _ACCENTED:
        return f"not plain letters: {min(foreign)!r}"
    said = _WORDS.findall(text.lower())
    if len(said) >= LEAST_ECHO and " ".join(said) in " ".join(_WORDS.findall(teacher.lower())):
        return "only the teacher's words"
    if _CODE.search(text) or _runs(said, SECRET) & _secret():
        return "what was in the instructions"
    if len(_runs(said, LOOP)) < len(said) - LOOP + 1:
        return "the same words again"
    if is_later(Said.of(text)) and not is_later(Said.of(teacher)):
        return "what later grades teach"
    return _against_the_card(text, child)


def _against_the_card(text: str, child: Child) -> str | None:
    """A brother, sister or pet that the child has not, or another age."""
    lines = (*child.family, *child.interests, *(line for each in child.says.values() for line in each))
    home = frozenset(_WORDS.findall(" ".join(lines).lower()))
    for whose in _OF_THE_HOUSE.finditer(text.lower()):
        if whose["who"] not in home:
            return f"against the card: {whose.group()}"
    age = _AGE.search(as_digits(text))
    return f"against the card: {age.group()}" if age and int(age[1]) != child.age else None


def _runs(words: list[str], size: int) -> set[tuple[str, ...]]:
    return {tuple(words[start : start + size]) for start in range(len(words) - size + 1)}


@lru_cache(maxsize=1)
def _secret() -> set[tuple[str, ...]]:
    return _runs(_WORDS.findall(OPENING[0].content.lower()), SECRET)
