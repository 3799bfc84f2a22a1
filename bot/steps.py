"""The steps of a message's way between which a program may die, and who wants to know of them.

`python -m benchmarks.crashes` kills a program at each one of them; what holds there is in docs/architecture.md.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Step(StrEnum):
    """In their order."""

    HEARD = "heard"
    """The platform told of it; nothing is stored."""
    CLAIMED = "claimed"
    """It is in the store, and this program's."""
    THOUGHT = "thought"
    """The child has its words; they are nowhere yet."""
    SPOKEN = "spoken"
    """They are in the outbox; the platform has not been asked."""
    SENDING = "sending"
    """The platform has been asked, and may have shown them already."""
    SENT = "sent"
    """It said so; the store does not know yet."""
    LOGGED = "logged"
    """It does."""


Watch = Callable[[Step, str], None]
"""Told of each step with the message's key; called in the middle of it all, it must not wait."""


def unwatched(_step: Step, _key: str) -> None:
    """Nobody wants to know."""
