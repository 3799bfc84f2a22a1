"""Where harvested dialogues come from, for whoever trains on them: how deep, which turns, who taught, who left.

It reads the sidecars of the harvested files; the dialogues themselves may be anywhere, in a split for example, since
an id tells them. It knows neither the log nor any model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.store.harvested import DIALOGUES, read_lineage
from bot.student.records.dialogue import Dialogue
from bot.student.records.reading import DataError, parse
from bot.student.records.text import files_in

HARVESTED = "harvested"
"""The source of a dialogue that was found in the log."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where one harvested dialogue comes from, as far as training asks: how many generations of a model's words deep
    it is, the logged turns it was made of, who taught. `gone` says since when somebody in it wants to be left out."""

    generation: int | None = None
    turns: tuple[int, ...] = ()
    teachers: tuple[str, ...] = ()
    gone: str | None = None


@dataclass(frozen=True, slots=True)
class Origins:
    """`known` holds the lineage of each harvested dialogue by its id."""

    known: Mapping[str, Lineage] = field(default_factory=dict)

    @classmethod
    def read(cls, data: Path) -> Origins:
        """All sidecars of the folder `data`. Raises `DataError` for one that cannot be read."""
        known: dict[str, Lineage] = {}
        try:
            for path in files_in(data / DIALOGUES, "harvested-*.lineage.json"):
                for identifier, told in read_lineage(path)["dialogues"].items():
                    known[identifier] = parse(Lineage, told, place=f"{path}: {identifier}", known_only=False)
        except (OSError, ValueError) as error:
            raise DataError(f"lineage of harvested dialogues: {error}") from None
        return cls(known)

    def left(self, dialogue: Dialogue) -> bool:
        """Whether somebody in it has asked to be left out since: then no copy of it is of any use."""
        return self._of(dialogue).gone is not None

    def groups(self, dialogues: Iterable[Dialogue]) -> dict[str, str]:
        """For each harvested dialogue the name of its group: those with a teacher in common, over however many
        dialogues. Of whom nobody knows who taught, all are one group.
        """
        first: dict[str, str] = {}

        def group(teacher: str) -> str:
            while (before := first.setdefault(teacher, teacher)) != teacher:
                first[teacher] = first[before]
                teacher = before
            return teacher

        taught = {each.id: self._teachers(each) for each in dialogues if each.source == HARVESTED}
        for teachers in taught.values():
            lowest, *others = sorted(group(each) for each in teachers)
            first.update(dict.fromkeys(others, lowest))
        return {identifier: group(teachers[0]) for identifier, teachers in taught.items()}

    def generation(self, dialogues: Iterable[Dialogue]) -> int | None:
        """How many generations of a model's words deep the deepest dialogue is: 0 is written by people, imported
        ones included; None where a harvested one's lineage is not known."""
        depths = [self._of(each).generation for each in dialogues if each.source == HARVESTED]
        whole = [each for each in depths if each is not None]
        return max(whole, default=0) if len(whole) == len(depths) else None

    def lineage(self, dialogues: Iterable[Dialogue]) -> dict[str, tuple[int, ...]]:
        """For each harvested dialogue the ids of the logged turns that it was made of."""
        return {each.id: self._of(each).turns for each in dialogues if each.source == HARVESTED}

    def _teachers(self, dialogue: Dialogue) -> tuple[str, ...]:
        return self._of(dialogue).teachers or ("",)

    def _of(self, dialogue: Dialogue) -> Lineage:
        return self.known.get(dialogue.id, Lineage())
