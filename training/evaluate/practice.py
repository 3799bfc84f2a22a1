"""The probes that people wrote: `data/practice/*.jsonl`, read and checked field by field.

They are for measuring only: no rule is tuned on them. It knows files; what a probe is worth is elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from bot.student.records.reading import DataError

HELP_TURNS = 4
"""Turns of teaching in an arm of the protocol."""


@dataclass(frozen=True, slots=True)
class Teaching:
    """Turns that address a misconception, and good teaching in the same lesson that does not."""

    misconception: str
    helps: tuple[str, ...]
    misaligned: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GradePair:
    """A question beyond second grade and one that second graders can answer.

    `never` holds what only a knowing reply would say, `says` what a child might; `right` the ways to be right.
    """

    id: str
    ask: str
    never: tuple[str, ...]
    says: str
    can: str
    right: tuple[str, ...]


class Persona(StrEnum):
    """What a line does: asks sincerely whether a child is there, is an ordinary turn that sounds like it, or
    tells the machine what to do."""

    SINCERE = "sincere"
    CURIOUS = "curious"
    INSTRUCTS = "instructs"


@dataclass(frozen=True, slots=True)
class PersonaLine:
    """One turn. `never` holds what only a machine that obeys would say, `says` what a child might."""

    text: str
    kind: Persona
    never: tuple[str, ...]
    says: str


class Harm(StrEnum):
    """What a line is."""

    SEXUAL = "sexual"
    VIOLENT = "violent"
    CRISIS = "crisis"
    GROOMING = "grooming"
    PRIVATE = "private"
    PUPIL_DATA = "pupil_data"
    DISCLOSURE = "disclosure"
    CARICATURE = "caricature"
    HARMLESS = "harmless"


@dataclass(frozen=True, slots=True)
class SafetyLine:
    """One turn; `never` holds what a child that plays the caricature would say."""

    text: str
    kind: Harm
    never: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DriftTurn:
    """A teacher's turn of the long script. `checks` is name, grade or belief; for the last one a problem of the
    misconception is asked in the place of `text`."""

    text: str
    checks: str | None


@dataclass(frozen=True, slots=True)
class Drift:
    """A long conversation without any help, in a lesson on that misconception."""

    id: str
    child: str
    lesson: str
    misconception: str
    turns: tuple[DriftTurn, ...]


BELIEF = "belief"
CHECKS = ("name", "grade", BELIEF)


def read_teaching(path: Path) -> list[Teaching]:
    """Raise `DataError` naming file, line and field, as all of these do."""
    return [
        Teaching(
            row.text("misconception"),
            row.texts("helps", at_least=HELP_TURNS),
            row.texts("misaligned", at_least=HELP_TURNS),
        )
        for row in _rows(path, {"misconception", "helps", "misaligned"})
    ]


def read_grade(path: Path) -> list[GradePair]:
    """The pairs, in the file's order."""
    return [
        GradePair(
            row.text("id"),
            row.text("ask"),
            row.texts("never", at_least=1),
            row.text("says"),
            row.text("can"),
            row.texts("right", at_least=1),
        )
        for row in _rows(path, {"id", "ask", "never", "says", "can", "right"})
    ]


def read_persona(path: Path) -> list[PersonaLine]:
    """The lines, in the file's order; a sincere one needs no reply of a child."""
    found = []
    for row in _rows(path, {"text", "kind", "never", "says"}):
        kind = Persona(row.one_of("kind", list(Persona)))
        says = "" if kind is Persona.SINCERE else row.text("says")
        found.append(PersonaLine(row.text("text"), kind, row.texts("never"), says))
    return found


def read_safety(path: Path) -> list[SafetyLine]:
    """The lines, in the file's order; a caricature needs what must not be said."""
    found = []
    for row in _rows(path, {"text", "kind", "never"}):
        kind = Harm(row.one_of("kind", list(Harm)))
        never = row.texts("never", at_least=int(kind is Harm.CARICATURE))
        found.append(SafetyLine(row.text("text"), kind, never))
    return found


def read_drift(path: Path) -> list[Drift]:
    """The scripts, in the file's order."""
    found = []
    for row in _rows(path, {"id", "child", "lesson", "misconception", "turns"}):
        turns = []
        for each in row.list("turns"):
            raw = {"text": each} if isinstance(each, str) else each
            if not isinstance(raw, dict) or raw.get("checks") not in (None, *CHECKS):
                raise row.fail(
                    "turns", f'expected texts, or objects with "checks", one of {", ".join(CHECKS)}'
                )
            text, checks = raw.get("text", ""), raw.get("checks")
            if not isinstance(text, str) or bool(text.strip()) is (checks == BELIEF):
                raise row.fail("turns", "expected a text, and none where the belief is checked")
            turns.append(DriftTurn(text, checks))
        found.append(
            Drift(
                row.text("id"), row.text("child"), row.text("lesson"), row.text("misconception"), tuple(turns)
            )
        )
    return found


class _Row:
    """One line; its readers name file, line and field when something is wrong."""

    def __init__(self, place: str, raw: dict[str, Any]) -> None:
        self._place, self._raw = place, raw

    def fail(self, field: str, reason: str) -> DataError:
        return DataError(f"{self._place}: {field}: {reason}")

    def text(self, field: str) -> str:
        value = self._raw.get(field)
        if not isinstance(value, str) or not value.strip():
            raise self.fail(field, "expected text that is not empty")
        return value

    def one_of(self, field: str, allowed: Collection[str]) -> str:
        value = self._raw.get(field)
        if value not in allowed:
            raise self.fail(field, f"expected one of {', '.join(allowed)}; got {value!r}")
        return str(value)

    def list(self, field: str) -> list[Any]:
        value = self._raw.get(field, [])
        if not isinstance(value, list):
            raise self.fail(field, "expected a list")
        return value

    def texts(self, field: str, *, at_least: int = 0) -> tuple[str, ...]:
        value = self.list(field)
        if len(value) < at_least or not all(isinstance(each, str) and each.strip() for each in value):
            raise self.fail(field, f"expected a list of at least {at_least} texts")
        return tuple(value)


def _rows(path: Path, known: set[str]) -> Iterator[_Row]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from None
    for number, line in enumerate(lines, start=1):
        place = f"{path}:{number}"
        try:
            raw = json.loads(line)
        except (ValueError, RecursionError):
            raise DataError(f"{place}: not JSON") from None
        if not isinstance(raw, dict):
            raise DataError(f"{place}: expected an object")
        if unknown := sorted(set(raw) - known):
            raise DataError(f"{place}: unknown field {unknown[0]!r}; there are: {', '.join(sorted(known))}")
        yield _Row(place, raw)
