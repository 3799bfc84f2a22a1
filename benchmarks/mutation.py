"""Does a test notice when a reader goes? Takes one reader at a time away and runs the tests of its room.

Run: python -m benchmarks.mutation [knowing|problems|hearing]. Prints every survivor, and how many were tried. A reader
is an entry of `knowing.known`, of a problem's kind (how it is read, its right answer, the way there, each bug, other
ways to give the answer), a reading of the ear, or a pattern or form that one of them goes by.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from rich.progress import track

ROOT = Path(__file__).parents[1]
NEVER = re.compile(r"(?!)")
TESTS = {
    "knowing": ["tests/student/knowing"],
    "problems": ["tests/student/problems"],
    "hearing": ["tests/student/hearing"],
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One reader gone; `apply` takes it away in this process."""

    room: str
    name: str
    apply: Callable[[], None]


def mutants() -> Iterator[Mutant]:
    """Every reader of the three rooms."""
    yield from _knowing()
    yield from _problems()
    yield from _hearing()


def _without(module: ModuleType, name: str, gone: object) -> Callable[[], None]:
    def apply() -> None:
        setattr(module, name, tuple(each for each in getattr(module, name) if each is not gone))

    return apply


def _knowing() -> Iterator[Mutant]:
    known: Any = importlib.import_module("bot.student.knowing.known")
    for reader in known._READERS:  # noqa: SLF001 - what is tried is what is there
        yield Mutant("knowing", reader.__name__, _without(known, "_READERS", reader))


def _problems() -> Iterator[Mutant]:
    kinds: Any = importlib.import_module("bot.student.problems.kinds")

    def change(kind: Any, **changed: Any) -> Callable[[], None]:
        def apply() -> None:
            kinds.KINDS = tuple(replace(each, **changed) if each is kind else each for each in kinds.KINDS)

        return apply

    readers = dict.fromkeys(kind.read for kind in kinds.KINDS)
    for reader in readers:

        def apply(reader: Any = reader) -> None:
            kinds.KINDS = tuple(
                replace(each, read=lambda _: None) if each.read is reader else each for each in kinds.KINDS
            )

        yield Mutant("problems", f"read: {reader.__module__}.{reader.__name__}", apply)
    for kind in kinds.KINDS:
        yield Mutant("problems", f"{kind.name}: right", change(kind, right=lambda _: "?"))
        yield Mutant("problems", f"{kind.name}: explain", change(kind, explain=lambda _: ("?",)))
        if kind.accepted.__name__ != "_only_the_right_one":
            yield Mutant(
                "problems", f"{kind.name}: accepted", change(kind, accepted=lambda problem: (problem.right,))
            )
        for bug in kind.bugs:
            others = tuple(each for each in kind.bugs if each is not bug)
            yield Mutant("problems", f"{kind.name}: bug {bug.id}", change(kind, bugs=others))


def _hearing() -> Iterator[Mutant]:
    ear: Any = importlib.import_module("bot.student.hearing.ear")
    for reading in ear._READINGS:  # noqa: SLF001
        yield Mutant("hearing", f"reading {reading.__name__}", _without(ear, "_READINGS", reading))
    patterns: Any = importlib.import_module("bot.student.hearing.patterns")
    for name in ("ear", "form", "patterns", "stated"):
        module = importlib.import_module(f"bot.student.hearing.{name}")
        for attribute, value in vars(module).items():
            if not isinstance(value, re.Pattern):
                continue

            def apply(module: ModuleType = module, attribute: str = attribute, value: Any = value) -> None:
                setattr(module, attribute, NEVER)
                patterns.SOCIAL = tuple(
                    (NEVER if pattern is value else pattern, move) for pattern, move in patterns.SOCIAL
                )

            yield Mutant("hearing", f"{name}.{attribute}", apply)


def survives(mutant: Mutant) -> bool:
    """Whether the room's tests pass without it; tried in a process of its own."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status) == 0
    mutant.apply()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        found = pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", *TESTS[mutant.room]])
    os._exit(0 if found == 0 else 1)


def main() -> None:
    """Try each and print the survivors."""
    os.chdir(ROOT)
    rooms = sys.argv[1:] or list(TESTS)
    tried = [mutant for mutant in mutants() if mutant.room in rooms]
    left = [mutant for mutant in track(tried, "taking readers away") if survives(mutant)]
    for mutant in left:
        print(f"survives: {mutant.room}: {mutant.name}")
    print(f"{len(tried)} readers taken away, {len(left)} unnoticed")
    sys.exit(bool(left))


if __name__ == "__main__":
    main()
