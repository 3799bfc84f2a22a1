"""What a debrief is made of: one conversation as one of its teachers sees it, and what can be said of it.

Frozen values; how each is found stands in a file of its own. It must not know the store, a platform or a model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.debrief.questions import QuestionKind
from bot.debrief.talkmoves import TalkMove
from bot.student.records.dialogue import MoveKind, Stage, Thought
from bot.student.records.pages.page import Page


class Who(StrEnum):
    """Who speaks: the teacher whom the debrief is for, the child, or somebody else in the same conversation."""

    YOU = "you"
    CHILD = "child"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Spoken:
    """One turn. `number` counts within the conversation; `move`, `talk` and `questions` are a teacher's alone,
    `thought` the child's. `heard` is the move that the child heard, `move` the same where the teacher has not put it
    right; `mended` says that they have. `child` is the name of the child that speaks."""

    number: int
    who: Who
    text: str
    said_at: datetime
    heard: MoveKind | None = None
    move: MoveKind | None = None
    talk: tuple[TalkMove, ...] = ()
    questions: tuple[QuestionKind, ...] = ()
    mended: bool = False
    flagged: bool = False
    """Whether the program answered in the child's place."""
    thought: Thought | None = None
    child: str = ""
    wrong: bool = False
    """Whether a wrong idea showed in what the child said."""

    @property
    def words(self) -> int:
        """How many words it has."""
        return len(self.text.split())


class Way(StrEnum):
    """Which way a wrong idea moved."""

    LOOSER = "looser"
    FIRMER = "firmer"
    STAYED = "stayed"
    """It took the help in, and needs more."""


@dataclass(frozen=True, slots=True)
class Shift:
    """A wrong idea that moved between two turns of the child. `by` is the number of the teacher's turn that moved it,
    None where the log names none; `night` says that the child slept between. `seen` is the child's turn that shows
    it, None where only its state after the talk does. `child` is the name of the child whose idea it is."""

    idea: str
    before: Stage
    after: Stage
    by: int | None
    seen: int | None
    night: bool = False
    child: str = ""

    @property
    def way(self) -> Way:
        """Which way it went."""
        stages = list(Stage)
        step = stages.index(self.after) - stages.index(self.before)
        return Way.LOOSER if step > 0 else Way.FIRMER if step < 0 else Way.STAYED


class Chance(StrEnum):
    """What a teacher's turn could have taken up, and did not."""

    CONFIRMED = "confirmed"
    """A wrong idea showed, and it was said to be right."""
    TOLD = "told"
    """A wrong idea showed, and the answer was told."""
    OTHER_HELP = "other_help"
    """A wrong idea showed, and the help was about something else."""
    WENT_ON = "went_on"
    """A wrong idea showed, and the talk went on."""
    UNHEARD = "unheard"
    """The child said how or why, or asked, and nothing of it was taken up."""


@dataclass(frozen=True, slots=True)
class Missed:
    """A moment that could have moved the child: what it said, and the teacher's turn that came next, by number."""

    chance: Chance
    child: int
    teacher: int
    idea: str | None = None


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to try. `why` says what in the talk speaks for it, `sentence` how it might sound, `turn` is the
    child's turn it goes back to, None where there is none. `foreign` says that it names numbers of another problem."""

    why: str
    sentence: str
    turn: int | None = None
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class Debrief:
    """All that is said of one conversation to one of its teachers. `ideas` holds each wrong idea in words; `shifts`,
    `missed` and `advice` are empty where the reader may not see what the child believes (`mind` is False). `cut` says
    that only the newest turns were looked at. `counts` is what the practised scenario says counts, for the teacher to
    judge; `page` is what lay on the table. `child` names who sat there, and `children` each of several. `unanswered`
    counts messages that got no answer, and so are none of the turns. `grown_up`: it was a talk with a parent."""

    conversation: int
    child: str
    lesson: str
    goal: str
    began: datetime
    turns: tuple[Spoken, ...]
    ideas: Mapping[str, str]
    shifts: tuple[Shift, ...] = ()
    missed: tuple[Missed, ...] = ()
    advice: Advice | None = None
    mind: bool = True
    cut: bool = False
    counts: tuple[str, ...] = ()
    page: Page | None = None
    children: tuple[str, ...] = ()
    unanswered: int = 0
    grown_up: bool = False
    began_with: Mapping[tuple[str, str], Stage] = field(default_factory=dict)
    """How firmly each child's idea sat when a scenario began, by the child's name and the idea."""

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each child that sat there, in order."""
        return self.children or (self.child,)

    def turn(self, number: int) -> Spoken:
        """The turn of that number; raises `KeyError`."""
        for each in self.turns:
            if each.number == number:
                return each
        raise KeyError(number)

    def by(self, who: Who) -> tuple[Spoken, ...]:
        """The turns of one side, in order."""
        return tuple(each for each in self.turns if each.who is who)

    def by_child(self, name: str) -> tuple[Spoken, ...]:
        """The turns of one child, in order."""
        said = self.by(Who.CHILD)
        return said if len(self.names) == 1 else tuple(each for each in said if each.child == name)

    @property
    def mine(self) -> tuple[Spoken, ...]:
        """The teacher's own turns that the child heard."""
        return tuple(each for each in self.turns if each.who is Who.YOU and not each.flagged)
