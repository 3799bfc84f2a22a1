"""What a running bot says of itself, and whether its platforms can speak where they are to: asked from outside.

It knows addresses and answers; nothing of the bot's inside.
"""

from __future__ import annotations

from bot import platforms
from bot.config import Settings
from bot.platforms.reach import ask


async def troubles(settings: Settings) -> dict[str, str] | None:
    """What is wrong with the bot that runs here, by what it is about; None where none runs."""
    wanted = settings.metrics
    if not wanted.enabled or not wanted.port:
        return None
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(wanted.host, wanted.host)  # noqa: S104 - where it may listen
    try:
        told = await ask("GET", f"http://{host}:{wanted.port}/healthz", {})
        found = {str(what): str(trouble) for what, trouble in dict(told.get("troubles") or {}).items()}
    except (OSError, ValueError, TypeError):
        return None
    return found if told.get("ok") else {**found, "bot": "not ready, or stopping"}


async def channel(settings: Settings) -> str | None:
    """Why nothing can be said in the channel of the summary, or None."""
    name, _, identifier = settings.jobs.summary_channel.partition(":")
    spec = next(each for each in platforms.PLATFORMS if each.name == name)
    if missing := spec.missing(settings):
        return f"{', '.join(missing)} is not set"
    try:
        return await spec.unreachable(settings, identifier)
    except (OSError, ValueError) as error:
        return f"{spec.title} cannot be asked for it ({error})"
