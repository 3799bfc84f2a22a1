"""Who answers a teacher's turn where several children sit: who is named, else one that is drawn by its temperament.

Pure and seeded. It reads names and a few set phrases; what the children believe, and what they hear, it does not know.
"""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import prod

from bot.student.records.child import Child, Temperament
from bot.student.records.dialogue import MOST_ANSWERS
from bot.student.said import Said

# The figures of this file are guesses: nobody has counted who comes forward in a class.
COMES_FORWARD: dict[Temperament, float] = {
    "talkative": 1.6,
    "silly": 1.3,
    "careful": 0.9,
    "easily tired": 0.7,
    "shy": 0.5,
}
"""How readily a child answers what is asked of all, beside one of no such temperament."""
JUST_SPOKE = 0.4
"""The same for who spoke last."""
LEFT_OUT = 0.5
"""What each further answer of others adds to it: a child that was left out wants to say something, too."""
SECOND_SHARE = 0.3
"""Share of questions to all after which a second child speaks up that has another answer than the first."""
CHIMES_SHARE = 0.15
"""The same where the first one was called by name."""
AGREES_SHARE = 0.12
"""Share of questions to all after which a second child says that it has the same."""
WHY_SHARE = 0.5
"""Share of those who speak against another that say why at once."""

_VERBS = (
    r"(?:says|said|thinks|thought|gets|got|tells us|told|answers|answered|writes|wrote|means|meant|explains|explained"
    r"|believes|believed|agrees|agreed|uses|used|makes|made|has|had|does|did|is|was)"
)
_SAYING = re.compile(rf"(?:'s\b(?! (?:turn|hand))|\s+(?:just |really |also )?{_VERBS}\b)", re.I)
"""What stands behind a name that is talked about: Owen's answer, Owen thinks."""
_SAYING_ALL = re.compile(r"\s+(?:both |all )?(?:say|think|agree|have|are|were|disagree)\b", re.I)
"""The same behind several."""
_ABOUT = re.compile(r"\b(?:with|like|as|than|to|of|for|do|does|did|is|are|was|were|has|why|how)\s+$", re.I)
"""What stands before one: agree with Owen, does Owen mean."""
_OVER_TO = re.compile(r"\b(?:over|back|go|turn|on) to\s+$", re.I)
_LEADS = re.compile(
    r"(?:^|[.!?;:,\u2013\u2014-]\s*)(?:(?:ok|okay|so|well|and|now|yes|yeah|no|hi|hello|hey|good|great|nice|thanks"
    r"|thank you|morning|all right|alright|but|then|right|hmm|oh)\b\s*)*$",
    re.I,
)
"""What stands before a name that is called ..."""
_ENDS = re.compile(r"\s*(?:$|[.,!?;:\u2013\u2014-])")
"""... and behind it."""
_STARTS = re.compile(r"(?:^|[.!?;:]\s+)$")
_SENTENCE = re.compile(r"[.!?](?=\s|$)")
_ALL = re.compile(
    r"\b(?:everybody|everyone|class|who|anyone|anybody|someone|somebody|all of you|you all|kids|friends"
    r"|boys and girls|others)\b",
    re.I,
)
_GOES_ON = re.compile(
    r"\b(?:how (?:did|do|would|can) you (?:get|know|do|figure|work|solve|find|tell)|why (?:do|did|would) you"
    r"|what makes you|tell (?:me|us) more|say more|say that again|what do you mean"
    r"|(?:can|could) you (?:show|explain|say|tell)|are you sure|you said|your (?:answer|idea|way|thinking)"
    r"|go on|keep going|try (?:it |that )?again)\b|^\s*(?:why|how|how come|how so)\s*\??\s*$",
    re.I,
)
"""What one says to the child that has just spoken."""
ANOTHER_WAY = re.compile(
    r"\b(?:who|anyone|anybody|someone|somebody)\b.*\b(?:disagrees?|differently|something (?:else|different)"
    r"|(?:another|other|different) (?:way|answer|idea|number|thought)s?(?! to\b))\b",
    re.I,
)
"""What asks for somebody who sees it otherwise than who spoke last."""
_AGREE = re.compile(
    rf"\b(?:dis)?agrees?\b|\b(?:any|some)(?:one|body) else\b|\bwho else\b|{ANOTHER_WAY.pattern}", re.I
)
"""What does not go to who spoke last, but is about what that one said."""


@dataclass(frozen=True, slots=True)
class Floor:
    """Who has the floor, by seats: `speakers` answer, in this order; `told_of` are named without being asked. Where it
    is `free`, one who sees it otherwise may join in."""

    speakers: tuple[int, ...]
    told_of: tuple[int, ...] = ()
    free: bool = False


def floor(said: Said, children: Sequence[Child], silent: Sequence[int], rng: random.Random) -> Floor:
    """Who answers `said`. Named children do, the first `MOST_ANSWERS` of them; "how did you get that?" goes to who
    spoke last; all else to one that is drawn. `silent` are the answers of others since each of them spoke."""
    if len(children) == 1:
        return Floor((0,))
    called, told_of = named(said.text, [each.name for each in children])
    last = silent.index(0) if 0 in silent else None
    if last is not None and not told_of and last not in called and _AGREE.search(said.text):
        told_of = (last,)
    if called:
        return Floor(called[:MOST_ANSWERS], told_of)
    goes_on = _GOES_ON.search(said.text) and not _ALL.search(said.text)
    if last is not None and not told_of and goes_on:
        return Floor((last,))
    return Floor((draw(children, silent, rng, without=told_of),), told_of, free=True)


def draw(
    children: Sequence[Child], silent: Sequence[int], rng: random.Random, *, without: Collection[int] = ()
) -> int:
    """The seat of one who comes forward; not one of `without`, where there are others."""
    everybody = range(len(children))
    places = [place for place in everybody if place not in without] or list(everybody)
    return rng.choices(places, [weight(children[place], silent[place]) for place in places])[0]


def weight(child: Child, silent: int) -> float:
    """How readily this child comes forward after so many answers of others."""
    waited = JUST_SPOKE if silent == 0 else 1 + LEFT_OUT * (silent - 1)
    return waited * prod(COMES_FORWARD[each] for each in child.temperament)


def joins(
    others: Collection[int],
    children: Sequence[Child],
    silent: Sequence[int],
    rng: random.Random,
    share: float = SECOND_SHARE,
) -> int | None:
    """The seat of a second one who speaks up, of `others` who have something to say; mostly nobody does."""
    if not others or rng.random() >= share:
        return None
    return draw(children, silent, rng, without=set(range(len(children))) - set(others))


def named(text: str, names: Sequence[str]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The seats of those who are called, and of those who are only talked about, in the order of the words.

    "Thanks, Owen. Mia, do you agree?" calls Mia: of several sentences with names those count that ask, else the last.
    """
    by_name = {name.lower(): place for place, name in enumerate(names)}
    calls: list[_Call] = []
    about: list[int] = []
    for group in _groups(names).finditer(text):
        places = [by_name[each.lower()] for each in _one_of(names).findall(group[0])]
        called, others, sure = _read(places, text[: group.start()], group[0], text[group.end() :])
        about += others
        ends = _SENTENCE.search(text, group.end())
        calls += [
            _Call(each, sure, bool(ends and ends[0] == "?"), ends.start() if ends else -1) for each in called
        ]
    calls = [each for each in calls if each.sure] or calls
    asked = [each for each in calls if each.asked] or [
        each for each in calls if each.sentence == calls[-1].sentence
    ]
    chosen = tuple(dict.fromkeys(each.place for each in asked))
    return chosen, tuple(each for each in dict.fromkeys(about) if each not in chosen)


@dataclass(frozen=True, slots=True)
class _Call:
    """A name that is called: `sure` where commas say so, `asked` in a question, `sentence` is where that ends."""

    place: int
    sure: bool
    asked: bool
    sentence: int


def _read(places: list[int], before: str, names: str, after: str) -> tuple[list[int], list[int], bool]:
    """Of names in a row those who are called, those who are talked about, and whether that is sure."""
    several = len(places) > 1
    # "Owen, Mia thinks so" and "with Owen, Mia?" are no lists: one of them is called.
    apart = several and not re.search(r"\band\b|&", names, re.I)
    joined = several and re.search(r",\s*\w+$", names)
    if _SAYING.match(after) or (several and _SAYING_ALL.match(after)):
        cut = len(places) - 1 if joined else 0
        return places[:cut], places[cut:], True
    if _LEADS.search(before) and (_ENDS.match(after) or _STARTS.search(before)):
        return places, [], True
    invited = _OVER_TO.search(before) or after.lower().startswith(" to ")
    if _ABOUT.search(before) and not invited:
        cut = len(places) - 1 if apart and _ENDS.match(after) else len(places)
        return places[cut:], places[:cut], True
    return places, [], False


def _one_of(names: Sequence[str]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, names))})\b", re.I)


def _groups(names: Sequence[str]) -> re.Pattern[str]:
    """Names in a row: "Owen and Mia", "Owen, Mia, and Yusuf"."""
    name = _one_of(names).pattern
    return re.compile(rf"{name}(?:(?:\s*,\s*(?:and\s+)?|\s+and\s+|\s*&\s*){name})*", re.I)
