"""The address of a PostgreSQL server as hosts hand it out, with libpq's words for TLS and time, in the driver's words.

It knows addresses and asyncpg's arguments. Connections, and SQLite, are the business of `database`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from sqlalchemy import URL

READ_BY_THE_DRIVER = frozenset(
    {
        "gsslib", "krbsrvname", "passfile", "sslcert", "sslcrl", "sslkey", "ssl_max_protocol_version",
        "ssl_min_protocol_version", "sslmode", "sslnegotiation", "sslpassword", "sslrootcert", "target_session_attrs",
    }
)  # fmt: skip
"""What asyncpg takes from a libpq address, but not as arguments."""
SET_AT_THE_SERVER = frozenset({"application_name", "options", "search_path", "timezone"})
LEFT_OUT = frozenset(
    {
        "channel_binding", "client_encoding", "fallback_application_name", "gssencmode", "keepalives",
        "keepalives_count", "keepalives_idle", "keepalives_interval", "schema", "uselibpqcompat",
    }
)  # fmt: skip
"""What asyncpg has no part for, or does by itself. What `channel_binding` is for, `sslmode=verify-full` does, too."""
UNNAMED: dict[str, Any] = {
    "statement_cache_size": 0,
    "prepared_statement_cache_size": 0,
    "prepared_statement_name_func": str,
}
"""Statements without names, none kept: a pooler such as PgBouncer in transaction mode hands each transaction another
server, which has not prepared them, or holds one of that name by somebody else."""

JIT = "off"
"""To compile a statement over a year of partitions takes the server seconds, and to run it milliseconds. A pooler takes
no such setting; there it is the database's: ALTER DATABASE ... SET jit = off."""


class UnknownParameter(ValueError):
    """Of an address; the message says which there are."""


def split(address: URL) -> tuple[URL, dict[str, Any]]:
    """The address without what stands behind its "?", and that as arguments of asyncpg. Raise `UnknownParameter`."""
    given = {name: value if isinstance(value, str) else value[-1] for name, value in address.query.items()}
    arguments: dict[str, Any] = {"server_settings": {"application_name": "pupil", "jit": JIT}}
    read = {}
    for name, value in given.items():
        if name in READ_BY_THE_DRIVER:
            read[name] = value
        elif name == "ssl":
            read["sslmode"] = {"true": "require", "false": "disable"}.get(value.lower(), value)
        elif name in SET_AT_THE_SERVER:
            arguments["server_settings"][name] = value
        elif name == "connect_timeout":
            arguments["timeout"] = _number(name, value)
        elif name == "pgbouncer":
            if value.lower() == "true":
                arguments |= UNNAMED
                arguments["server_settings"].pop("jit", None)
        elif name in {"statement_cache_size", "prepared_statement_cache_size"}:
            arguments[name] = round(_number(name, value))
        elif name not in LEFT_OUT:
            known = sorted(READ_BY_THE_DRIVER | SET_AT_THE_SERVER | {"connect_timeout", "pgbouncer"})
            raise UnknownParameter(f"unknown parameter {name!r}; there are: {', '.join(known)}")
    if read:
        arguments["dsn"] = f"postgresql://?{urlencode(read)}"
    return address.set(query={}), arguments


def _number(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise UnknownParameter(f"{name}: expected a number, got {value[:20]!r}") from None
