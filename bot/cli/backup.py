"""`backup` and `restore`: one more copy of the database now, and a copy put back."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import make_url

from bot.config import Settings
from bot.store import Store, StoreError
from bot.store.restoring import restore as put_back

SERVER = (
    "the database is a PostgreSQL server, which has backups of its own: "
    "pg_dump --format=custom --file=FILE ADDRESS makes one, "
    "pg_restore --clean --if-exists --single-transaction --dbname=ADDRESS FILE puts it back"
)


async def backup(settings: Settings) -> str:
    """What was done, in words. Raises `StoreError`."""
    if not settings.in_file:
        raise StoreError(SERVER)
    store = await Store.open(settings.database_url, backups=settings.jobs.backups)
    try:
        file, gone = await store.back_up(settings.jobs.keep_backups)
    finally:
        await store.aclose()
    return f"wrote {file}" + (f", removed the {gone} oldest" if gone else "")


async def restore(settings: Settings, copy: Path) -> list[str]:
    """What was done and what is left to do, a line each. Raises `StoreError`."""
    if not settings.in_file:
        raise StoreError(SERVER)
    file = Path(make_url(settings.database_url).database or "")
    done = await put_back(copy, file)
    said = [f"{file} is {copy} now: {done.turns} turns, the last one of {done.last}"]
    if done.before is not None:
        said.append(f"what was there before lies at {done.before}; delete it when you need it no more")
    if done.answers:
        said.append(f"{done.answers} answers to the question of consent given since then were carried over")
    if not done.refusals_read:
        said.append("refusals given since then are lost with the damaged database: ask people again")
    said.append("whoever asked since then to be forgotten is back: run python -m bot forget for each of them")
    return said
