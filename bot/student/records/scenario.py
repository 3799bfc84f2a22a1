"""A scenario: what a teacher practises, with whom and to what end. Read from `data/scenarios/*.toml` and checked here.

Half of it is told to the teacher (`before`, `work`, `goal`), half is the child's alone (`ideas`, `mood`, `tells`).
Nothing here decides anything: how it becomes a state of mind is `beginning`, how it is shown is the bot's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field

from bot.student.records.child import Child
from bot.student.records.lesson import Lesson
from bot.student.records.pages.page import MaybePage, Page
from bot.student.records.pages.written import Writing
from bot.student.records.reading import DataError, Expected, Text, Texts, Whole, near, read_toml
from bot.student.records.text import files_in

Kind = Literal[
    "elicit-thinking",
    "respond-to-a-wrong-idea",
    "lead-a-discussion",
    "launch-a-task",
    "talk-with-an-upset-child",
    "extend-a-right-answer",
    "talk-with-a-parent",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""What a teacher can have as a goal, in the order in which they are shown."""

Firmness = Literal["stubborn", "settled", "shaky", "mended"]
"""How firmly an idea sits: it takes a lot of help, some help, is in doubt already, or was given up yesterday and comes
back now and then."""

Brought = Literal["calm", "upset", "tired", "silly"]
"""The mood in which the child comes."""

MOST_CHILDREN = 5
"""Children who sit in one conversation at most."""

Length = Annotated[Whole, Field(ge=2, le=60), Expected("a whole number from 2 to 60")]


@dataclass(frozen=True, slots=True)
class Tells:
    """What the child says of what happened, once it is asked something like `asked`."""

    asked: Text
    says: Text


@dataclass(frozen=True, slots=True)
class Other:
    """What a child brings that sits beside the first one: its ideas, its mood, and what it tells when it is asked."""

    ideas: Annotated[dict[Text, Firmness], Field(default_factory=dict)]
    mood: Brought = "calm"
    tells: tuple[Tells, ...] = ()


@dataclass(frozen=True, slots=True)
class Parent:
    """The grown-up with whom one talks about the child, which is not there. `who` says whose parent and what else
    matters, `wants` what they came for, `knows` what they tell when asked, `eases` what makes it easier to talk."""

    name: Text
    who: Text
    manner: Text
    wants: Text
    knows: Annotated[Texts, Field(min_length=1, max_length=5)]
    eases: Text


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario. `id` is the file's name; `children` sit there, in this order.

    `ideas` are wrong ideas of the lesson that the child holds; with none of them it is right, and can be taken further.
    `question` is what it was asked before, in a teacher's words, and has answered as its ideas say. Several children
    were all asked it; ideas, mood, opening and tells are the first one's. What another brings stands in `others`, by
    its id; one that does not stand there is calm and right. With a `parent` one talks with them about it, and only
    a capable model can play that.
    """

    id: str
    title: Text
    kind: Kind
    goal: Text
    lesson: Text
    children: Annotated[Texts, Field(min_length=1, max_length=MOST_CHILDREN)]
    time: Text
    before: Text
    counts: Annotated[Texts, Field(min_length=2, max_length=3)]
    ideas: Annotated[dict[Text, Firmness], Field(default_factory=dict)]
    others: Annotated[dict[Text, Other], Field(default_factory=dict)]
    mood: Brought = "calm"
    opening: Text | None = None
    question: Text | None = None
    work: Text | None = None
    tells: tuple[Tells, ...] = ()
    turns: Length | None = None
    minutes: Length | None = None
    page: MaybePage = None
    parent: Parent | None = None

    @property
    def child(self) -> str:
        """Who sits there; of several the first one."""
        return self.children[0]

    def of(self, child: str) -> Scenario:
        """The same as if that child sat there alone."""
        if child == self.child:
            return replace(self, children=(child,))
        own = self.others.get(child)
        return replace(
            self,
            children=(child,),
            ideas=own.ideas if own else {},
            mood=own.mood if own else "calm",
            tells=own.tells if own else (),
            opening=None,
        )

    @property
    def logged_as(self) -> str:
        """What stands in the log in place of a child's id where a parent speaks: nobody takes it for the child."""
        return f"parent of {self.child}"

    @property
    def shown(self) -> Page | None:
        """What lies on the table: the page, or else a sheet with the child's work."""
        return self.page or (Writing.of(self.work) if self.work else None)

    @property
    def length(self) -> str:
        """How long it is meant to take."""
        turns = f"about {self.turns} turns of yours" if self.turns else ""
        minutes = f"about {self.minutes} minutes" if self.minutes else ""
        return ", ".join(filter(None, (turns, minutes)))


def read_scenarios(
    folder: Path, children: Mapping[str, Child], lessons: Mapping[str, Lesson]
) -> dict[str, Scenario]:
    """Every scenario in `folder` by id (the file's name), in the order of the ids; raise `DataError` naming file and
    key."""
    return {path.stem: read_scenario(path, children, lessons) for path in files_in(folder, "*.toml")}


def read_scenario(path: Path, children: Mapping[str, Child], lessons: Mapping[str, Lesson]) -> Scenario:
    """Read one scenario; raise `DataError` naming file and key."""
    scenario = read_toml(Scenario, path, id=path.stem)
    if found := _id_fault(scenario.id) or _names_fault(scenario, children, lessons):
        raise DataError(f"{path.name}: {found}")
    if (scenario.parent is None) is (scenario.kind == "talk-with-a-parent") or (
        scenario.parent is not None and len(scenario.children) > 1
    ):
        raise DataError(
            f"{path.name}: parent: goes with the kind talk-with-a-parent and one child, and only so"
        )
    if scenario.turns is None and scenario.minutes is None:
        raise DataError(f"{path.name}: turns: missing; say how long it takes in turns or minutes")
    return scenario


RESERVED = ("assign", "off", "list")
"""Words that `/student scenario` takes for itself."""


def _id_fault(identifier: str) -> str | None:
    """People type it behind a command, so it is one word and none of the command's own."""
    if identifier.lower() in RESERVED or identifier != "".join(identifier.split()):
        return (
            f"the file's name is what people type, so expected one word that is none of {', '.join(RESERVED)}"
        )
    return None


def _names_fault(
    scenario: Scenario, children: Mapping[str, Child], lessons: Mapping[str, Lesson]
) -> str | None:
    """A name of a child, a lesson or an idea that is not there."""
    for name in scenario.children:
        if name not in children:
            return f"children: no child {name!r}; {near(name, children)}"
    for name in scenario.others:
        if name not in scenario.children[1:]:
            return f"others: expected those who sit beside {scenario.child}; got {name!r}"
    lesson = lessons.get(scenario.lesson)
    if lesson is None:
        return f"lesson: no lesson {scenario.lesson!r}; {near(scenario.lesson, lessons)}"
    for name in scenario.children:
        if found := _ideas_fault(scenario.of(name).ideas, lesson):
            return found if name == scenario.child else f"others.{name}.{found}"
    return None


def _ideas_fault(ideas: Iterable[str], lesson: Lesson) -> str | None:
    known = [each.id for each in lesson.misconceptions]
    for idea in ideas:
        if idea not in known:
            return f"ideas: no wrong idea {idea!r} in the lesson {lesson.id}; {near(idea, known)}"
    return None
