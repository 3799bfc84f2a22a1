"""What there is to choose from, as people see it and as it is typed: for the completions and pickers of all platforms.

It knows data and names; a platform knows how many it can show, and how.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from bot.practice import Practice
    from bot.student.records.child import Child
    from bot.student.records.lesson import Lesson

Pick = Literal["child", "lesson", "scenario", "model"]
PICKS: tuple[Pick, ...] = get_args(Pick)
"""The subcommands with which one chooses."""
ASSIGN = "assign "
Choice = tuple[str, str]
"""How it is shown, and what is typed behind the subcommand."""


class Choices:
    """All that can be chosen; `models` gives the names there are at the moment."""

    def __init__(
        self,
        models: Callable[[], Sequence[str]],
        children: Mapping[str, Child],
        lessons: Mapping[str, Lesson],
        find_lessons: Callable[[str], list[str]],
        practice: Practice,
    ) -> None:
        self._models = models
        self._children = children
        self._lessons = lessons
        self._find_lessons = find_lessons
        self._practice = practice

    def of(self, what: Pick, typed: str = "") -> list[Choice]:
        """Those that hold what was typed, all where nothing was."""
        match what:
            case "model":
                return [(name, name) for name in self._models() if typed.lower() in name.lower()]
            case "child":
                return list(self._named(typed))
            case "lesson":
                found = self._find_lessons(typed)
                return [(f"{self._lessons[each].title} ({each})", each) for each in found]
            case "scenario":
                before = ASSIGN if typed.lower().startswith(ASSIGN) else ""
                found_ = self._practice.find(typed[len(before) :])
                return [(self._practice.summary(each), before + each.id) for each in found_]

    def _named(self, typed: str) -> Iterator[Choice]:
        """Several names may be typed: those that are there stay, the last one is completed."""
        before, _space, last = typed.replace(",", " ").rpartition(" ")
        for child in self._children.values():
            manner = ", ".join(child.temperament)
            if last.lower() in f"{child.id} {child.name} {manner}".lower():
                yield f"{before} {child.name}, {manner}".strip(), f"{before} {child.id}".strip()
