"""`migrate`: the database brought forward, and told of a new secret where the old one is lost."""

from __future__ import annotations

from bot.config import Settings
from bot.secret import hash_secret
from bot.store import Store
from bot.store import migrate as migrate_store
from bot.store.identity import fingerprint


async def migrate(settings: Settings, *, new_secret: bool) -> str:
    """What was done, in words."""
    done = f"the database is at {await migrate_store(settings.database_url)}"
    if not new_secret:
        return done
    store = await Store.open(settings.database_url)
    try:
        await store.take_secret(fingerprint(hash_secret(settings)))
    finally:
        await store.aclose()
    return f"{done}; whoever was stored before is not recognised any more, so they cannot export or forget themselves"
