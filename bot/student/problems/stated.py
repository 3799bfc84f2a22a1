"""The answer that a teacher's statement names: a number, money, a time, a share, even or odd."""

from __future__ import annotations

import re

from bot.student.problems.asking import sentences
from bot.student.problems.shares import SHARES
from bot.student.said import Said

_VALUE = (
    r"(\d+(?:, \d+){2,}|\d+ (?:tens|10) and \d+ ones?|half past \d+|(?:(?:a|1|one) )?(?:half|third|fourth|quarter)\b"
    r"|\$?\d+(?:[:.]\d+)?(?: o'clock)?|even\b|odd\b|1/[234]\b|you can't\b)"
)
_STATED = re.compile(
    r"(?:=|(?<!this )(?<!here )(?<!there )(?<!name )\b(?:is|isn't it|was|be|are|equals?|makes|\d "
    r"make|gets?|i got|gives|answer:?))\s*"
    rf"(?:(?:really|actually|just|worth|the number|an?|only|about) )*{_VALUE}"
    r"(?!\d|\s*[-+*/]|\s(?:and \d|more|less|plus|minus|or|years|minutes|pages?|seconds|right|"
    r"correct|wrong)\b)"
    rf"|\b{_VALUE}(?: cents)? is (?:the |your )?(?:(?:right|correct) )?(?:answer|right|correct|it)\b"
    rf"|\bthere (?:is|are) {_VALUE}(?= (?:\w+ )?(?:left|in all|altogether)\b)"
)
_ONLY_VALUE = re.compile(
    rf"(?:(?:no|nope|yes|actually|not quite|so|ok|well|maybe|it is)\b\W*)*{_VALUE}(?: \w+)?\W*"
)
_SUGGESTS = re.compile(r"\bi think\b|\bisn't it\b|\bcould it be\b|\bmaybe\b|\bmight be\b|^\W*(?:so )?it is\b")
_REPORTS = re.compile(r"\byou (?:say|said|think|thought|told|wrote|put|got)\b")


def parse_answer(said: Said) -> str | None:
    """The answer that a teacher's statement names ("I think it's forty-six" -> "46"), the last one, or None.

    Money keeps its dollar sign, a time is "3:00", a share is "a half". Never raises.
    """
    told = None
    for sentence in sentences(said):
        asks = sentence.endswith("?") and not _SUGGESTS.search(sentence)
        if asks or _REPORTS.search(sentence):
            continue
        for match in _STATED.finditer(sentence):
            told = next(group for group in match.groups() if group)
        bare = _ONLY_VALUE.fullmatch(sentence)
        if told is None and bare:
            told = bare[1]
    return None if told is None else _tidy(told)


def _tidy(answer: str) -> str:
    for pieces, names in ((2, ("half", "1/2")), (3, ("third", "1/3")), (4, ("fourth", "quarter", "1/4"))):
        if answer.endswith(names):
            return SHARES[pieces]
    if answer.startswith("half past "):
        return f"{answer.removeprefix('half past ')}:30"
    return answer.replace(" o'clock", "" if ":" in answer else ":00").replace(" 10 and ", " ten and ")
