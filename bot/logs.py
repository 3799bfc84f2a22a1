"""Structured logs: readable on a terminal, JSON elsewhere; secrets never, message texts only at DEBUG.

It knows key names and token shapes, nothing of the program's rooms.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

HIDDEN = "[hidden]"
TEXT_KEYS = frozenset({"text", "content", "prompt", "reply"})
_SECRET_KEY = re.compile(r"token|secret|password|passwd|api_?key|authorization|cookie", re.I)
_SECRET_SHAPE = re.compile(
    r"sk-[A-Za-z0-9_-]{8,}|xox[abeoprs]-[A-Za-z0-9-]{8,}|xapp-[A-Za-z0-9-]{8,}"
    r"|\b[MNO][A-Za-z0-9_-]{23,28}\.[A-Za-z0-9_-]{6,7}\.[A-Za-z0-9_-]{27,}"  # Discord
    r"|\bBearer\s+[A-Za-z0-9._~+/-]{8,}=*|(?<=://)[^/\s:@]*:\S+(?=@)"
)
# Counts, not secrets, though their names say token.
_COUNTS = frozenset({"prompt_tokens", "completion_tokens", "cached_tokens", "tokens", "max_tokens"})


def set_up(level: str = "info", stream: TextIO | None = None) -> None:
    """Send structlog and the standard library's logging to `stream` (stderr) in one form."""
    out = stream or sys.stderr
    terminal = out.isatty()
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=not terminal),
        drop_texts,
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    for chatty in ("httpx", "httpcore", "openai", "aiosqlite", "asyncio", "alembic", "watchfiles"):
        logging.getLogger(chatty).setLevel(max(number, logging.WARNING))


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide values under secret-sounding keys, and anything shaped like a token, at any depth."""
    for key, value in event.items():
        event[key] = HIDDEN if _is_secret(key) and value else _hide(value)
    return event


def drop_texts(_logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """What people say is nobody's business above DEBUG."""
    if method != "debug":
        for key in TEXT_KEYS & event.keys():
            event[key] = f"({len(str(event[key]))} characters)"
    return event


def _is_secret(key: str) -> bool:
    return key not in _COUNTS and _SECRET_KEY.search(key) is not None


def _hide(value: Any) -> Any:
    if isinstance(value, str):
        return _SECRET_SHAPE.sub(HIDDEN, value)
    if isinstance(value, dict):
        return {
            _hide(str(key)): HIDDEN if _is_secret(str(key)) and item else _hide(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_hide(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    # An exception or an address says as much as a text, once it is written down.
    return _SECRET_SHAPE.sub(HIDDEN, str(value))
