"""The key under which user ids are hashed: found, or made once, and held to be the one the database began with.

It knows one file, one setting and the store's word on the fingerprint; who is hashed is not its business.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from bot.config import ConfigError, Settings
from bot.store.identity import fingerprint

if TYPE_CHECKING:
    from bot.store import Store

LEAST = 16
"""Characters below which a secret could be found by trying."""


def hash_secret(settings: Settings) -> bytes:
    """PUPIL_HASH_SECRET, else the secret beside the database, made when there is none. Raises `ConfigError`."""
    if settings.pupil_hash_secret:
        return _sound(settings.pupil_hash_secret.get_secret_value(), "PUPIL_HASH_SECRET")
    path = file_of(settings)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
        return _sound(path.read_text(encoding="utf-8-sig"), str(path))
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read or written ({error.strerror}); set PUPIL_HASH_SECRET"
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(
            f"{path}: expected plain letters and digits; put the secret of before back"
        ) from None


async def known_secret(settings: Settings, store: Store) -> bytes:
    """The secret, once the database has seen that it is the one of before. Raises `ConfigError`, `StoreError`."""
    secret = hash_secret(settings)
    if not await store.about.knows_secret(fingerprint(secret)):
        place = "PUPIL_HASH_SECRET" if settings.pupil_hash_secret else str(file_of(settings))
        raise ConfigError(
            f"{place}: not the secret that this database was begun with: nobody would be recognised, and refusals "
            "would not hold; put the old one back, or, where it is lost, run python -m bot migrate --new-secret"
        )
    return secret


def file_of(settings: Settings) -> Path:
    """Where the secret is kept that nobody has set."""
    return Path(settings.database).with_suffix(".secret")


def _sound(found: str, place: str) -> bytes:
    # An editor's last newline is no part of it, nor is its byte-order mark.
    secret = found.strip()
    if len(secret) < LEAST:
        raise ConfigError(
            f"{place}: expected a secret of at least {LEAST} characters, found {len(secret)}; put the one of before "
            "back, or a long random text where nothing is stored yet"
        )
    return secret.encode()


def _make(path: Path) -> None:
    """Appears whole or not at all; of two programs that start at once, the first one's stays."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.new")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)
        except OSError:  # another program was faster, or there are no links on this disk
            if not path.exists():
                fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
