"""`python -m training data`: check, describe, convert and split dialogues.

What each command does is in the file of its name; here are options, progress bars and exit codes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.exits import guard
from bot.cli.settings import load_settings

if TYPE_CHECKING:
    from rich.console import Console

    from training.corpus.read import Advance

data = typer.Typer(
    help="Check, describe, convert and split dialogues.", no_args_is_help=True, rich_markup_mode=None
)

Config = Annotated[
    Path | None, typer.Option("--config", help="The settings file; config.toml here when not given.")
]
Paths = Annotated[
    list[Path] | None,
    typer.Argument(help="Files of dialogues, or folders of them; data/dialogues when none is given."),
]
Out = Annotated[Path, typer.Option("--out", help="The file to write.")]


@data.command()
def check(
    paths: Paths = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    config: Config = None,
) -> None:
    """Is everything right with the dialogues, and where all of data/ is checked with lessons and facts?

    Names file and line of what is not; exit 1 then.
    """
    from bot.models.prices import read_prices  # noqa: PLC0415
    from training.corpus.check import check as run  # noqa: PLC0415
    from training.corpus.consistency import Rules  # noqa: PLC0415
    from training.corpus.curriculum import faults  # noqa: PLC0415
    from training.corpus.report import show  # noqa: PLC0415

    settings = load_settings(config)
    chosen = paths or [settings.data / "dialogues"]
    rules = guard(lambda: Rules.read(settings.data))
    prices = guard(lambda: read_prices(settings.data / "prices.toml"))
    with _progress("checking", chosen) as advance:
        report = guard(lambda: run(chosen, rules, prices, advance))
    if [path.resolve() for path in chosen] == [(settings.data / "dialogues").resolve()]:
        lessons = rules.curriculum.lessons
        for message in guard(lambda: list(faults(settings.data, lessons, rules.children))):
            report.add(settings.data, None, message)
    if as_json:
        typer.echo(json.dumps(report.to_json(), ensure_ascii=False))
    else:
        show(report, _console())
    raise typer.Exit(1 if report.wrong else 0)


@data.command()
def stats(
    paths: Paths = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="A folder for pictures (PNG); without it only tables.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    config: Config = None,
) -> None:
    """How many dialogues of what: lengths, stages, moves, children, lessons, misconceptions."""
    from bot.student.lessons import read_lessons  # noqa: PLC0415
    from bot.student.records.child import read_children  # noqa: PLC0415
    from training.corpus.coverage import Coverage  # noqa: PLC0415
    from training.corpus.read import sound  # noqa: PLC0415
    from training.corpus.report import counts  # noqa: PLC0415
    from training.corpus.stats import draw  # noqa: PLC0415

    settings = load_settings(config)
    chosen = paths or [settings.data / "dialogues"]
    coverage = guard(
        lambda: Coverage(read_children(settings.data / "children"), read_lessons(settings.data / "lessons"))
    )

    def count() -> None:
        with _progress("counting", chosen) as advance:
            for _, dialogue in sound(chosen, advance):
                coverage.add(dialogue)

    guard(count)
    if as_json:
        typer.echo(json.dumps(coverage.to_json(), ensure_ascii=False))
    else:
        counts(coverage, _console())
    if out is not None:
        for path in guard(lambda: draw(coverage, out)):
            typer.echo(str(path), err=as_json)


@data.command(name="import")
def bring_in(  # noqa: PLR0913 - one per option
    file: Annotated[Path, typer.Argument(help="Rows of any of the forms; they are told by their fields.")],
    out: Out,
    assistant: Annotated[
        str | None,
        typer.Option("--assistant", help="Who the assistant (output, answer) is: student or teacher."),
    ] = None,
    child: Annotated[str | None, typer.Option("--child", help="For rows that name no child.")] = None,
    lesson: Annotated[str | None, typer.Option("--lesson", help="For rows that name no lesson.")] = None,
    config: Config = None,
) -> None:
    """Other people's rows into dialogue records. Bad rows are named and left out; exit 1 then."""
    from bot.student.lessons import read_lessons  # noqa: PLC0415
    from bot.student.records.child import read_children  # noqa: PLC0415
    from bot.student.records.dialogue import Role  # noqa: PLC0415
    from training.corpus import convert  # noqa: PLC0415

    settings = load_settings(config)
    if assistant not in (None, "student", "teacher"):
        raise typer.BadParameter(f"--assistant: expected student or teacher, got {assistant!r}")
    for name, chosen, folder in (("child", child, "children"), ("lesson", lesson, "lessons")):
        read = read_children if name == "child" else read_lessons
        known = guard(lambda read=read, folder=folder: read(settings.data / folder))
        if chosen is not None and chosen not in known:
            raise typer.BadParameter(
                f"--{name}: expected the name of a file in data/{folder}, got {chosen!r}"
            )
    with _progress("importing", [file]) as advance:
        done = guard(
            lambda: convert.bring_in(
                file,
                out,
                assistant=None if assistant is None else Role(assistant),
                child=child,
                lesson=lesson,
                complain=lambda fault: typer.echo(str(fault), err=True),
                advance=advance,
            )
        )
    typer.echo(f"{done.written:,} dialogues written to {out}, {done.skipped:,} rows left out")
    if done.written:
        typer.echo(
            "moves and thoughts that the rows had none of are missing; docs/data.md says how to add them"
        )
    raise typer.Exit(1 if done.skipped or not done.written else 0)


@data.command()
def export(  # noqa: PLR0913 - one per option
    to: Annotated[
        str, typer.Option("--to", help="dspy, openai, lora, prompt-completion or question-answer.")
    ],
    out: Out,
    paths: Paths = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="Dialogues as they are, not the prompts a model is trained on.")
    ] = False,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Only so many rows.")] = None,
    config: Config = None,
) -> None:
    """Dialogues into rows for training: each student turn with the prompt the live bot sends for it.

    dspy and question-answer rows have no place for a prompt, so those are always plain.
    """
    from bot.student.lessons import read_lessons  # noqa: PLC0415
    from bot.student.records.child import read_children  # noqa: PLC0415
    from training.corpus import convert  # noqa: PLC0415
    from training.corpus.formats import FORMS  # noqa: PLC0415

    settings = load_settings(config)
    if to not in FORMS:
        raise typer.BadParameter(f"--to: expected one of {', '.join(FORMS)}; got {to!r}")
    chosen = paths or [settings.data / "dialogues"]
    with _progress("exporting", chosen) as advance:
        if plain or FORMS[to].training is None:
            done = guard(lambda: convert.send_out(chosen, out, to, limit=limit, advance=advance))
        else:
            children = guard(lambda: read_children(settings.data / "children"))
            lessons = guard(lambda: read_lessons(settings.data / "lessons"))
            done = guard(
                lambda: convert.send_out_for_training(
                    chosen, out, to, children, lessons, limit=limit, advance=advance
                )
            )
    typer.echo(f"{done.written:,} rows written to {out}")
    if done.skipped:
        typer.echo(
            f"{done.skipped:,} student turns left out: no thought, child, lesson or teacher turn before them"
        )
    for name, count in sorted(done.lost.items()):
        typer.echo(f"not in this form: {name} ({count:,} of {done.read:,} dialogues)")
    raise typer.Exit(0 if done.written else 1)


@data.command()
def split(  # noqa: PLR0913 - one per option
    out: Annotated[Path, typer.Option("--out", help="A folder of its own, such as data/runs/split.")],
    paths: Paths = None,
    validation: Annotated[
        float, typer.Option("--validation", min=0.01, max=0.5, help="Share of what is not test.")
    ] = 0.1,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Another seed gives another validation part.")
    ] = 7,
    test: Annotated[
        Path | None, typer.Option("--test", help="The golden part; data/dialogues/test.jsonl when not given.")
    ] = None,
    config: Config = None,
) -> None:
    """Dialogues into train, validation and test, with checksums in split.json."""
    from training.corpus.split import split as run  # noqa: PLC0415

    settings = load_settings(config)
    chosen = paths or [settings.data / "dialogues"]
    golden = test or settings.data / "dialogues" / "test.jsonl"
    with _progress("splitting", chosen) as advance:
        done = guard(
            lambda: run(chosen, golden, out, settings.data, validation=validation, seed=seed, advance=advance)
        )
    typer.echo(", ".join(f"{part} {count:,}" for part, count in done.dialogues.items()))
    if done.left_out:
        typer.echo(f"{done.left_out:,} left out: nearly the same is in the test part, or another teacher's")
    typer.echo(str(done.manifest))


def _console() -> Console:
    """As wide as the terminal; into a file or a pipe wide enough that no table is folded."""
    from rich.console import Console  # noqa: PLC0415

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 140
    return console


@contextmanager
def _progress(what: str, paths: list[Path]) -> Iterator[Advance]:
    """A bar over the bytes of the files, on a terminal only."""
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress  # noqa: PLC0415

    from training.corpus.read import files  # noqa: PLC0415

    console = Console(stderr=True)
    total = sum(path.stat().st_size for path in guard(lambda: files(paths)))
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        yield lambda size: progress.advance(task, size)
