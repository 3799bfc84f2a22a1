"""What is wrong with a running bot, in words: shown at /healthz, and to `python -m bot check`.

Others say what failed and what is well again; it knows nothing of their work.
"""

from __future__ import annotations

import asyncio

import structlog

log = structlog.get_logger(__name__)


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

    def watch(self, task: asyncio.Task[object], what: str) -> None:
        """Note it when a task that should go on for ever ends by itself."""

        def ended(done: asyncio.Task[object]) -> None:
            if done.cancelled():
                return
            error = done.exception()
            reason = "ended" if error is None else f"ended: {error or type(error).__name__}"
            log.error("task ended", task=what, reason=reason)
            self.tell(what, reason)

        task.add_done_callback(ended)
