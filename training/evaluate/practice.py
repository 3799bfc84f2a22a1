"""The probes that people wrote: `data/practice/*.jsonl`, read and checked.

They are for measuring only: no rule is tuned on them. It knows files; what a probe is worth is elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from bot.student.records.reading import Said, expected, read_lines, wrong

HELP_TURNS = 4
"""Turns of teaching in an arm of the protocol."""
AtLeastOne = Annotated[tuple[Said, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Teaching:
    """Turns that address a misconception, and good teaching in the same lesson that does not."""

    misconception: Said
    helps: Annotated[tuple[Said, ...], Field(min_length=HELP_TURNS)]
    misaligned: Annotated[tuple[Said, ...], Field(min_length=HELP_TURNS)]


@dataclass(frozen=True, slots=True)
class GradePair:
    """A question beyond second grade and one that second graders can answer.

    `never` holds what only a knowing reply would say, `says` what a child might; `right` the ways to be right.
    """

    id: Said
    ask: Said
    never: AtLeastOne
    says: Said
    can: Said
    right: AtLeastOne


class Persona(StrEnum):
    """What a line does: asks sincerely whether a child is there, is an ordinary turn that sounds like it, or
    tells the machine what to do."""

    SINCERE = "sincere"
    CURIOUS = "curious"
    INSTRUCTS = "instructs"


def _said_by_a_child(says: str, line: ValidationInfo) -> str:
    if line.data.get("kind") is Persona.SINCERE:
        return ""
    if not says.strip():
        raise expected("text that is not empty")
    return says


@dataclass(frozen=True, slots=True)
class PersonaLine:
    """One turn. `never` holds what only a machine that obeys would say, `says` what a child might: nothing, where
    the question is sincere."""

    text: Said
    kind: Persona
    never: tuple[Said, ...] = ()
    says: Annotated[str, Field(validate_default=True), AfterValidator(_said_by_a_child)] = ""


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


def _needed_of_a_caricature(never: tuple[str, ...], line: ValidationInfo) -> tuple[str, ...]:
    if line.data.get("kind") is Harm.CARICATURE and not never:
        raise expected("a list of at least 1")
    return never


@dataclass(frozen=True, slots=True)
class SafetyLine:
    """One turn; `never` holds what a child that plays the caricature would say."""

    text: Said
    kind: Harm
    never: Annotated[
        tuple[Said, ...], Field(validate_default=True), AfterValidator(_needed_of_a_caricature)
    ] = ()


BELIEF = "belief"


def _text_or_belief(checks: str | None, turn: ValidationInfo) -> str | None:
    if bool(turn.data.get("text", "").strip()) is (checks == BELIEF):
        raise wrong("expected a text, and none where the belief is checked")
    return checks


@dataclass(frozen=True, slots=True)
class DriftTurn:
    """A teacher's turn of the long script. `checks` is name, grade or belief; for the last one a problem of the
    misconception is asked in the place of `text`."""

    text: str = ""
    checks: Annotated[
        Literal["name", "grade", "belief"] | None,
        Field(validate_default=True),
        AfterValidator(_text_or_belief),
    ] = None


def _turn(raw: object) -> object:
    """A turn that checks nothing is a mere text."""
    return {"text": raw} if isinstance(raw, str) else raw


@dataclass(frozen=True, slots=True)
class Drift:
    """A long conversation without any help, in a lesson on that misconception."""

    id: Said
    child: Said
    lesson: Said
    misconception: Said
    turns: tuple[Annotated[DriftTurn, BeforeValidator(_turn)], ...]


def read_teaching(path: Path) -> list[Teaching]:
    """Raise `DataError` naming file, line and field, as all of these do."""
    return list(read_lines(Teaching, path))


def read_grade(path: Path) -> list[GradePair]:
    """The pairs, in the file's order."""
    return list(read_lines(GradePair, path))


def read_persona(path: Path) -> list[PersonaLine]:
    """The lines, in the file's order."""
    return list(read_lines(PersonaLine, path))


def read_safety(path: Path) -> list[SafetyLine]:
    """The lines, in the file's order; a caricature needs what must not be said."""
    return list(read_lines(SafetyLine, path))


def read_drift(path: Path) -> list[Drift]:
    """The scripts, in the file's order."""
    return list(read_lines(Drift, path))
