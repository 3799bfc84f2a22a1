"""A platform that nobody but this file knows: its spec in the tuple is all that the program needs to serve it."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from bot import app, config, jobs, platforms, readiness
from bot.__main__ import app as command_line
from bot.classroom import Classroom
from bot.commands import Commands
from bot.config import ConfigError, Settings
from bot.messages import Message
from bot.platforms import PLATFORMS
from bot.platforms.spec import PlatformSettings, PlatformSpec
from bot.store import Store
from tests.fakes.openai_server import OpenAIServer
from tests.fakes.slack_server import SlackServer
from tests.fakes.students import Listener
from tests.platforms.test_slack import MANIFEST

ROOT = Path(__file__).parents[2]


class PigeonSettings(PlatformSettings):
    """`[pigeon]`"""

    loft: str = "roof"


class Pigeon:
    """Carries one question there and one answer back, then has the program stopped."""

    name = "pigeon"
    answered: list[str]
    announced: list[tuple[str, str]]

    def __init__(self, settings: Settings, classroom: Classroom, commands: Commands) -> None:
        self._classroom = classroom
        self._loft = settings.section(PigeonSettings).loft
        Pigeon.answered, Pigeon.announced = [], []

    async def serve(self) -> None:
        note = Message(
            key="pigeon:1",
            platform=self.name,
            channel=self._loft,
            thread=None,
            author="ann",
            text="What is 52 minus 17?",
            sent_at=datetime.now(UTC),
        )
        landed = Listener()
        await self._classroom.receive(note, landed)
        Pigeon.answered += landed.words
        while not Pigeon.announced:
            await asyncio.sleep(0.01)
        signal.raise_signal(signal.SIGTERM)
        await asyncio.Event().wait()

    async def announce(self, channel: str, text: str) -> None:
        Pigeon.announced.append((channel, text))


async def _lost(_: Settings, channel: str) -> str | None:
    return None if channel == "loft-7" else "no such loft"


PIGEON = PlatformSpec(
    name="pigeon",
    title="Pigeon post",
    package="typer",
    channel="loft-7",
    secrets={"PIGEON_TOKEN": "Pigeon post: the whistle that the bird knows."},
    settings=PigeonSettings,
    needs=lambda _: ("PIGEON_TOKEN",),
    unreachable=_lost,
    open=Pigeon,
)


@pytest.fixture(autouse=True)
def _one_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platforms, "PLATFORMS", (*PLATFORMS, PIGEON))


def written(folder: Path, more: str = "") -> Path:
    path = folder / "config.toml"
    path.write_text(
        f'data = "{ROOT / "data"}"\ndatabase = "pupil.db"\n{more}[metrics]\nenabled = false\n',
        encoding="utf-8",
    )
    return path


def read(folder: Path, more: str = "", environment: str = "") -> Settings:
    (folder / "environment").write_text(environment, encoding="utf-8")
    return config.load(written(folder, more), environment_file=folder / "environment")


def test_its_section_and_its_secret_are_read(tmp_path: Path) -> None:
    settings = read(tmp_path, "[pigeon]\nloft = 'barn'\npace = true\n", "PIGEON_TOKEN=coo\n")
    assert settings.section(PigeonSettings) == PigeonSettings(loft="barn", pace=True)
    assert PIGEON.wanted(settings)
    assert "coo" not in repr(settings)
    assert not PIGEON.wanted(read(tmp_path))
    for more, told in (
        ("[pigeon]\nlofd = 'barn'\n", r"unknown key 'pigeon\.lofd'; did you mean 'loft'"),
        ("pigeon_token = 'coo'\n", "set PIGEON_TOKEN in the environment"),
        ("[jobs]\nsummary_channel = 'dove:7'\n", "'slack:C0123456789' or 'pigeon:loft-7'"),
    ):
        with pytest.raises(ConfigError, match=told):
            read(tmp_path, more)


def test_check_says_what_it_needs(tmp_path: Path) -> None:
    settings = read(tmp_path, "[engine]\ngguf = 'none.gguf'\n")  # without a model to load, it is quick
    parts = {each.name: each for each in asyncio.run(readiness.check(settings))}
    assert (parts["Pigeon post"].ready, parts["Pigeon post"].note) == (False, "set PIGEON_TOKEN in .env")
    assert parts["typer"].ready
    ready = readiness.platform(read(tmp_path, environment="PIGEON_TOKEN=coo\n"), PIGEON)
    assert (ready.ready, ready.note) == (True, "token set")


def test_without_any_token_run_names_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="SLACK_BOT_TOKEN and SLACK_APP_TOKEN, or PIGEON_TOKEN, in"):
        asyncio.run(app.run(read(tmp_path)))


async def missed_a_summary(settings: Settings) -> None:
    """Write down that the last one was long ago, so that it is made up for at the start."""
    store = await Store.open(settings.database_url)
    long_ago = datetime.now(UTC) - timedelta(days=30)
    await store.runs.begin("summary", long_ago, timedelta(hours=1))
    await store.runs.end("summary", long_ago, "sent")
    await store.aclose()


def test_it_is_started_announced_to_and_forgotten_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIGEON_TOKEN", "coo")
    monkeypatch.setattr(jobs, "CONNECT", timedelta(seconds=1))

    async def served() -> None:
        async with OpenAIServer() as words:
            settings = read(
                tmp_path,
                "[student]\nmodel = 'cloud'\nfallback = 'cloud'\n[jobs]\nsummary_channel = 'pigeon:loft-7'\nbackup = ''\n"
                f"[models.cloud]\nprovider = 'compatible'\nmodel = 'm'\nbase_url = '{words.base_url}'\n",
            )
            await missed_a_summary(settings)
            await app.run(settings)

    asyncio.run(served())
    (answered,) = Pigeon.answered  # no seed: the words differ, and now and then the answer does
    assert "45" in answered or "35" in answered
    [(channel, text)] = Pigeon.announced
    assert channel == "loft-7"
    assert text.startswith("This week")
    assert said(tmp_path) == ["What is 52 minus 17?"]
    forgotten = CliRunner().invoke(
        command_line, ["forget", "pigeon", "ann", "--config", str(tmp_path / "config.toml")]
    )
    assert forgotten.exit_code == 0, forgotten.output
    assert "teacher turns: 1" in forgotten.output
    assert said(tmp_path) == [""]


def test_another_platforms_wrong_token_does_not_end_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = "PIGEON_TOKEN=coo\nSLACK_BOT_TOKEN=xoxb-wrong\nSLACK_APP_TOKEN=xapp-wrong\n"

    async def served() -> list[str]:
        flown: list[str] = []
        with capture_logs() as logs:

            async def serve(_: Pigeon) -> None:
                while not any(each["event"] == "a platform is not served any more" for each in logs):
                    await asyncio.sleep(0.01)
                flown.append("on")
                signal.raise_signal(signal.SIGTERM)
                await asyncio.Event().wait()

            monkeypatch.setattr(Pigeon, "serve", serve)
            async with OpenAIServer() as words, SlackServer(MANIFEST) as slack:
                settings = read(
                    tmp_path,
                    f"[student]\nmodel = 'cloud'\nfallback = 'cloud'\n[jobs]\nbackup = ''\n[slack]\nbase_url = '{slack.base_url}'\n"
                    f"[models.cloud]\nprovider = 'compatible'\nmodel = 'm'\nbase_url = '{words.base_url}'\n",
                    tokens,
                )
                async with asyncio.timeout(30):
                    await app.run(settings)
        return flown

    assert asyncio.run(served()) == ["on"]


def said(folder: Path) -> list[str]:
    with sqlite3.connect(folder / "pupil.db") as connection:
        rows = connection.execute("SELECT content FROM turns WHERE role = 'teacher'").fetchall()
    return [content for (content,) in rows]


def test_names_sections_and_secrets_are_each_platforms_own() -> None:
    names = [each.name for each in platforms.PLATFORMS]
    secrets = [name for each in platforms.PLATFORMS for name in each.secrets]
    assert len(set(names)) == len(names)
    assert len(set(secrets)) == len(secrets)
    assert not set(names) & set(Settings.model_fields)
