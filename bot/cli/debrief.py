"""`debrief`: a word to a teacher on a logged practice, in this terminal or as a page."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.markup import escape

from bot.app import read_data
from bot.cli.exits import fail
from bot.config import Settings
from bot.debrief import telling
from bot.debrief.build import MOST_TURNS
from bot.debrief.command import Debriefs
from bot.debrief.page import page
from bot.debrief.record import Debrief
from bot.store import Store


async def debrief(settings: Settings, number: int | None, teacher: int | None) -> Debrief:
    """The debrief of the conversation of that number, or of the newest one in this terminal; of several teachers the
    one of that number, counted in the order in which they first spoke."""
    store = await Store.open(settings.database_url, read_only=True)
    try:
        if number is None:
            found = await store.practices.newest("console", "terminal", None)
        else:
            found = await store.practices.get(number)
        if found is None:
            fail(
                "nothing was said in this terminal yet"
                if number is None
                else f"there is no conversation {number}"
            )
        turns, _ = await store.practices.said(found.id, MOST_TURNS)
        people = list(dict.fromkeys(each.author_hash for each in turns if each.author_hash))
        if not people:
            fail(f"nothing of conversation {found.id} is left")
        if teacher is None and len(people) > 1:
            fail(
                f"{len(people)} teachers spoke in conversation {found.id}: choose with --teacher 1 to {len(people)}"
            )
        if teacher is not None and not 1 <= teacher <= len(people):
            fail(f"--teacher: expected 1 to {len(people)}, got {teacher}")
        children, curriculum = read_data(settings)
        return await Debriefs(settings, store, children, curriculum).of(found, people[(teacher or 1) - 1])
    finally:
        await store.aclose()


def show(told: Debrief) -> None:
    """Print it, one part after the other."""
    console = Console(highlight=False)
    console.print(f"[bold]{escape(telling.opening(told))}[/]\n")
    for name, text in telling.rows(told):
        console.print(f"[cyan]{escape(name)}[/]\n{escape(text)}\n")
    console.print(f"[dim]{escape(' '.join(telling.limits(told)))}[/]")


def write(told: Debrief, out: Path) -> None:
    """Write the page; a folder that is not there is said to be."""
    try:
        out.write_text(page(told), encoding="utf-8")
    except OSError as error:
        fail(f"{out}: cannot be written ({error.strerror})")
