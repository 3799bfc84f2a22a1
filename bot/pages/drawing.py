"""A page as a picture, and as a file for a chat. How a kind is drawn is its family's file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from bot.messages import Attachment
from bot.pages import counted, measured, written
from bot.pages.layout import Sheet
from bot.pictures.marks import Picture
from bot.pictures.png import png
from bot.student.records.pages.counted import Array, BarGraph, Coins, LinePlot, Shares
from bot.student.records.pages.measured import Clock, NumberLine, Ruler
from bot.student.records.pages.page import Page
from bot.student.records.pages.written import FactPage, Map, Writing

DRAWN_BY: dict[type[Page], Callable[[Any], Sheet]] = {
    Clock: measured.clock,
    Ruler: measured.ruler,
    NumberLine: measured.number_line,
    BarGraph: counted.bar_graph,
    LinePlot: counted.line_plot,
    Array: counted.array,
    Shares: counted.shares,
    Coins: counted.coins,
    Writing: written.writing,
    FactPage: written.fact_page,
    Map: written.a_map,
}
"""Every kind of page and what draws it."""
NAME = "page.png"


def picture(page: Page) -> Picture:
    """The page, and the same in words."""
    sheet = DRAWN_BY[type(page)](page)
    return Picture(sheet.width, sheet.height, sheet.marks, page.told)


async def files(page: Page | None) -> tuple[Attachment, ...]:
    """The page as a file, for what a command shows; nothing where there is none."""
    if page is None:
        return ()
    drawn = picture(page)
    return (Attachment(NAME, await asyncio.to_thread(png, drawn), drawn.alt),)
