"""A real PgBouncer in transaction mode before the PostgreSQL of the tests, where there is one to be started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from sqlalchemy import make_url

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
PATIENCE = 20
SETTINGS = """
[databases]
* = host={host} port={port} user={user} {password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listens}
auth_type = any
pool_mode = transaction
default_pool_size = {servers}
unix_socket_dir =
ignore_startup_parameters = {ignored}
"""


@contextlib.asynccontextmanager
async def before(url: str, servers: int = 2, *, ignored: str = "") -> AsyncIterator[str]:
    """The address of the same database through a pooler that has so many connections to it for everybody, and passes
    over the `ignored` settings that come with one."""
    address = make_url(url)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listens = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # PgBouncer refuses to be root, and reads this as somebody else
        settings = folder / "pgbouncer.ini"
        settings.write_text(
            SETTINGS.format(
                host=address.host,
                port=address.port or 5432,
                user=address.username,
                password=f"password={address.password}" if address.password else "",
                listens=listens,
                servers=servers,
                ignored=ignored,
            )
        )
        assert PROGRAM
        program = await asyncio.create_subprocess_exec(
            *(PROGRAM, "-q", str(settings)),
            stderr=asyncio.subprocess.DEVNULL,
            user="nobody" if os.getuid() == 0 else None,
        )
        try:
            await _listening(listens)
            there = address.set(host="127.0.0.1", port=listens).update_query_dict({"pgbouncer": "true"})
            yield there.render_as_string(hide_password=False)
        finally:
            with contextlib.suppress(ProcessLookupError):
                program.kill()
            await program.wait()


async def _listening(port: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                await writer.wait_closed()
                return
            await asyncio.sleep(0.02)
