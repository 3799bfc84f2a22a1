"""The terminal as a platform: one teacher, one child, with history, a spinner and /student commands.

It knows the classroom and the commands; nothing of models and of the store.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import WordCompleter
from prompt_toolkit.formatted_text import HTML
from prompt_toolkit.history import FileHistory
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot.classroom import Classroom
from bot.commands import Commands
from bot.messages import CommandError, Message, Outgoing, Place, Shown, clean_text
from bot.student.records.child import Child
from bot.student.records.dialogue import MAX_TURN_CHARACTERS
from bot.student.records.lesson import Lesson
from bot.subcommands import SUBCOMMANDS

LEAVE = frozenset({"/quit", "/exit", "/bye"})


class _Screen:
    """Shows answers as they come, under the child's name and colour."""

    def __init__(self, console: Console, colour: str) -> None:
        self._console = console
        self._colour = colour

    async def thinking(self) -> None:
        """The spinner already turns."""

    async def send(self, outgoing: Outgoing) -> str | None:
        """Print one answer; a terminal has no message ids."""
        if outgoing.speaker:
            name = f"[bold {self._colour}]{escape(outgoing.speaker)}[/]"
            self._console.print(f"{name}  {escape(outgoing.text)}\n")
        else:
            self._console.print(f"[dim]{escape(outgoing.text)}[/]\n")
        return None

    async def find(self, outgoing: Outgoing) -> list[str]:  # noqa: ARG002 - the protocol's name
        """A terminal's past is nobody's."""
        return []

    async def tell(self, text: str) -> bool:
        """There is nobody else here."""
        await self.send(Outgoing(text, None))
        return True


class ConsoleChat:
    """One conversation in the terminal. Lines come from a prompt with history, or from a pipe."""

    def __init__(
        self, classroom: Classroom, commands: Commands, place: Place, author_hash: str, *, history: Path
    ) -> None:
        self._classroom = classroom
        self._commands = commands
        self._place = place
        self._author_hash = author_hash
        self._console = Console(highlight=False)
        self._history = history

    async def serve(self, child: Child, lesson: Lesson, seed: int | None = None) -> None:
        """Talk until the teacher leaves with Ctrl-D, Ctrl-C or /quit."""
        colour = child.colour
        self._console.print(
            f"\n[bold {colour}]{child.name}[/], {child.age}, second grade. [dim]A simulated student.[/]\n"
            f"[dim]Lesson:[/] {lesson.title} [dim]({lesson.standard})[/]\n"
            f"[dim]For instance:[/] {(lesson.asks or [lesson.questions[0].ask])[0]}\n"
            "[dim]/student help lists the commands; Ctrl-D leaves.[/]\n"
        )
        interactive = sys.stdin.isatty()
        lines = self._prompted() if interactive else self._piped()
        async for line in lines:
            if line.strip().lower() in LEAVE:
                break
            if line.lstrip().startswith("/"):
                await self._command(line.strip())
            else:
                await self._say(line, colour, seed)
        if not await self._commands.is_new(self._place):
            self._console.print("[dim]A word on this practice: python -m bot debrief --out debrief.html[/]")
        if interactive:
            self._console.print(f"[dim]{child.name} waves. Bye![/]")

    async def _say(self, line: str, colour: str, seed: int | None) -> None:
        if any("\ud800" <= character <= "\udfff" for character in line):
            self._console.print("[dim]That was not valid UTF-8 text; please type it again.[/]")
            return
        if len(line) > MAX_TURN_CHARACTERS:
            self._console.print(
                f"[dim]That is {len(line)} characters; please use at most {MAX_TURN_CHARACTERS}.[/]"
            )
            return
        text = clean_text(line)
        if not text:
            return
        message = Message(
            key=f"console:{uuid.uuid4()}",
            platform=self._place.platform,
            channel=self._place.channel,
            thread=self._place.thread,
            author="",
            author_hash=self._author_hash,
            text=text,
            sent_at=datetime.now(UTC),
        )
        with self._console.status("[dim]thinking[/]", spinner="dots"):
            await self._classroom.receive(message, _Screen(self._console, colour), seed=seed)

    async def _command(self, line: str) -> None:
        name, _, rest = line.partition(" ")
        if name != "/student":
            self._console.print(
                "[dim]Commands begin with /student; /student help lists them, /quit leaves.[/]\n"
            )
            return
        try:
            self._show(await self._commands.run(rest, self._place, self._author_hash))
        except CommandError as error:
            self._console.print(f"[dim]{escape(str(error))}[/]\n")
            return
        if rest.lower().split() == ["privacy", "forget"]:
            self._history.unlink(missing_ok=True)  # what was typed here, too

    def _show(self, shown: Shown) -> None:
        self._console.print(escape(shown.text))
        if shown.rows:
            table = Table(show_header=False, box=None, padding=(0, 2))
            for name, value in shown.rows:
                table.add_row(f"[cyan]{escape(name)}[/]", escape(value))
            self._console.print(table)
        if shown.link:
            self._console.print(escape(shown.link), soft_wrap=True)
        self._console.print(f"[dim]{escape(shown.hint)}[/]\n" if shown.hint else "")

    async def _prompted(self) -> AsyncIterator[str]:
        self._history.parent.mkdir(parents=True, exist_ok=True)
        words = WordCompleter([f"/student {each.name}" for each in SUBCOMMANDS], sentence=True)
        session: PromptSession[str] = PromptSession(
            history=FileHistory(str(self._history)), completer=words, complete_while_typing=False
        )
        while True:
            try:
                yield await session.prompt_async(HTML("<b>you</b>  "))
            except (EOFError, KeyboardInterrupt):
                return

    async def _piped(self) -> AsyncIterator[str]:
        lines: asyncio.Queue[str] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def read() -> None:
            with contextlib.suppress(RuntimeError):  # the loop is gone, and so are we
                for line in open(0, encoding="utf-8", errors="surrogateescape", closefd=False):  # noqa: SIM115
                    loop.call_soon_threadsafe(lines.put_nowait, line)
                loop.call_soon_threadsafe(lines.put_nowait, "")

        # A thread of its own that nobody waits for: a pipe that stays open must not keep the program.
        threading.Thread(target=read, daemon=True).start()
        while line := await lines.get():
            if line.strip():
                readable = (
                    line.rstrip().encode(errors="replace").decode()
                )  # what is not UTF-8 cannot be printed
                self._console.print(f"[bold]you[/]  {escape(readable)}")
                yield line.rstrip("\n")
