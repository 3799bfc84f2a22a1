"""A text read and asked about: reads it aloud, and finds who, what, where and when in it.

Only what stands there is found; what lies between the lines is the lessons'.
"""

from __future__ import annotations

import re

from bot.student.knowing.question import Question, asks
from bot.student.knowing.tables import Answers, things, words
from bot.student.said import stem, stems

_READ = (
    r"^(?:can you |now |ok,? )*read (?:me )?(?:this|the)?(?: \w+)? ?(?:sentence|line|words?|out loud|for me)?"
    r"\s*[:,.]?\s*['\"]?([^'\"?]{6,120}?)['\".!]*$"
)
_SINGLE_WORDS = 2
"""So few words are no sentence: to read single words is a lesson's."""


@asks(_READ, "told")
def aloud(asked: re.Match[str]) -> Answers | None:
    """Read this sentence: The cat sat on the mat."""
    return (asked[1].strip(),) if len(asked[1].split()) > _SINGLE_WORDS else None


def comprehends(question: Question) -> Answers | None:
    """Tom has a red kite. What does Tom have?"""
    ask, told = question.ask, question.told.removeprefix("read this: ")
    before = told[: told.rfind(ask)] if ask in told else told
    sentences = [
        each.strip(" .!\"'")
        for each in re.split(r"(?<=[.!])\s+", before)
        if len(each.split()) > _SINGLE_WORDS
    ]
    if not sentences or re.search(r"\byou\b", ask):
        return None
    wanted = _telling(ask)
    best = max(sentences, key=lambda each: len(wanted & _telling(each)))
    return _part(ask, best) if wanted & _telling(best) else None


_ARTICLE = r"(?:the |a |an |his |her |their |my )?"
_PLACE = rf"\b(?:in|on|at|to|up|under) {_ARTICLE}\w+"
_TIME = r"\b(?:at night|in the \w+|on \w+day)\b"


def _part(ask: str, sentence: str) -> Answers | None:
    """What is asked for in `sentence`, with and without what leads in."""
    if "where" in ask:
        found = re.findall(_PLACE, sentence)[-1:]
    elif re.search(r"\bwhen\b|what time", ask):
        found = re.findall(_TIME, sentence)
    elif "what color" in ask:
        found = [word for word in sentence.split() if word in things().color]
    elif many := re.search(r"\bhow many (\w+)", ask):
        found = re.findall(rf"\b(\w+) (?:\w+ )?{many[1]}\b", sentence)
    elif re.match(r"who\b|what (?!did|is|was|do|kind|are)", ask) and re.match(r"\w+ [a-z]", sentence):
        found = [re.split(r" (?:is|was|has|jumped|ate|can|gave)\b", sentence)[0]]
    elif deed := re.search(r"\bwhat (?:did|does|do|is|was) .*?\b(\w+)$", ask):
        found = [" ".join(sentence.split()[2:]) if deed[1] in {"do", "doing"} else _after(deed[1], sentence)]
    else:
        return None
    bare = [re.sub(rf"^(?:in|on|at|to|some) {_ARTICLE}|^{_ARTICLE}", "", each) for each in found[:1]]
    return tuple(dict.fromkeys((*found[:1], *bare))) if any(found) else None


def _after(verb: str, sentence: str) -> str:
    """What stands behind the verb, in whatever form it is."""
    parts = sentence.split()
    forms = {stem(verb), words().pasts.get(verb)}
    at = next((place for place, word in enumerate(parts) if forms & {word, stem(word)}), len(parts))
    return re.split(r" (?:at|in|on|from) ", " ".join(parts[at + 1 :]) + " ")[0].strip(" ,.")


_COMMON = frozenset(
    "the a an is was did does do what where who when how many in on at to of and his"
    " her with it he she they has had have read ones".split()
)


def _telling(text: str) -> set[str]:
    return {*stems(text)} - _COMMON
