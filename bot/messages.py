"""What crosses between an edge and the core: messages and commands in, answers out.

Plain values of the program's own. No platform's object crosses this line, and nothing here knows a platform,
a model or the store.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bot.markup import without_markup
from bot.student.records.dialogue import MAX_TURN_CHARACTERS, MoveKind, Thought


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was said: the conversation it belongs to. `thread` is None outside of threads."""

    platform: str
    channel: str
    thread: str | None


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a person. `key` is unique per message ("discord:123"), `author` the platform's user id;
    `thread` is None outside of threads. `text` is clean (see `clean_text`)."""

    key: str
    platform: str
    channel: str
    thread: str | None
    author: str
    text: str
    sent_at: datetime
    author_hash: str = ""
    """Set instead of `author` when a message comes back from the store, where ids are only hashes."""
    private: bool = False
    """Set by the classroom where it took a real person's data out of `text`."""
    given: str | None = None
    """What the child has said to it, where a conversation is told and not held."""

    @property
    def place(self) -> Place:
        """The conversation it belongs to."""
        return Place(self.platform, self.channel, self.thread)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is to be shown: the child's words under its name, or a notice of the program itself."""

    text: str
    speaker: str | None
    """The child's name, or None for a notice."""
    first: bool = False
    """Whether it answers the first message of a conversation."""
    nonce: str = field(default="", compare=False)
    """What it is known by when it has to be found again; "" for what is said once and not kept."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one message. `speaker` is None for a notice; then there is no thought and no model."""

    text: str
    speaker: str | None
    child: str
    lesson: str
    move: MoveKind | None = None
    thought: Thought | None = None
    voiced: str | None = None
    model: str | None = None
    version: str | None = None
    latency_ms: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None
    flag: str | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file beside what a command shows; `alt` says what is in it."""

    name: str
    content: bytes
    alt: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What a command shows: a line of text, then rows of name and value, then a line about what to do next. `files` say
    nothing that the rows do not say, too: not every platform can show them to one person alone."""

    text: str
    rows: tuple[tuple[str, str], ...] = ()
    hint: str = ""
    file: bool = False
    """Whether the text is to be kept as it is: sent as a file where there are files."""
    files: tuple[Attachment, ...] = ()
    link: str = ""
    """An address to open; shown so that it can be, and to that person alone."""
    all_told: str = ""
    """What everybody in a shared place is told of it, where the rest (files, too) is for that person alone."""


class CommandError(ValueError):
    """The command cannot be done; the message says what would be right, in one line."""


class NotSent(RuntimeError):
    """The platform did not take an answer; the message says why."""


class NotYet(RuntimeError):
    """The platform does not take it now; later it may, after `seconds` where it named them.

    `may_be_there` says that it may have been taken all the same: then it is looked for before it is sent again.
    """

    def __init__(self, reason: str, seconds: float | None = None, *, may_be_there: bool = True) -> None:
        super().__init__(reason)
        self.seconds = seconds
        self.may_be_there = may_be_there


class Responder(Protocol):
    """How a platform shows an answer to one message."""

    async def thinking(self) -> None:
        """Show that the child is thinking, until `send` or until cancelled. Nobody waits for it."""
        ...

    async def send(self, outgoing: Outgoing) -> str | None:
        """Show it, once: no try of its own after one that may have worked. Return the platform's id of the new
        message where there is one; raise `NotYet` when it may work later, anything else when it never will."""
        ...

    async def find(self, outgoing: Outgoing) -> list[str]:
        """The ids of the messages that may show `outgoing` already, newest last: of those who can carry a nonce the one
        that has it, of others all that say the same. Raises `NotYet` when that cannot be told now."""
        ...

    async def tell(self, text: str) -> bool:
        """Say something to the person who asked, and to nobody else; False where there is no way."""
        ...


def clean_text(text: str) -> str:
    """A person's text made safe to store and show: no control characters, no lone surrogates, no markup, bounded."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    text = "".join(
        character
        if character in "\n\t" or unicodedata.category(character)[0] != "C" or character == "\u200d"
        else " "
        for character in text[: 2 * MAX_TURN_CHARACTERS]
    )
    return without_markup(text).strip()[:MAX_TURN_CHARACTERS]
