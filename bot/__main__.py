"""The command line of the bot. Each command imports what it needs when it runs, so that --help is light."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from bot.app import App
    from bot.config import Settings

app = typer.Typer(
    name="pupil",
    help="Pupil: a simulated second grader to practise teaching on.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Config = Annotated[
    Path | None, typer.Option("--config", help="The settings file; config.toml here when not given.")
]
ChildOption = Annotated[str | None, typer.Option("--child", help="Who answers, such as mia.")]
LessonOption = Annotated[
    str | None, typer.Option("--lesson", help="A lesson's id, such as 2.NBT.B.5-subtract.")
]
ModelOption = Annotated[str | None, typer.Option("--model", help="A model's name; see the command models.")]
SeedOption = Annotated[
    int | None, typer.Option("--seed", min=0, max=2**31 - 1, help="Makes the answer repeatable.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def run(config: Config = None) -> None:
    """Serve the platforms whose tokens are set, until SIGTERM or Ctrl-C."""
    from bot import app as bot_app  # noqa: PLC0415
    from bot import logs  # noqa: PLC0415

    settings = load_settings(config)
    logs.set_up(settings.log.level)
    _run(bot_app.run(settings, config))


@app.command()
def chat(
    child: ChildOption = None,
    lesson: LessonOption = None,
    model: ModelOption = None,
    seed: SeedOption = None,
    config: Config = None,
) -> None:
    """Talk with the child in this terminal."""
    settings = _alone(load_settings(config, child, lesson, model))
    _quiet_logs(settings)
    _run(_chat(settings, seed), terminated=0)


@app.command()
def ask(  # noqa: PLR0913 - one per option
    text: Annotated[str, typer.Argument(help="What the teacher says.")],
    child: ChildOption = None,
    lesson: LessonOption = None,
    model: ModelOption = None,
    seed: SeedOption = None,
    as_json: JsonOption = False,
    config: Config = None,
) -> None:
    """Say one thing to the child and print the answer."""
    from bot.replay import as_json as to_json  # noqa: PLC0415
    from bot.replay import teacher_text  # noqa: PLC0415

    try:
        text = teacher_text(text)
    except ValueError as error:
        _fail(str(error))
    settings = _alone(load_settings(config, child, lesson, model))
    _quiet_logs(settings)
    answer = _run(_ask(settings, text, seed))
    typer.echo(json.dumps(to_json(answer), ensure_ascii=False) if as_json else answer.text)


@app.command()
def replay(
    file: Annotated[
        Path, typer.Argument(help='Rows {"id", "child"?, "lesson"?, "turns": ["teacher text", …]}.')
    ],
    out: Annotated[Path, typer.Option("--out", help="Where the answers go, one JSON object a row.")],
    model: ModelOption = None,
    seed: SeedOption = None,
    config: Config = None,
) -> None:
    """Let the child answer conversations from a file; run it again to go on after an interruption."""
    settings = load_settings(config, model=model)
    _quiet_logs(settings)
    if bad := _run(_replay(settings, file, out, seed or 0), terminated=128 + 15):
        raise typer.Exit(1 if bad else 0)


@app.command()
def check(config: Config = None) -> None:
    """Show which parts are ready; exit 0 only when the child can answer."""
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from bot import readiness  # noqa: PLC0415

    parts = _run(readiness.check(load_settings(config)))
    table = Table("part", "", "note", box=None, header_style="bold")
    for part in parts:
        mark = (
            "[green]ready[/]" if part.ready else ("[red]missing[/]" if part.needed else "[yellow]not set[/]")
        )
        table.add_row(part.name, mark, part.note)
    Console(highlight=False).print(table)
    if not all(part.ready for part in parts if part.needed):
        raise typer.Exit(2)


@app.command()
def models(as_json: JsonOption = False, config: Config = None) -> None:
    """List the models with kind, version, state, price and what keeps one from working."""
    from dataclasses import asdict  # noqa: PLC0415

    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from bot.models.registry import Models  # noqa: PLC0415

    settings = load_settings(config)
    known = guard(lambda: Models(settings))
    guard(known.inspect)
    infos = guard(known.describe)
    if as_json:
        typer.echo(json.dumps([asdict(info) for info in infos], ensure_ascii=False))
        return
    table = Table("model", "kind", "version", "state", "price", "", box=None, header_style="bold")
    for info in infos:
        default = " (default)" if info.name == settings.student.model else ""
        table.add_row(
            info.name + default, info.kind, info.version, info.state, info.price, info.problem or ""
        )
        for each in info.versions:
            current = " (current)" if each.current else ""
            waits = f"waits: {each.waits}" if each.waits else ""
            table.add_row("", "", each.version + current, each.state, "", each.reason or waits)
    Console(highlight=False).print(table)


@app.command()
def use(
    name: Annotated[str, typer.Argument(help="A published model's name.")],
    version: Annotated[
        str | None, typer.Option("--version", help="The version; the newest when not given.")
    ] = None,
    config: Config = None,
) -> None:
    """Make a published version the live one: promotion, and rollback. It goes over a gate, and that is recorded."""
    from bot.models.artifact import held_back  # noqa: PLC0415
    from bot.models.registry import Models  # noqa: PLC0415

    settings = load_settings(config)
    chosen = guard(lambda: Models(settings).promote(name, version))
    over = held_back(settings.data / "models", name, chosen)
    typer.echo(f"{name} is now {chosen}" + (f", over the gate: {over}" if over else ""))


@app.command()
def migrate(config: Config = None) -> None:
    """Bring the database up to what this version of the program knows."""
    from bot.store import migrate as migrate_store  # noqa: PLC0415

    typer.echo(f"the database is at {_run(migrate_store(load_settings(config).database_url))}")


@app.command()
def forget(
    platform: Annotated[str, typer.Argument(help="discord, slack or console.")],
    user: Annotated[str, typer.Argument(help="The platform's id of the person.")],
    config: Config = None,
) -> None:
    """Remove a person: blank what they said, delete ratings, feedback and consent; harvests and backups, too."""
    if platform not in {"discord", "slack", "console"}:
        _fail(f"no platform {platform!r}; there are discord, slack and console")
    if any("\ud800" <= character <= "\udfff" for character in user):
        _fail("the id of the user is not valid UTF-8")
    settings = load_settings(config)
    report = _run(_forget(settings, platform, user))
    for what, value in report.told():
        typer.echo(f"{what}: {value}")
    if platform == "console":
        typer.echo(f"lines typed in chat: {_forget_typed(_chat_history(settings))}")


async def _chat(settings: Settings, seed: int | None) -> None:
    from bot.app import hash_secret, opened, warm_up, watching  # noqa: PLC0415
    from bot.commands import Place  # noqa: PLC0415
    from bot.platforms.console import ConsoleChat  # noqa: PLC0415
    from bot.store import hash_user  # noqa: PLC0415

    async with opened(settings) as parts:
        await warm_up(parts)
        await _give_up_stale(parts)
        place = Place("console", "terminal", None)
        await parts.store.new_conversation(place.platform, place.channel, place.thread)
        await _choose(parts, settings, place)
        author = hash_user("console", "terminal", hash_secret(settings))
        talk = ConsoleChat(
            parts.classroom,
            parts.commands,
            place,
            author,
            history=_chat_history(settings),
        )
        student = settings.student
        child, lesson = (
            parts.classroom.children[student.child],
            parts.classroom.curriculum.lessons[student.lesson],
        )
        async with watching(parts.models):
            await talk.serve(child, lesson, seed)


def _chat_history(settings: Settings) -> Path:
    """Where the terminal keeps the lines typed into it."""
    return Path(settings.database).with_name("chat_history")


def _forget_typed(history: Path) -> str:
    """Delete the lines; say what became of them."""
    try:
        history.unlink()
    except FileNotFoundError:
        return "none kept"
    except OSError as error:
        _fail(f"{history}: cannot be deleted ({error.strerror}); delete it by hand")
    return f"{history} deleted"


async def _give_up_stale(parts: App) -> None:
    """Nobody waits any more for what a killed terminal left; what another one has in hand is younger."""
    from datetime import UTC, datetime, timedelta  # noqa: PLC0415

    limits = parts.settings.classroom
    oldest = datetime.now(UTC) - timedelta(seconds=limits.reply_seconds + 2 * limits.send_seconds)
    for waiting in await parts.store.unanswered():
        if waiting.platform in {"console", "ask", "replay"} and waiting.created_at < oldest:
            await parts.store.mark_failed(waiting.key, "left unanswered by a terminal")


async def _ask(settings: Settings, text: str, seed: int | None) -> Any:
    import uuid  # noqa: PLC0415
    from datetime import UTC, datetime  # noqa: PLC0415

    from bot.app import opened, warm_up  # noqa: PLC0415
    from bot.commands import Place  # noqa: PLC0415
    from bot.platforms.base import Message  # noqa: PLC0415
    from bot.replay import Silent  # noqa: PLC0415

    async with opened(settings) as parts:
        await warm_up(parts)
        key = uuid.uuid4().hex
        place = Place("ask", key, None)
        await _choose(parts, settings, place)
        message = Message(
            key=f"ask:{key}",
            platform=place.platform,
            channel=place.channel,
            thread=None,
            author="terminal",
            text=text,
            sent_at=datetime.now(UTC),
        )
        answer = await parts.classroom.receive(message, Silent(), seed=seed)
    if answer is None:
        _fail("the answer could not be kept; run python -m bot check")
    return answer


async def _choose(parts: App, settings: Settings, place: Any) -> None:
    """Write down who sits in a new conversation, so that later settings do not change it."""
    conversation = await parts.store.conversation(place.platform, place.channel, place.thread)
    student = settings.student
    await parts.store.update_conversation(
        conversation.id, child=student.child, lesson=student.lesson, model=student.model
    )


async def _replay(settings: Settings, file: Path, out: Path, seed: int) -> int:
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    from bot.app import opened, warm_up  # noqa: PLC0415
    from bot.replay import read_rows  # noqa: PLC0415
    from bot.replay import replay as replay_rows  # noqa: PLC0415

    async with opened(settings) as parts:
        rows, bad = read_rows(file, parts)
        for each in bad:
            typer.echo(f"{file}:{each.line}: {each.reason}; row skipped", err=True)
        await warm_up(parts)
        columns = (TextColumn("replay"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        console = Console(stderr=True)
        with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
            task = progress.add_task("", total=len(rows))
            await replay_rows(
                parts, rows, out, source=file, seed=seed, done=lambda count: progress.advance(task, count)
            )
    return len(bad)


async def _forget(settings: Settings, platform: str, user: str) -> Any:
    from bot.app import hash_secret  # noqa: PLC0415
    from bot.store import Store, hash_user  # noqa: PLC0415

    store = await Store.open(settings.database_url, data=settings.data, backups=settings.jobs.backups)
    try:
        return await store.forget(hash_user(platform, user, hash_secret(settings)))
    finally:
        await store.aclose()


def load_settings(
    config: Path | None, child: str | None = None, lesson: str | None = None, model: str | None = None
) -> Settings:
    """The settings with the command's own choices put in, as if the file said so."""
    from bot.config import load  # noqa: PLC0415

    settings: Settings = guard(lambda: load(config))
    chosen = {
        name: value for name, value in (("child", child), ("lesson", lesson), ("model", model)) if value
    }
    if "child" in chosen:
        chosen["child"] = chosen["child"].lower()
    return settings.model_copy(update={"student": settings.student.model_copy(update=chosen)})


def _alone(settings: Settings) -> Settings:
    """For one conversation, one slot: less than half the memory."""
    return settings.model_copy(update={"engine": settings.engine.model_copy(update={"slots": 1})})


def _quiet_logs(settings: Settings) -> None:
    """In a terminal command the answer is the output: log warnings only, unless debugging."""
    from bot import logs  # noqa: PLC0415

    logs.set_up("debug" if settings.log.level == "debug" else "error")


def _run(work: Coroutine[Any, Any, Any], *, terminated: int | None = None) -> Any:
    """Run `work`; a part's own error becomes one line and exit 2. SIGTERM ends it cleanly with the exit
    status `terminated`, where one is given."""
    return guard(lambda: asyncio.run(work if terminated is None else _until_terminated(work, terminated)))


async def _until_terminated(work: Coroutine[Any, Any, Any], status: int) -> Any:
    import signal  # noqa: PLC0415

    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        raise typer.Exit(status) from None


def guard(work: Any) -> Any:
    """Call `work`; a room's own error becomes one line on what is wrong, and exit 2."""
    from bot.commands import CommandError  # noqa: PLC0415
    from bot.config import ConfigError  # noqa: PLC0415
    from bot.models.artifact import ArtifactError  # noqa: PLC0415
    from bot.models.base import ModelUnavailable  # noqa: PLC0415
    from bot.models.engines.base import EngineError  # noqa: PLC0415
    from bot.models.registry import UnknownModel  # noqa: PLC0415
    from bot.platforms.base import PlatformError  # noqa: PLC0415
    from bot.replay import ReplayError  # noqa: PLC0415
    from bot.store import StoreError  # noqa: PLC0415
    from bot.student.records.reading import DataError  # noqa: PLC0415

    try:
        return work()
    except (
        ArtifactError,
        CommandError,
        ConfigError,
        DataError,
        EngineError,
        ModelUnavailable,
        PlatformError,
        ReplayError,
        StoreError,
        UnknownModel,
    ) as error:
        _fail(str(error))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _fail(reason: str) -> NoReturn:
    """One line on what is wrong and what would be right; exit 2."""
    typer.echo(f"pupil: {' '.join(reason.split())}", err=True)
    raise typer.Exit(2)


def main(commands: typer.Typer = app, name: str = "pupil") -> None:
    """Run a command line; wrong usage is one line and exit 2, like every other error."""
    try:
        status = commands(standalone_mode=False)
    except typer.Abort:
        status = 130
    except typer.TyperException as error:
        typer.echo(f"{name}: {' '.join(error.format_message().split())} Try --help.", err=True)
        status = 2
    sys.exit(status if isinstance(status, int) else 0)


if __name__ == "__main__":
    main()
