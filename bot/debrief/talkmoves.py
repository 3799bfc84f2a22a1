"""The six talk moves of a teacher's turn, read from its words and from what the child said before.

The moves are those of the TalkMoves data set (Suresh, Jacobs, Harty, Perkoff, Martin and Sumner, LREC 2022), which go
back to accountable talk (O'Connor, Michaels and Resnick). There, too, each sentence has one move or none. The
definitions are plain rules: what a rule does not find is no move. It knows no lesson and no conversation.
"""

from __future__ import annotations

import re
from enum import StrEnum

from bot.debrief import questions
from bot.student.problems.parsing import parse
from bot.student.records.dialogue import MoveKind
from bot.student.said import PLAIN, Said, content_words


class TalkMove(StrEnum):
    """A talk move by its name."""

    TOGETHER = "keeping everyone together"
    RELATE = "getting students to relate to another's ideas"
    RESTATE = "restating"
    REVOICE = "revoicing"
    ACCURACY = "pressing for accuracy"
    REASONING = "pressing for reasoning"


MEANS = {
    TalkMove.TOGETHER: "sees to it that whoever listens can follow: asks to listen, to look, to say it again",
    TalkMove.RELATE: "asks what the child makes of somebody else's idea",
    TalkMove.RESTATE: "says again what the child said, in its own words",
    TalkMove.REVOICE: "says again what the child said, and adds to it or changes the words",
    TalkMove.ACCURACY: "asks for the matter itself: an answer, the right word, a check",
    TalkMove.REASONING: "asks for a reason, a way, or grounds",
}
"""What each move is, in our words."""

_TOGETHER = re.compile(
    r"\b(listen( up| to)?|eyes on|look (here|up here|at me)|everybody|everyone|all of you)\b"
    r"|\bare you (with me|following|ready)\b|\b(say|tell me) (it|that) (again|one more time|back)\b"
    r"|\bdid you (hear|catch) (that|me|what)\b|\bdoes that make sense\b|\bdo you (follow|remember what)\b"
    r"|\bwhat (did|was) (i|we) (just )?(say|said|do)\b|\bturn and talk\b|\bask your partner\b"
    r"|\b(ok|okay|ready)\?$",
    re.I,
)
_ANOTHER = (
    r"(?:somebody|someone|a friend|(?:my|your|another|some|the other|one) (?:other )?(?:friend|student|kid|child|girl"
    r"|boy|partner|classmate|neighbor|cousin|brother|sister)s?|they|he|she"
    r"|(?!(?:It|This|That|What|Who|Which|How|Why|Where|When|So|The|And|But|If|You|We|I|Let|Now|Yes|No|Can|Could|Did"
    r"|Does|Is|Are|Would|Look|Say)\b)[A-Z][a-z]+)"
)
_RELATE = re.compile(
    r"(?i:\bdo you (?:also )?(?:agree|disagree)\b|\bwho (?:agrees|disagrees|can add)\b)"
    rf"|(?<!like in )\b{_ANOTHER} (?:says|said|thinks|thought|got|told me|did it|wrote)\b.*"
    r"(?:\?|\bdo you\b|\bwhat\b)"
    rf"|(?i:\b(?:what|how) would you (?:tell|say to|explain (?:it|that) to|help)) {_ANOTHER}\b"
    rf"|(?i:\b(?:is|are|was) (?:he|she|they) right\b)|\b{_ANOTHER}(?:'s|s') (?:way|idea|answer|thinking)\b",
)
"""A name is told by its capital, so the case counts here."""
_SAYS_BACK = re.compile(
    r"\byou(?:'re| are| were) (?:saying|telling)\b|\byou mean\b|\bsounds like\b|\bi hear(?:d)?\b|\bin other words\b",
    re.I,
)
"""A teacher says that it gives back what was said: one word of the child's is enough."""
_YOU_DID = re.compile(
    r"\byou (?:say|said|think|thought|got|took|did|put|told|added|flipped|counted|traded|want|wanted|noticed|saw)\b"
    r"|\bso it'?s\b",
    re.I,
)
"""Perhaps the same: half of the words have to be the child's."""
_NOT = re.compile(r"\b(?:no|not|never|nope)\b|n't\b", re.I)
_OWN = re.compile(
    r"(?:i|let's|say|please|look|think|draw|put|try|get|take|walk|hold|watch|imagine|remember)\b", re.I
)
"""The first word of what a teacher says of itself, or wants done."""
HALF = 0.5
NOT_OF_THE_MATTER = frozenset(
    {
        MoveKind.SMALL_TALK,
        MoveKind.MANAGES,
        MoveKind.INSTRUCTS_MACHINE,
        MoveKind.ASKS_IF_REAL,
        MoveKind.UNSAFE,
    }
)
"""Moves whose questions press for nothing."""
_OF_FORM = content_words(
    "mean meant saying sounds sound heard hear told words word think thought kind sort sure"
)


def read(turn: Said, child: str, move: MoveKind | None) -> tuple[TalkMove, ...]:
    """The different talk moves of a turn, in the order of its sentences; `child` is what the child said before it,
    "" where it said nothing, `move` what the turn was heard as."""
    found = (_sentence(Said.of(each), child, move) for each in turn.sentences)
    return tuple(dict.fromkeys(each for each in found if each is not None))


def _sentence(said: Said, child: str, move: MoveKind | None) -> TalkMove | None:
    """The move of one sentence: the first of these that holds."""
    if _RELATE.search(said.text):
        return TalkMove.RELATE
    if questions.asks(said) and questions.REASON.search(said.text):
        return TalkMove.REASONING
    if (back := _back(said, child)) is not None:
        return back
    if _TOGETHER.search(said.text):
        return TalkMove.TOGETHER
    if questions.asks(said) and move not in NOT_OF_THE_MATTER:
        return TalkMove.ACCURACY
    return None


def _back(said: Said, child: str) -> TalkMove | None:
    """Restating where all that the sentence tells are the child's words; revoicing where some of it are and the teacher
    gives it back, or where half of both is the same. A question of its own, a task and a no give nothing back."""
    ours, theirs = _telling(said.text), _telling(child)
    shared = ours & theirs
    denied = _NOT.search(said.text) and not _NOT.search(child)
    if (
        not shared
        or denied
        or _OWN.match(said.text)
        or questions.opens_as_one(said)
        or parse(said) is not None
    ):
        return None
    if shared == ours:
        return TalkMove.RESTATE
    if _SAYS_BACK.search(said.text):
        return TalkMove.REVOICE
    told = _YOU_DID.search(said.text) and len(shared) >= HALF * min(len(ours), len(theirs))
    alike = len(shared) >= max(2, HALF * len(ours)) and len(shared) >= HALF * len(theirs)
    return TalkMove.REVOICE if told or alike else None


def _telling(text: str) -> frozenset[str]:
    return content_words(text) - PLAIN - _OF_FORM
