"""docs/curriculum.md, made from the standards and the lessons: which lesson practises which standard, and what a chat
cannot. Run: python -m benchmarks.curriculum, with --write to renew the page.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path

from bot.student.lessons import read_lessons
from bot.student.records.lesson import Lesson
from training.corpus.standards import Asked, Standards

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "curriculum.md"
HEAD = """# The curriculum

Which standards of grade 2 the lessons practise. Made from `data/reference/standards.toml` and `data/lessons` by
`python -m benchmarks.curriculum --write`; a test holds it to them.

CCSS: Common Core State Standards (mathematics; English language arts). NGSS: Next Generation Science Standards.
C3: College, Career and Civic Life Framework, whose grades K-2 are one column. What a standard asks is said in our own
short words; the documents themselves hold. A lesson practises a piece of its standard, by talking or typing: nobody
measures, draws or reads aloud in a chat, one talks about it.
"""
_SUBJECT = "| standard | asks | lessons |\n|---|---|---|\n"
_NOT_PRACTISED = "*not in a chat:*"
_MISSING = "**none yet**"


def drawn(standards: Standards, lessons: Mapping[str, Lesson]) -> str:
    """The page for these standards and lessons, with its last line end."""
    return HEAD + "\n" + _counts(standards, lessons) + "".join(_parts(standards, lessons))


def _counts(standards: Standards, lessons: Mapping[str, Lesson]) -> str:
    cover, asked = standards.lessons(lessons), list(standards.all())
    practised = [each for each in asked if each.practised]
    covered = sum(bool(cover[each.code]) for each in practised)
    return (
        f"{len(lessons)} lessons. Of {len(asked)} standards a chat can practise {len(practised)}; "
        f"{covered} of these have a lesson.\n"
    )


def _parts(standards: Standards, lessons: Mapping[str, Lesson]) -> Iterator[str]:
    cover = standards.lessons(lessons)
    for subject, domains in groupby(standards.domains, key=lambda domain: domain.subject):
        yield f"\n## {subject.capitalize()}\n\n{_SUBJECT}"
        for domain in domains:
            yield f"| **{domain.name}** | | |\n"
            yield from (_row(asked, cover[asked.code]) for asked in domain.standards)
    others = [each for each in standards.other_grades if _on(each.code, lessons)]
    if others:
        yield "\n## Of other grades\n\nKept, and said to be so.\n\n"
        yield "| standard | grade | asks | lessons | why |\n|---|---|---|---|---|\n"
        for each in others:
            named = _named(_on(each.code, lessons))
            yield f"| {each.code} | {each.grade} | {each.asks} | {named} | {each.because} |\n"


def _row(asked: Asked, found: tuple[Lesson, ...]) -> str:
    what = _named(found) if asked.practised else f"{_NOT_PRACTISED} {asked.because}"
    return f"| {asked.code} | {asked.asks} | {what or _MISSING} |\n"


def _on(code: str, lessons: Mapping[str, Lesson]) -> tuple[Lesson, ...]:
    return tuple(lesson for lesson in lessons.values() if lesson.standard == code)


def _named(found: tuple[Lesson, ...]) -> str:
    return "; ".join(f"[{lesson.title}](../data/lessons/{lesson.id}.toml)" for lesson in found)


def main() -> None:
    """Print the page, or write it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--write", action="store_true", help="renew docs/curriculum.md")
    page = drawn(Standards.read(ROOT / "data"), read_lessons(ROOT / "data" / "lessons"))
    if parser.parse_args().write:
        PAGE.write_text(page, encoding="utf-8")
    else:
        print(page, end="")


if __name__ == "__main__":
    main()
