"""A child: who is speaking. Read from `data/children/*.toml`; nothing here decides anything.

How the words come out is `voice`, what the child believes in a conversation is `mind`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bot.student.records.toml import Table

TEMPERAMENTS = ("talkative", "shy", "silly", "careful", "easily tired")
COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "red")
SAYS = (
    "greets",  # to hello
    "chats",  # to small talk about the child's own life
    "wanders",  # off-task, out of nowhere
    "glad",  # to praise
    "agrees",  # to "ok, let's start", "good", management
    "unsure",  # does not know
    "guesses",  # before or after a guess
    "puzzled",  # at grown-up words, machine talk, things of later grades
    "tired",
    "upset",
    "asks",  # asks back
    "shrugs",  # says in a word or two how it got there
)


@dataclass(frozen=True, slots=True)
class Child:
    """One simulated second grader. `says` holds the child's own lines by occasion (see `SAYS`)."""

    id: str
    name: str
    age: int
    colour: str
    voice: str
    temperament: tuple[str, ...]
    reading_level: str
    interests: tuple[str, ...]
    family: tuple[str, ...]
    strengths: tuple[str, ...]
    misconceptions: tuple[str, ...]
    stubbornness: float
    says: dict[str, tuple[str, ...]]


def read_child(path: Path) -> Child:
    """Read one child; raise `DataError` naming file and key."""
    table = Table.read(path)
    says = table.table("says")
    child = Child(
        id=path.stem,
        name=table.text("name"),
        age=table.integer("age", 7, 8),
        colour=table.one_of("colour", COLOURS),
        voice=table.one_of("voice", ("spoken", "typed")),
        temperament=table.texts("temperament", at_least=1),
        reading_level=table.text("reading_level"),
        interests=table.texts("interests", at_least=3),
        family=table.texts("family", at_least=2),
        strengths=table.texts("strengths", at_least=1),
        misconceptions=table.texts("misconceptions", at_least=1),
        stubbornness=table.fraction("stubbornness"),
        says={occasion: says.texts(occasion, at_least=3) for occasion in SAYS},
    )
    says.done()
    table.done()
    for word in child.temperament:
        if word not in TEMPERAMENTS:
            raise table.fail("temperament", f"expected some of {', '.join(TEMPERAMENTS)}; got {word!r}")
    if len(child.misconceptions) > 3:  # noqa: PLR2004 - a persona with more is a caricature
        raise table.fail("misconceptions", "expected one to three")
    return child


def read_children(folder: Path) -> dict[str, Child]:
    """Every child in `folder` by id (the file's name), in the order of the ids."""
    return {path.stem: read_child(path) for path in sorted(folder.glob("*.toml"))}
