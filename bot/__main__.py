"""The command line of the bot. Each command imports what it needs when it runs, so that --help is light."""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.exits import fail, guard, main, run
from bot.cli.settings import alone, load_settings, quiet_logs

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


@app.command(name="run")
def serve(
    platform: Annotated[
        list[str] | None,
        typer.Option(
            "--platform",
            help="Only this one of those that are set up, such as discord; give it again for another.",
        ),
    ] = None,
    config: Config = None,
) -> None:
    """Serve the platforms whose tokens are set, until SIGTERM or Ctrl-C."""
    gc.disable()  # until all that stays is made; see `bot.app.run`
    from bot import app as bot_app  # noqa: PLC0415
    from bot import logs  # noqa: PLC0415

    settings = load_settings(config)
    logs.set_up(settings.log.level)
    run(bot_app.run(settings, config, guard(lambda: bot_app.chosen(settings, platform or ()))))


@app.command()
def web(config: Config = None) -> None:
    """Serve the web classroom alone, until SIGTERM or Ctrl-C; in a terminal it prints a link that lets you in."""
    gc.disable()  # as in `run`
    from bot import logs  # noqa: PLC0415
    from bot.cli.web import serve as serve_web  # noqa: PLC0415

    settings = load_settings(config)
    logs.set_up(settings.log.level)
    run(serve_web(settings, config, show_link=sys.stdout.isatty()))


@app.command()
def chat(
    child: ChildOption = None,
    lesson: LessonOption = None,
    model: ModelOption = None,
    seed: SeedOption = None,
    config: Config = None,
) -> None:
    """Talk with the child in this terminal."""
    from bot.cli.chat import chat as talk  # noqa: PLC0415

    settings = alone(load_settings(config, child, lesson, model))
    quiet_logs(settings)
    run(talk(settings, seed), terminated=0)


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
    from bot.cli.ask import ask as put  # noqa: PLC0415
    from bot.replay import as_json as to_json  # noqa: PLC0415
    from bot.replay import teacher_text  # noqa: PLC0415

    try:
        text = teacher_text(text)
    except ValueError as error:
        fail(str(error))
    settings = alone(load_settings(config, child, lesson, model))
    quiet_logs(settings)
    answer = run(put(settings, text, seed))
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
    from bot.cli.replay import replay_file  # noqa: PLC0415

    settings = load_settings(config, model=model)
    quiet_logs(settings)
    if run(replay_file(settings, file, out, seed or 0), terminated=128 + 15):
        raise typer.Exit(1)


@app.command()
def debrief(
    conversation: Annotated[
        int | None,
        typer.Argument(min=1, help="A conversation's number; the newest of this terminal without one."),
    ] = None,
    teacher: Annotated[
        int | None, typer.Option("--teacher", help="Which of several teachers, by who spoke first.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write it as a page to this file.")] = None,
    config: Config = None,
) -> None:
    """Look back on a practice with its teacher: what moved the child, what could have, one thing to try."""
    from bot.cli import debrief as looking_back  # noqa: PLC0415

    settings = load_settings(config)
    quiet_logs(settings)
    told = run(looking_back.debrief(settings, conversation, teacher))
    if out is None:
        looking_back.show(told)
    else:
        looking_back.write(told, out)
        typer.echo(f"wrote {out}")


@app.command()
def check(config: Config = None) -> None:
    """Show which parts are ready; exit 2 when the child cannot answer, 1 when something else is wrong."""
    from bot import readiness  # noqa: PLC0415
    from bot.cli.tables import show_parts  # noqa: PLC0415

    parts = run(readiness.check(load_settings(config)))
    show_parts(parts)
    if not all(part.ready for part in parts if part.needed):
        raise typer.Exit(2)
    if any(part.wrong for part in parts):
        raise typer.Exit(1)


@app.command()
def models(as_json: JsonOption = False, config: Config = None) -> None:
    """List the models with kind, version, state, price and what keeps one from working."""
    from dataclasses import asdict  # noqa: PLC0415

    from bot.cli.tables import show_models  # noqa: PLC0415
    from bot.models.registry import Models  # noqa: PLC0415

    settings = load_settings(config)
    quiet_logs(settings)
    known = guard(lambda: Models(settings))
    guard(known.inspect)
    infos = guard(known.describe)
    if as_json:
        typer.echo(json.dumps([asdict(info) for info in infos], ensure_ascii=False))
    else:
        show_models(infos, settings.student.model)


@app.command()
def use(
    name: Annotated[str, typer.Argument(help="A published model's name.")],
    version: Annotated[
        str | None, typer.Option("--version", help="The version; the newest when not given.")
    ] = None,
    config: Config = None,
) -> None:
    """Make a published version the live one: promotion, and rollback. It goes over a gate, and that is recorded."""
    from bot.models.catalogue import held_back  # noqa: PLC0415
    from bot.models.registry import Models  # noqa: PLC0415

    settings = load_settings(config)
    chosen = guard(lambda: Models(settings).promote(name, version))
    over = held_back(settings.data / "models", name, chosen)
    typer.echo(f"{name} is now {chosen}" + (f", over the gate: {over}" if over else ""))


@app.command()
def migrate(
    new_secret: Annotated[
        bool, typer.Option("--new-secret", help="The old hash secret is lost: go on with the one set now.")
    ] = False,
    config: Config = None,
) -> None:
    """Bring the database up to what this version of the program knows."""
    from bot.cli import migrate as migrating  # noqa: PLC0415

    typer.echo(run(migrating.migrate(load_settings(config), new_secret=new_secret)))


@app.command()
def backup(config: Config = None) -> None:
    """Copy the database now, into the folder of [jobs] backups."""
    from bot.cli import backup as backing  # noqa: PLC0415

    typer.echo(run(backing.backup(load_settings(config))))


@app.command()
def restore(
    file: Annotated[
        Path, typer.Argument(help="A copy, such as data/backups/pupil-20260102-030000-000000.db.")
    ],
    config: Config = None,
) -> None:
    """Put a copy in the database's place, which is moved aside; the bot must be stopped."""
    from bot.cli import backup as backing  # noqa: PLC0415

    for line in run(backing.restore(load_settings(config), file)):
        typer.echo(line)


@app.command()
def forget(
    platform: Annotated[
        str, typer.Argument(help="Where they are known from, such as discord; console is the terminal.")
    ],
    user: Annotated[str, typer.Argument(help="The platform's id of the person.")],
    config: Config = None,
) -> None:
    """Remove a person: blank what they said, delete ratings, feedback and consent; harvests and backups, too."""
    from bot.cli import forget as forgetting  # noqa: PLC0415

    known = forgetting.known()
    if platform not in known:
        fail(f"no platform {platform!r}; there are: {', '.join(known)}")
    if any("\ud800" <= character <= "\udfff" for character in user):
        fail("the id of the user is not valid UTF-8")
    settings = load_settings(config)
    for what, value in run(forgetting.forget(settings, platform, user)).told():
        typer.echo(f"{what}: {value}")
    if platform == forgetting.CONSOLE:
        typer.echo(f"lines typed in chat: {forgetting.forget_typed(settings)}")


if __name__ == "__main__":
    main(app, "pupil")
