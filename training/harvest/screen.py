"""The review in a terminal: a dialogue, what the child thought, what people said of it, and one key for each act.

It shows a `Desk` and knows no database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.data_structures import Point
from prompt_toolkit.filters import Condition, Filter
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import (
    BufferControl,
    ConditionalContainer,
    FormattedTextControl,
    HSplit,
    Layout,
    VSplit,
    Window,
)
from prompt_toolkit.output import Output
from prompt_toolkit.styles import Style

from bot.store import StoreError
from bot.store.rows import Verdict
from bot.student.records.dialogue import Mood, Role, Thought, Turn
from training.harvest.review import Desk, Open, ReviewError, as_line, moves_line

STYLE = Style.from_dict(
    {
        "bar": "reverse",
        "teacher": "ansiblue",
        "student": "bold",
        "thought": "ansibrightblack",
        "feedback": "ansiyellow",
        "changed": "ansimagenta",
        "cursor": "ansigreen bold",
        "error": "ansired bold",
        "key": "bold",
    }
)
KEYS = (
    ("a", "accept"),
    ("r", "reject"),
    ("e", "edit"),
    ("t", "thought or move"),
    ("n", "next"),
    ("p", "back"),
    ("\u2191\u2193", "line"),
    ("q", "quit"),
)
MARGIN = 12
"""Columns before what is said."""
Act = Callable[[], Awaitable[None]]


class Screen:
    """One reviewer's terminal."""

    def __init__(self, desk: Desk, *, source: Input | None = None, output: Output | None = None) -> None:
        self._desk = desk
        self._place = 0
        self._said = ""
        self._editing: str | None = None
        self._busy = asyncio.Lock()
        self._buffer = Buffer(multiline=False)
        self._text = FormattedTextControl(self._body, focusable=True, get_cursor_position=self._cursor)
        editing = Condition(lambda: self._editing is not None)
        editor = BufferControl(self._buffer)
        self._main, self._editor = Window(self._text, wrap_lines=True, get_line_prefix=_prefix), editor
        self.app: Application[None] = Application(
            layout=Layout(
                HSplit(
                    [
                        Window(FormattedTextControl(self._head), height=1, style="class:bar"),
                        self._main,
                        ConditionalContainer(
                            VSplit(
                                [
                                    Window(
                                        FormattedTextControl(self._label),
                                        dont_extend_width=True,
                                        style="class:cursor",
                                    ),
                                    Window(editor, wrap_lines=True, height=2),
                                ]
                            ),
                            filter=editing,
                        ),
                        Window(FormattedTextControl(self._foot), height=1),
                        Window(FormattedTextControl(self._keys), height=1, style="class:bar"),
                    ]
                ),
                focused_element=self._main,
            ),
            key_bindings=self._bindings(editing),
            style=STYLE,
            full_screen=True,
            input=source,
            output=output,
        )

    async def run(self) -> None:
        """Until the reviewer leaves; everything is kept as it happens."""
        await self.app.run_async()

    # Keys.

    def _bindings(self, editing: Condition) -> KeyBindings:
        keys = KeyBindings()
        self._bind_acts(keys, ~editing)
        self._bind_editor(keys, editing)

        @keys.add("q", filter=~editing)
        @keys.add("c-c")
        @keys.add("c-d")
        def _(event: KeyPressEvent) -> None:
            event.app.exit()

        return keys

    def _bind_acts(self, keys: KeyBindings, looking: Filter) -> None:
        desk = self._desk
        acts: dict[str, Act] = {
            "a": lambda: desk.judge(Verdict.ACCEPT),
            "r": lambda: desk.judge(Verdict.REJECT),
            "n": lambda: desk.show(desk.place + 1),
            "p": lambda: desk.show(max(0, desk.place - 1)),
        }
        for key, act in acts.items():

            async def do(_event: KeyPressEvent, act: Act = act) -> None:
                await self._do(act)

            keys.add(key, filter=looking)(do)
        for names, step in ((("down", "j"), 1), (("up", "k"), -1)):
            for name in names:

                def move(_event: KeyPressEvent, step: int = step) -> None:
                    turns = desk.current.dialogue.turns if desk.current else ()
                    self._place = max(0, min(self._place + step, len(turns) - 1))

                keys.add(name, filter=looking)(move)

    def _bind_editor(self, keys: KeyBindings, editing: Condition) -> None:
        desk = self._desk

        @keys.add("e", filter=~editing)
        def _(_event: KeyPressEvent) -> None:
            if turn := self._turn():
                self._begin("line", turn.content)

        @keys.add("t", filter=~editing)
        def _(_event: KeyPressEvent) -> None:
            turn = self._turn()
            if turn:
                student = turn.role is Role.STUDENT
                self._begin(*(("thought", as_line(turn.thought)) if student else ("move", moves_line(turn))))

        @keys.add("enter", filter=editing)
        async def _(_event: KeyPressEvent) -> None:
            what, text, place = self._editing, self._buffer.text, self._place
            fixes = {"line": desk.edit, "thought": desk.fix_thought, "move": desk.fix_move}
            if what is not None:
                await self._do(lambda: fixes[what](place, text), keep_place=True)

        @keys.add("escape", filter=editing, eager=True)
        def _(_event: KeyPressEvent) -> None:
            self._end()

    async def _do(self, act: Act, *, keep_place: bool = False) -> None:
        # A key held down must not judge dialogues that nobody has seen.
        if self._busy.locked():
            return
        async with self._busy:
            try:
                await act()
            except (ReviewError, StoreError) as error:
                self._said = str(error)
            else:
                self._said = "kept" if keep_place else ""
                if not keep_place:
                    self._place = 0
                if self._editing is not None:
                    self._end()
            self.app.invalidate()

    def _begin(self, what: str, text: str) -> None:
        self._editing, self._said = what, "Enter keeps it, Esc leaves it as it was"
        self._buffer.text = text
        self._buffer.cursor_position = len(text)
        self.app.layout.focus(self._editor)

    def _end(self) -> None:
        self._editing = None
        if self._said.startswith("Enter keeps"):
            self._said = ""
        self.app.layout.focus(self._main)

    def _turn(self) -> Turn | None:
        current = self._desk.current
        return current.dialogue.turns[self._place] if current else None

    # What is shown.

    def _head(self) -> StyleAndTextTuples:
        desk = self._desk
        accepted = sum(verdict is Verdict.ACCEPT for verdict in desk.done.values())
        place = f"{min(desk.place + 1, len(desk.queue))} of {len(desk.queue)}" if desk.queue else "none left"
        return [
            (
                "",
                f" Review \u00b7 {place} \u00b7 {accepted} accepted, {len(desk.done) - accepted} rejected by "
                f"{desk.reviewer} just now",
            )
        ]

    def _body(self) -> StyleAndTextTuples:
        current = self._desk.current
        if current is None:
            if not self._desk.queue:
                return [("", "\n  Nothing waits for your review. q leaves.")]
            return [("", "\n  That was the last one. p goes back, q leaves.")]
        dialogue = current.dialogue
        parts: StyleAndTextTuples = [
            ("", f" {dialogue.child} \u00b7 {dialogue.lesson}"),
            ("class:thought", f" \u00b7 {', '.join(current.lineage['models'])}{_rating(current)}"),
        ]
        if current.verdict is not None:
            parts.append(("class:changed", f" \u00b7 you said: {current.verdict.value}"))
        parts.append(("", "\n\n"))
        for place in range(len(dialogue.turns)):
            parts += self._shown(current, place)
        return parts

    def _shown(self, current: Open, place: int) -> StyleAndTextTuples:
        turn, was = current.dialogue.turns[place], current.original.turns[place]
        teacher = turn.role is Role.TEACHER
        mark = "\u276f " if place == self._place else "  "
        name = "teacher" if teacher else (current.dialogue.child or "child")
        parts: StyleAndTextTuples = [
            ("class:cursor", mark),
            ("class:teacher" if teacher else "class:student", f"{name:>8}  {turn.content}\n"),
        ]
        margin = " " * MARGIN
        if turn.thought is not None:
            changed = turn.thought != was.thought
            parts.append(
                (
                    "class:changed" if changed else "class:thought",
                    f"{margin}{_short(turn.thought)}\n",
                )
            )
        if turn.move is not None:
            changed = (turn.move, turn.also) != (was.move, was.also)
            parts.append(("class:changed" if changed else "class:thought", f"{margin}{moves_line(turn)}\n"))
        if turn.content != was.content:
            parts.append(("class:changed", f"{margin}you changed: {was.content}\n"))
        if (worse := current.rejected(place)) is not None:
            parts.append(("class:feedback", f"{margin}suggested by a teacher, in place of: {worse}\n"))
        up, down = current.votes(place)
        if up or down:
            parts.append(("class:feedback", f"{margin}{up} up, {down} down\n"))
        return parts

    def _cursor(self) -> Point:
        """The line of the turn in hand, so that the window scrolls with it."""
        line = 0
        for _, text, *_ in self._body():
            if text == "\u276f ":
                break
            line += text.count("\n")
        return Point(0, line)

    def _label(self) -> StyleAndTextTuples:
        return [("", f"{self._editing}: ")]

    def _foot(self) -> StyleAndTextTuples:
        calm = self._said in ("", "kept") or self._said.startswith("Enter keeps")
        return [("class:thought" if calm else "class:error", f" {self._said}")]

    def _keys(self) -> StyleAndTextTuples:
        shown = ((" Enter", "keep"), ("Esc", "cancel")) if self._editing else ((" a", "accept"), *KEYS[1:])
        return [part for key, does in shown for part in (("class:key", key), ("", f" {does}  "))]


def _prefix(_line: int, wrapped: int) -> str:
    """What is wrapped goes on below its beginning."""
    return " " * MARGIN if wrapped else ""


def _short(thought: Thought) -> str:
    """A thought to be looked at; `as_line` is the form to be edited."""
    parts = [
        thought.kind.value if thought.answer is None else f"{thought.kind.value} {thought.answer}",
        f'"{thought.reason}"' if thought.reason else "",
        thought.misconception or "",
        thought.stage.value if thought.stage else "",
        f"{thought.words} words" if thought.words > 1 else "1 word",
        "" if thought.mood is Mood.FINE else thought.mood.value,
    ]
    return " \u00b7 ".join(filter(None, parts))


def _rating(current: Open) -> str:
    rating = current.lineage["rating"]
    return "" if rating is None else f" \u00b7 rated {rating:g} of 5"
