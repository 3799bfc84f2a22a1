"""All kinds of pages, and how one is read: `kind` says which, the other keys are that kind's own."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import PlainValidator

from bot.student.records.pages.counted import Array, BarGraph, Coins, LinePlot, Shares
from bot.student.records.pages.measured import Clock, NumberLine, Ruler
from bot.student.records.pages.written import FactPage, Map, Writing
from bot.student.records.reading import expected, near, parse, wrong

Page = Clock | Ruler | NumberLine | BarGraph | LinePlot | Array | Shares | Coins | Writing | FactPage | Map
KINDS: tuple[type[Page], ...] = (
    Clock,
    Ruler,
    NumberLine,
    BarGraph,
    LinePlot,
    Array,
    Shares,
    Coins,
    Writing,
    FactPage,
    Map,
)
_BY_NAME = {each.kind: each for each in KINDS}


def _read(raw: Any) -> Page:
    if not isinstance(raw, dict):
        raise expected("an object")
    kind = raw.get("kind")
    if kind not in _BY_NAME:
        raise wrong(f"kind: no kind of page {kind!r}; {near(str(kind), _BY_NAME)}")
    page: Page = parse(_BY_NAME[kind], {key: value for key, value in raw.items() if key != "kind"})
    return page


MaybePage = Annotated[Page | None, PlainValidator(_read)]
"""The key `page` of a lesson or a scenario."""
