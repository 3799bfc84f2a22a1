"""What shows that an answer is on its way: typing, and a word where it takes long. No answer waits for any of it.

It knows tasks, and that a sign which fails is worth no message. What a sign is, and when, is the classroom's business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger(__name__)

Sign = asyncio.Task[None]
END_SECONDS = 1.0
"""What a sign that was told to stop may take for it before nobody looks any more."""


class Signs:
    """All signs of one process."""

    def __init__(self) -> None:
        self._showing: set[Sign] = set()

    def show(self, work: Callable[[], Awaitable[None]], *, after: Sign | None = None) -> Sign:
        """Do `work`, when an earlier sign of the same message is through."""
        sign = asyncio.create_task(_show(work, after))
        self._showing.add(sign)
        sign.add_done_callback(self._showing.discard)
        return sign

    async def end(self, *signs: Sign | None) -> None:
        """Stop them, however far they are."""
        showing = [sign for sign in signs if sign is not None and not sign.done()]
        for sign in showing:
            sign.cancel()
        if showing:
            await asyncio.wait(showing, timeout=END_SECONDS)

    async def aclose(self) -> None:
        """Stop all that there are."""
        await self.end(*self._showing)


async def _show(work: Callable[[], Awaitable[None]], after: Sign | None) -> None:
    try:
        if after is not None:
            await asyncio.wait([after])
        await work()
    except Exception as error:  # noqa: BLE001 - a sign of thinking is worth no message
        log.debug("sign not shown", reason=str(error))
