"""What is wrong with a running bot, in words: shown at /healthz, in /student status, and to `python -m bot check`.

Others say what failed and what is well again; it knows nothing of their work. Tasks that go on beside everything else
are started or watched here, so that none of them ends unseen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import structlog

log = structlog.get_logger(__name__)

T = TypeVar("T")
_running: set[asyncio.Task[Any]] = set()
"""The event loop holds its tasks weakly: what nobody else holds might never be finished."""


class Health:
    """The troubles of one process, by what they are about."""

    def __init__(self) -> None:
        self.troubles: dict[str, str] = {}

    def tell(self, what: str, trouble: str | None) -> None:
        """Note what is wrong with it, or, with None, that it is well."""
        if trouble is None:
            self.troubles.pop(what, None)
        else:
            self.troubles[what] = trouble

    def watch(self, task: asyncio.Task[Any], what: str) -> None:
        """Note it when a task that should go on for ever ends by itself."""
        _when_ended(task, what, self.tell, lasting=True)


def start(work: Coroutine[Any, Any, T], what: str) -> asyncio.Task[T]:
    """Do `work` beside everything else; where it fails, that is logged whether anybody waits for it or not."""
    task = asyncio.create_task(work, name=what)
    _running.add(task)
    task.add_done_callback(_running.discard)
    _when_ended(task, what)
    return task


def _when_ended(
    task: asyncio.Task[Any],
    what: str,
    tell: Callable[[str, str], None] | None = None,
    *,
    lasting: bool = False,
) -> None:
    def ended(done: asyncio.Task[Any]) -> None:
        error = None if done.cancelled() else done.exception()
        if done.cancelled() or not (lasting or error):
            return
        reason = "ended" if error is None else f"ended: {error or type(error).__name__}"
        log.error("task ended", task=what, reason=reason, exc_info=error)
        if tell is not None:
            tell(what, reason)

    task.add_done_callback(ended)
