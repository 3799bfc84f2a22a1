"""A blind session on paper: a page to print for one rater, and the key by which the ticks are typed in later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from bot.student.records.reading import read_json
from training.evaluate.blind import Session, questions


@dataclass(frozen=True, slots=True)
class Key:
    """Of a key what it takes to type the ticks in: whose answers they are, and whose order they stand in."""

    ours: str
    theirs: str
    rater: str


def read_key(path: Path) -> Key:
    """The key that was written with a sheet; raise `DataError`."""
    return read_json(Key, path)


def sheet(session: Session, rater: str) -> tuple[str, Mapping[str, Any]]:
    """A page to print with this rater's questions, and the key to it, which must not be printed along."""
    asked = questions(session.pairs, rater, session.seed)
    items = "".join(
        f"<li><p>{escape(each.pair.child.title())}, {escape(each.pair.lesson)}</p>"
        + (f"<p class=before>{escape(each.pair.before)}</p>" if each.pair.before else "")
        + f"<p>Teacher: {escape(each.pair.teacher)}</p><ol type=A><li>{escape(each.answers[0])}</li>"
        f"<li>{escape(each.answers[1])}</li></ol><p>☐ A &emsp; ☐ B &emsp; ☐ cannot tell</p></li>"
        for each in asked
    )
    page = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Which sounds like a child?</title>'
        "<style>body{font:12pt/1.4 Georgia,serif;max-width:42rem;margin:1rem auto;padding:0 1rem}"
        "ol{padding-left:2rem}body>ol>li{break-inside:avoid;margin:0 0 1.4rem}p{margin:.25rem 0}"
        ".before{color:#555;white-space:pre-line}</style></head><body><h1>Which sounds like a second grader?</h1>"
        f"<p>Rater: {escape(rater)}. For each, tick the answer that sounds more like a child of seven or eight.</p>"
        f"<ol>{items}</ol></body></html>\n"
    )
    key = {
        "ours": session.ours,
        "theirs": session.theirs,
        "rater": rater,
        "key": {str(each.number): {"A": each.choice("first"), "B": each.choice("second")} for each in asked},
    }
    return page, key
