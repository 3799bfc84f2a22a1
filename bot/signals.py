"""What a signal to end does in an event loop, on every system: Windows' event loops take no handlers of their own."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable


def on(number: signal.Signals, do: Callable[[], object]) -> None:
    """Call `do` in the running event loop when the signal comes; in the main thread only."""
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(number, do)
    except NotImplementedError:
        # Waking the loop is asyncio's own work: it listens for the interpreter's signals there, too.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(do))
