"""The key of the hashes: whole or not there, never a short one, and the one that the database knows."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot import readiness
from bot.cli import migrate as migrating
from bot.cli.forget import forget
from bot.config import ConfigError, Settings
from bot.secret import hash_secret, known_secret
from bot.store import Store
from tests.fakes.students import Listener, message, room, settings_at


def with_secret(settings: Settings, secret: str) -> Settings:
    return settings.model_copy(update={"pupil_hash_secret": SecretStr(secret)})


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_at(tmp_path / "pupil.db")


def test_two_that_start_at_once_have_one_whole_secret(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, other = secrets.token_hex, list[bytes]()

    def meanwhile(size: int) -> str:
        monkeypatch.setattr(secrets, "token_hex", made)
        other.append(hash_secret(settings))
        return made(size)

    monkeypatch.setattr(secrets, "token_hex", meanwhile)
    assert [hash_secret(settings)] == other
    assert len(other[0]) == 64
    assert [path.name for path in Path(settings.database).parent.iterdir()] == ["pupil.secret"]


@pytest.mark.parametrize("found", ["", "x", "\n", " " * 20, "fifteen letters"])
def test_short_ones_are_refused(settings: Settings, tmp_path: Path, found: str) -> None:
    (tmp_path / "pupil.secret").write_text(found, encoding="ascii")
    with pytest.raises(ConfigError, match=r"pupil\.secret: expected a secret of at least 16"):
        hash_secret(settings)
    if found:
        with pytest.raises(ConfigError, match="PUPIL_HASH_SECRET: expected a secret of at least 16"):
            hash_secret(with_secret(settings, found))


def test_what_editors_add_is_no_part_of_it(settings: Settings, tmp_path: Path) -> None:
    secret = hash_secret(settings)
    for before in ("", "\ufeff"):
        (tmp_path / "pupil.secret").write_text(f"{before}{secret.decode()}\n", encoding="utf-8")
        assert hash_secret(settings) == secret
    (tmp_path / "pupil.secret").write_text(secret.decode(), encoding="utf-16")
    with pytest.raises(ConfigError, match=r"pupil\.secret: expected plain letters and digits"):
        hash_secret(settings)
    assert hash_secret(with_secret(settings, f"{secret.decode()}\r\n")) == secret


async def test_another_secret_than_before_is_noticed_by_all(settings: Settings, tmp_path: Path) -> None:
    first, second = with_secret(settings, "the first " * 4), with_secret(settings, "the second " * 4)
    store = await Store.open(settings.database_url)
    assert await known_secret(first, store) == await known_secret(first, store)
    with pytest.raises(ConfigError, match="PUPIL_HASH_SECRET: not the secret that this database"):
        await known_secret(second, store)
    await store.aclose()
    with pytest.raises(ConfigError, match="not the secret"):
        await forget(second, "discord", "ann")
    parts = {part.name: part for part in await readiness.check(second)}
    assert not parts["secret of the hashes"].ready
    assert parts["secret of the hashes"].needed
    assert "not recognised" in await migrating.migrate(second, new_secret=True)
    await forget(second, "discord", "ann")


async def test_check_finds_a_short_secret(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "pupil.secret").touch()
    async with room(tmp_path / "pupil.db") as app:
        await app.classroom.receive(message(), Listener())
    parts = {part.name: part for part in await readiness.check(settings)}
    assert "found 0" in parts["secret of the hashes"].note
