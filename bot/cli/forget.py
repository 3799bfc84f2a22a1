"""`forget`: everything of one person is taken out of the store, and out of the terminal's history."""

from __future__ import annotations

from bot import platforms
from bot.cli.chat import history_of
from bot.cli.exits import fail
from bot.config import Settings
from bot.secret import known_secret
from bot.store import Store, hash_user
from bot.store.rows import ForgetReport

CONSOLE = "console"
"""The terminal: served by no `run`, but people are forgotten there, too."""


def known() -> tuple[str, ...]:
    """Where a person can be known from: in the web classroom they are who they are elsewhere."""
    return (*(each.name for each in platforms.PLATFORMS if each.secrets), CONSOLE)


async def forget(settings: Settings, platform: str, user: str) -> ForgetReport:
    """Blank what they said and delete what they gave; how much there was."""
    store = await Store.open(settings.database_url, data=settings.data, backups=settings.jobs.backups)
    try:
        return await store.forget(hash_user(platform, user, await known_secret(settings, store)))
    finally:
        await store.aclose()


def forget_typed(settings: Settings) -> str:
    """Delete the lines typed into the terminal; say what became of them."""
    history = history_of(settings)
    try:
        history.unlink()
    except FileNotFoundError:
        return "none kept"
    except OSError as error:
        fail(f"{history}: cannot be deleted ({error.strerror}); delete it by hand")
    return f"{history} deleted"
