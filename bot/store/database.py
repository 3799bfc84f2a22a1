"""One database: its address, its connections, and its errors in plain words.

Knows SQLite and PostgreSQL and how they differ; knows nothing of what the tables hold.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from sqlalchemy import URL, Connection, Table, event, func, make_url, select, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.store import hosted

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

T = TypeVar("T")

BUSY_SECONDS = 5.0
"""How long a write waits for another program's write before it gives up."""
EXAMPLE = "sqlite+aiosqlite:///data/pupil.db"
DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}
ADVICE = {
    sqlite3.SQLITE_BUSY: f"locked by another program for more than {BUSY_SECONDS:g} s; stop it and try again",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; its folder must exist and be writable for this user",
    sqlite3.SQLITE_CORRUPT: "damaged; restore a backup, or move the file away to begin a new one",
    sqlite3.SQLITE_FULL: "the disk is full; nothing was stored, free some space and try again",
    sqlite3.SQLITE_IOERR: "the disk cannot be read or written; check that it is healthy and not full",
    sqlite3.SQLITE_NOTADB: "not a database; name another file, or move this one away",
    sqlite3.SQLITE_PERM: "may not be read or written by this user; change its permissions",
    sqlite3.SQLITE_READONLY: "cannot be written; file, folder and disk must be writable for this user",
}
"""What to do, by SQLite's primary result code."""


class StoreError(Exception):
    """The store cannot do it; one line that names the database and says what would help. `final` when it would say the
    same another time."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


class Database:
    """Connections to one database. `name` is its file, or its address without the password."""

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        address = _parse(url)
        self.is_sqlite = address.get_backend_name() == "sqlite"
        self.name = _name(address)
        self.read_only = read_only
        if self.is_sqlite and read_only and not Path(self.name).is_file():
            raise StoreError(f"{self.name}: there is no such database; check the path")
        if self.is_sqlite and Path(self.name).is_dir():
            raise StoreError(f"{self.name}: {ADVICE[sqlite3.SQLITE_CANTOPEN]}")
        if self.is_sqlite and not read_only:
            with contextlib.suppress(OSError):  # SQLite says better what is wrong
                private(Path(self.name))
        self._engine = self._connect(address)
        # SQLite has one writer at a time: queueing here is fair, queueing in the file is not.
        self._turnstile: contextlib.AbstractAsyncContextManager[Any] = (
            asyncio.Lock() if self.is_sqlite else contextlib.nullcontext()
        )
        self._writing = self._engine.execution_options(writes=True)

    def _connect(self, address: URL) -> AsyncEngine:
        arguments: dict[str, Any]
        if self.is_sqlite:
            # No isolation level: transactions begin where `_begin` says, not where the driver guesses.
            arguments = {"timeout": BUSY_SECONDS, "isolation_level": None}
        else:
            try:
                address, arguments = hosted.split(address)
            except hosted.UnknownParameter as error:
                raise StoreError(f"database url: {error}") from None
        try:
            # Parameters are what people said: they belong in no traceback.
            engine = create_async_engine(
                address,
                connect_args=arguments,
                hide_parameters=True,
                # Said with each transaction, not at the start: that a pooler would refuse.
                execution_options={"postgresql_readonly": True} if self.read_only else {},
                pool_pre_ping=not self.is_sqlite,  # a server may have restarted since
            )
        except ModuleNotFoundError as error:
            raise StoreError(f"{self.name}: needs a driver; run pip install {error.name}") from None
        if self.is_sqlite:
            event.listen(engine.sync_engine, "connect", self._prepare)
            event.listen(engine.sync_engine, "begin", _begin)
        return engine

    def _prepare(self, connection: Any, _record: object) -> None:
        pragmas = [
            "foreign_keys=ON",
            # NORMAL survives kill -9, FULL a power cut too; one sync per turn costs a chat nothing.
            "synchronous=FULL",
            # What is forgotten is overwritten, not only unlinked.
            "secure_delete=ON",
        ]
        if self.read_only:
            pragmas.append("query_only=ON")
        cursor = connection.cursor()
        try:
            for pragma in pragmas:
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()
        except sqlite3.Error:
            connection.close()  # the pool never gets it, so nobody else would
            raise

    @contextlib.contextmanager
    def plain_errors(self) -> Iterator[None]:
        """Turn every error of the database into a `StoreError`."""
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            raise StoreError(f"{self.name}: {_explain(error)}") from error

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection that sees one state of the database."""
        with self.plain_errors():
            async with self._engine.connect() as connection:
                yield connection

    @contextlib.asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A connection in one transaction: all of it is stored, or nothing."""
        with self.plain_errors():
            async with self._turnstile, self._writing.begin() as connection:
                yield connection

    async def log_ahead(self) -> None:
        """Let SQLite's readers and its writer work side by side (WAL), a property of the file."""
        give_up = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                return await self._pragma("journal_mode=WAL")
            except StoreError as error:
                # For this one SQLite does not wait by itself when another program opens the file too.
                if _sqlite_code(error.__cause__) != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                    raise
            await asyncio.sleep(0.02)

    async def scrub(self) -> None:
        """Empty SQLite's write-ahead log, which still holds what was overwritten."""
        await self._pragma("wal_checkpoint(TRUNCATE)")

    async def copy_to(self, file: Path) -> None:
        """A compact copy in one moment's state, made beside whoever reads and writes; SQLite only."""
        if not self.is_sqlite:
            raise StoreError(f"{self.name}: a PostgreSQL server has backups of its own, such as pg_dump")
        await self._outside("VACUUM INTO ?", str(file))

    async def _pragma(self, pragma: str) -> None:
        if self.is_sqlite:
            await self._outside(f"PRAGMA {pragma}")

    async def _outside(self, statement: str, *parameters: str) -> None:
        """Run what works only outside a transaction, past SQLAlchemy, which would begin one."""
        with self.plain_errors():
            async with self._turnstile, self._engine.connect() as connection:
                driver: Any = (await connection.get_raw_connection()).driver_connection
                await driver.execute_fetchall(statement, parameters)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


class Work:
    """Database work in hand. It is finished even when who asked for it is cancelled meanwhile.

    SQLite's driver works in a thread that cancelling does not stop: the connection would be lost with its
    transaction open, and with it the lock that every other write needs.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    async def finish(self, work: Coroutine[Any, Any, T]) -> T:
        """Do the work and give its result; when cancelled, it goes on alone."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    async def all_done(self) -> None:
        """Wait until nothing is in hand."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # looked at: who was cancelled no longer wants to know


def private(file: Path) -> None:
    """Make the file, empty, for this user's eyes alone; take one that is there from all but its group. SQLite gives its
    log the same rights. Raises `OSError`."""
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        mode = file.stat().st_mode
        if mode & 0o007:
            file.chmod(mode & 0o7770)


def insert(connection: AsyncConnection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An insert that can say `on_conflict_…`, which both databases spell alike."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects.postgresql import insert as insert_there  # noqa: PLC0415 - 4 MB, loaded with the driver

    return insert_there(table)


async def one_at_a_time(connection: AsyncConnection, what: str) -> None:
    """Let no other program do the same until this transaction ends; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        await connection.execute(
            text("SELECT pg_advisory_xact_lock(hashtext(:what))"), {"what": f"pupil.{what}"}
        )


async def now(connection: AsyncConnection) -> datetime:
    """The moment, by the clock that all programs on this database share."""
    if connection.dialect.name == "postgresql":
        moment: datetime = (await connection.execute(select(func.clock_timestamp()))).scalar_one()
        return moment
    return datetime.now(UTC)


def chunks(values: Sequence[T], size: int = 500) -> list[Sequence[T]]:
    """Pieces short enough for both databases' limits on parameters."""
    return [values[start : start + size] for start in range(0, len(values), size)]


def missing(connection: AsyncConnection, what: str, identifier: int) -> StoreError:
    """To be raised where there is no row of that id."""
    return StoreError(f"{name_of(connection)}: there is no {what} {identifier}")


def name_of(connection: AsyncConnection) -> str:
    """The name of the database that it is connected to."""
    return _name(connection.engine.url)


def _name(address: URL) -> str:
    is_sqlite = address.get_backend_name() == "sqlite"
    return address.database or "" if is_sqlite else address.render_as_string(hide_password=True)


def _parse(url: str) -> URL:
    try:
        address = make_url(_quoted(url))
    except (ArgumentError, ValueError):
        raise StoreError(f"database url: expected an address such as {EXAMPLE}") from None
    driver = DRIVERS.get(address.drivername)
    if driver is None:
        raise StoreError(
            f"database url: expected an address such as {EXAMPLE} or "
            f"postgresql+asyncpg://USER:PASSWORD@HOST/NAME, got {address.drivername!r}"
        )
    if address.port is not None and not 0 < address.port < 65_536:  # noqa: PLR2004 - what TCP has
        raise StoreError(f"database url: expected a port from 1 to 65535, got {address.port}")
    if address.get_backend_name() == "sqlite" and (address.database or ":").startswith((":", "file:")):
        raise StoreError(f"database url: expected a file, such as {EXAMPLE}")
    return address.set(drivername=driver)


def _quoted(url: str) -> str:
    """With a password as an address wants it: one with an @ in it would end up, in part, in the name of the server."""
    scheme, _, rest = url.partition("://")
    login, at, server = rest.rpartition("@")
    user, colon, password = login.partition(":")
    if not colon or not at or not set(password) & set("@:/?#[]"):
        return url
    return f"{scheme}://{user}:{quote(password, safe='%')}@{server}"


def _begin(connection: Connection) -> None:
    # A write takes the lock at once: a read that turns into a write could fail half way.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _explain(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    lines = str(cause).splitlines() or [type(cause).__name__]
    code = _sqlite_code(cause)
    if code in ADVICE:
        return ADVICE[code]
    if isinstance(error, IntegrityError):
        return f"the row does not fit the others: {lines[0]}"
    if isinstance(error, OSError):
        return f"the server cannot be reached ({lines[0]}); check that it runs and that the address is right"
    return lines[0]


def _sqlite_code(error: BaseException | None) -> int | None:
    """SQLite's primary result code; the higher bits only say where it happened."""
    code = getattr(error, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None
