"""What a teacher's turn was heard as, in plain words, and the teacher's own word on it, as it is typed and kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.debrief.talkmoves import TalkMove
from bot.store.rows import FeedbackKind, FeedbackRow
from bot.student.records.dialogue import MoveKind
from bot.student.records.reading import near

NONE = "none"
HEARD_AS = {
    MoveKind.ASKS: "asks a question",
    MoveKind.ASKS_WHY: "asks how or why",
    MoveKind.TRANSFER: "asks one more, to see if it holds",
    MoveKind.SAYS_RIGHT: "says it is right",
    MoveKind.SAYS_WRONG: "says it is wrong",
    MoveKind.TELLS: "tells the answer",
    MoveKind.FALSE_HINT: "offers a wrong answer",
    MoveKind.HELPS: "helps with the child's idea",
    MoveKind.HELPS_OTHER: "helps with something else",
    MoveKind.REINFORCES: "speaks for the wrong idea",
    MoveKind.REVOICES: "says back what the child said",
    MoveKind.PRAISES: "praises",
    MoveKind.SMALL_TALK: "talks about other things",
    MoveKind.MANAGES: "manages the lesson",
    MoveKind.OUT_OF_GRADE: "asks for what later grades learn",
    MoveKind.INSTRUCTS_MACHINE: "speaks to the machine",
    MoveKind.OTHER: "anything else",
}
"""What a turn can be heard as and put right to; what the program itself answers is not heard by the child."""
_SHORT = {
    TalkMove.TOGETHER: "together",
    TalkMove.RELATE: "relate",
    TalkMove.RESTATE: "restating",
    TalkMove.REVOICE: "revoicing",
    TalkMove.ACCURACY: "accuracy",
    TalkMove.REASONING: "reasoning",
}
"""What a talk move is called where it is typed."""
MOVES = {move.value: move for move in HEARD_AS}
TALK = {short: move for move, short in _SHORT.items()}
NAMES = (*MOVES, *TALK, NONE)
"""All that a turn can be put right to: what it was heard as, its talk move, or none of these."""
MENU = (
    *((move.value, words) for move, words in HEARD_AS.items()),
    *((short, f"talk move: {move.value}") for short, move in TALK.items()),
    (NONE, "no talk move"),
)
"""The same, each with its words."""


@dataclass(frozen=True, slots=True)
class Mended:
    """A teacher's word on a turn; None where it says nothing of that. No talk move at all is ()."""

    move: MoveKind | None = None
    talk: tuple[TalkMove, ...] | None = None


def read(name: str) -> tuple[FeedbackKind, str]:
    """What somebody typed as it is kept; raise `ValueError` saying what there is."""
    wanted = "_".join(name.strip().lower().replace("-", " ").split())
    wanted = next((short for short, move in TALK.items() if wanted == move.value.replace(" ", "_")), wanted)
    if wanted in MOVES:
        return FeedbackKind.MOVE, wanted
    if wanted in TALK or wanted == NONE:
        return FeedbackKind.TALK_MOVE, wanted
    raise ValueError(f"no move {name!r}; {near(wanted, NAMES)}")


def mended(said: Iterable[FeedbackRow], author: str | None) -> Mended:
    """What the teacher of a turn said of it; nobody else's word counts, and what is no move today is passed over."""
    own = {each.kind: each.text or "" for each in said if author is not None and each.author_hash == author}
    talk = own.get(FeedbackKind.TALK_MOVE)
    moves: tuple[TalkMove, ...] | None = None
    if talk == NONE:
        moves = ()
    elif talk in TALK:
        moves = (TALK[talk],)
    return Mended(MOVES.get(own.get(FeedbackKind.MOVE, "")), moves)


def in_words(kind: FeedbackKind, name: str) -> str:
    """What is kept, as a person reads it."""
    if kind is FeedbackKind.MOVE:
        return HEARD_AS[MOVES[name]]
    return TALK[name].value if name in TALK else "no talk move"
