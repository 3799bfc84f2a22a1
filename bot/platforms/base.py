"""What a platform hands to the classroom, and gets back. No platform's own object crosses this line."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.student.records.dialogue import MAX_TURN_CHARACTERS


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


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is to be shown: the child's words under its name, or a notice of the program itself."""

    text: str
    speaker: str | None
    """The child's name, or None for a notice."""


class Responder(Protocol):
    """How a platform shows an answer to one message."""

    async def thinking(self) -> None:
        """Show that the child is thinking; may be called once, must not fail the message."""
        ...

    async def send(self, outgoing: Outgoing) -> str | None:
        """Show it; return the platform's id of the new message where there is one."""
        ...


class Platform(Protocol):
    """A running connection to a platform; `name` is the one in message keys."""

    name: str

    async def serve(self) -> None:
        """Connect and hand messages to the classroom until cancelled; raise `PlatformError` when it cannot."""
        ...

    async def announce(self, channel: str, text: str) -> None:
        """Say `text` in the channel of that id, as the program itself; raise `PlatformError`."""
        ...


class PlatformError(RuntimeError):
    """A platform cannot start or cannot send; the message says what would be right."""


def clean_text(text: str) -> str:
    """A person's text made safe to store and show: no control characters, no lone surrogates, bounded."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    text = "".join(
        character
        if character in "\n\t" or unicodedata.category(character)[0] != "C" or character == "\u200d"
        else " "
        for character in text[: 2 * MAX_TURN_CHARACTERS]
    )
    return text.strip()[:MAX_TURN_CHARACTERS]
