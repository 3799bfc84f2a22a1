"""The subcommands of /student, one row each: what people see of them and which method of `Commands` does them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.commands import Commands
    from bot.messages import Place, Shown


@dataclass(frozen=True, slots=True)
class Subcommand:
    """One subcommand as people see it, and what it does with what stands behind its name. `argument` is "" where
    it takes none."""

    name: str
    argument: str
    does: str
    run: Callable[[Commands, Place, str, str | None], Awaitable[Shown]]
    """Given the place, who asks (as a hash), and the text behind the name, None where there is none."""


SUBCOMMANDS = (
    Subcommand(
        "model",
        "[name]",
        "show the models, or switch this conversation to one",
        lambda do, place, _, text: do.model(place, text),
    ),
    Subcommand(
        "child",
        "[name or names]",
        "show the children, or choose who sits here: one, or up to five",
        lambda do, place, _, text: do.child(place, text),
    ),
    Subcommand(
        "lesson",
        "[id or words]",
        "show or search the lessons, or choose one",
        lambda do, place, _, text: do.lesson(place, text),
    ),
    Subcommand(
        "scenario",
        "[id, words, list, off or assign id]",
        "what you practise here: show it, find and choose one",
        lambda do, place, _, text: do.practice.scenario(place, text),
    ),
    Subcommand(
        "again",
        "[turn]",
        "another try: go back to before one of your turns",
        lambda do, place, _, text: do.practice.again(place, text),
    ),
    Subcommand(
        "status",
        "",
        "model, child, lesson and figures of this conversation",
        lambda do, place, *_: do.status(place),
    ),
    Subcommand(
        "new",
        "",
        "start a fresh conversation; the child forgets this one",
        lambda do, place, *_: do.new(place),
    ),
    Subcommand(
        "done",
        "",
        "end this practice with a word on it, for you alone; the next turn begins a fresh one",
        lambda do, place, author, _: do.done(place, author),
    ),
    Subcommand(
        "debrief",
        "[move TURN MOVE]",
        "a word on your practice here, for you alone; or put right how a turn of yours was heard",
        lambda do, place, author, text: do.debrief(place, author, text),
    ),
    Subcommand(
        "growth",
        "",
        "your practices over weeks, for you alone: talk moves, asked and told, helps that moved the child",
        lambda do, _, author, __: do.growth(author),
    ),
    Subcommand(
        "web",
        "",
        "a link into the web classroom, for you alone: it works once, within ten minutes",
        lambda do, _, author, __: do.web(author),
    ),
    Subcommand(
        "privacy",
        "[on|off|forget|export]",
        "whether your turns may be used for training",
        lambda do, _, author, text: do.privacy(author, text),
    ),
    Subcommand(
        "rate",
        "[nine scores 1-5] [comment]",
        "rate this conversation by the rubric",
        lambda do, place, author, text: do.opinions.rate_line(place, author, text or ""),
    ),
    Subcommand("about", "", "what this is", lambda do, *_: do.about()),
    Subcommand("help", "", "this list", lambda do, *_: do.help()),
)
"""All there are, in the order in which they are shown."""
