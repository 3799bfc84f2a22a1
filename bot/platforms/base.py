"""The contract of every platform. What it hands to the classroom and gets back is in `bot.messages`."""

from __future__ import annotations

from typing import Protocol


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
