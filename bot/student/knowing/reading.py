"""A sentence or two read with the teacher: reads it aloud, and finds who, what, where and when in it.

Only what stands there is found; what lies between the lines is the lessons'.
"""

from __future__ import annotations

import re

from bot.student.knowing.everyday import Answers, things

_READ = re.compile(
    r"^(?:(?:can|could|would|will) you |please |now |ok,? |try to |let's )*read (?:me"
    r" |us )?(?:this|the|these)?(?: \w+)? ?(?:sentence|line|words?|out loud|aloud|for"
    r" me|to me|this)?"
    r"(?: (?:out loud|aloud|for me|to me))*\s*[:,.]?\s*['\"]?(?P<text>[^'\"?]{6,120}?)['\".!]*$"
)
_PLACE = (
    r"\b(?:in|on|at|to|under|into|behind|by|near|inside|beside|over|up|onto|through)"
    r" (?:the |a |an |his |her |their |my )?\w+(?: (?:tree|house|table|park|box|bed|store"
    r"|room|pond|hill|road))?"
)
_WHO = re.compile(
    r"^(?:yesterday |today |then |one day |last \w+ )?,? ?(?P<who>(?:the |a |an |his"
    r" |her |my )?(?:\w+ )?(?:\w+)(?: and (?:the |his |her )?\w+)?) (?P<deed>[a-z]+)\b"
)


def aloud(ask: str, scope: str) -> Answers | None:
    """Read this sentence: The cat sat on the mat."""
    del ask
    asked = _READ.match(scope.strip())
    if asked is None or len(asked["text"].split()) < 3:  # noqa: PLR2004 - single words are a lesson's
        return None
    return (asked["text"].strip(),)


def comprehends(ask: str, scope: str) -> Answers | None:
    """Tom has a red kite. What does Tom have?"""
    told = re.sub(r"^.*?\b(?:read|listen to) (?:this|the|to this)?(?: \w+)?(?: out loud)?:\s*", "", scope)
    before = told[: told.rfind(ask)] if ask in told else told
    sentences = [each.strip(" .!\"'") for each in re.split(r"(?<=[.!])\s+", before) if len(each.split()) > 2]  # noqa: PLR2004
    if not sentences or re.search(
        r"\bwhy\b|\bhow (?!many)|main idea|\byou\b|\blesson\b|what word|which word", ask
    ):
        return None
    wanted = _telling(ask)
    best = max(sentences, key=lambda each: len(wanted & _telling(each)))
    if not wanted & _telling(best):
        return None
    return _part(ask, best)


def _part(ask: str, sentence: str) -> Answers | None:
    if re.search(r"\bwhere\b", ask):
        places = re.findall(_PLACE, sentence)
        return (places[-1], _bare(places[-1])) if places else None
    if re.search(r"\bwhen\b|what time", ask):
        time = re.search(
            r"\b(?:at (?:night|noon|\d+)|in the \w+|on \w+day|yesterday|today|after \w+|before"
            r" \w+|last \w+)\b",
            sentence,
        )
        return (time[0], _bare(time[0])) if time else None
    if re.search(r"\bwhat colou?r\b", ask):
        colour = re.search(r"\b(?:" + "|".join(things().true["color"]) + r")\b", sentence)
        return (colour[0],) if colour else None
    if many := re.search(r"\bhow many (\w+)", ask):
        number = re.search(rf"\b(\w+) (?:\w+ )?{many[1]}\b", sentence)
        return (number[1],) if number else None
    who = _WHO.match(sentence)
    if (
        re.match(
            r"(?:so |and |now )?(?:who|what animal|which animal)\b|what (?!did|does|is|was|do|kind|are)", ask
        )
        and who
    ):
        names = re.split(
            r" (?:went|ran|is|was|has|had|likes?|sat|jumped|flew|saw|played|ate|can|got|gave"
            r"|rode|found|made|slept|swam|walked|hid|barked)\b",
            sentence,
        )[0]
        return names, _bare(names)
    deed = re.search(r"\bwhat (?:did|does|do|is|was|kind of \w+ (?:did|does)) .*?\b(\w+)$", ask)
    if deed is None:
        return None
    verb = deed[1] if deed[1] not in {"do", "doing", "like"} or deed[1] == "like" else ""
    after = _after(verb, sentence) if verb else " ".join(sentence.split()[2:])
    return (after, _bare(after)) if after else None


def _after(verb: str, sentence: str) -> str:
    """What stands behind the verb, in whatever form it is."""
    parts = sentence.split()
    forms = {verb, verb + "s", verb + "ed", verb + "d", *_FORMS.get(verb, ())}
    at = next((place for place, word in enumerate(parts) if word in forms), None)
    if at is None:
        return ""
    return re.split(
        r" (?:at|in|on|under|after|before|with|and then|because|for|from|to the) ",
        " ".join(parts[at + 1 :]) + " ",
    )[0].strip(" ,.")


_FORMS = {
    "have": ("has", "had"),
    "eat": ("ate", "eats"),
    "see": ("saw",),
    "get": ("got",),
    "buy": ("bought",),
    "make": ("made",),
    "find": ("found",),
    "give": ("gave",),
    "take": ("took",),
    "ride": ("rode",),
    "write": ("wrote",),
    "drink": ("drank",),
    "lose": ("lost",),
    "catch": ("caught",),
    "bring": ("brought",),
    "wear": ("wore", "wearing"),
    "draw": ("drew",),
    "read": ("read",),
    "build": ("built",),
    "throw": ("threw",),
    "hear": ("heard",),
    "hold": ("held",),
    "want": ("wanted",),
    "plant": ("planted",),
    "chase": ("chased",),
}


def _bare(text: str) -> str:
    return re.sub(
        r"^(?:in|on|at|to|under|into|behind|by|near|inside|the|a|an|his|her|their|my|some)"
        r" (?:the |a |an |his |her |their |my )?",
        "",
        text,
    )


_COMMON = frozenset(
    "the a an is was did does do what where who when how many in on at to of and his"
    " her with it he she they has had have read".split()
)


def _telling(text: str) -> set[str]:
    return {re.sub(r"(?:ed|ing|s|es)$", "", word) for word in re.findall(r"[a-z]+", text)} - _COMMON
