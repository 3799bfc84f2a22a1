"""`python -m training evaluate blind`: people choose between two answers without knowing whose they are."""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.exits import guard
from bot.cli.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.config import Settings
    from bot.sections import ChatModel
    from training.evaluate.blind import Outcome, Question, Session, Side

SIDES: Mapping[str, Side] = {"1": "first", "a": "first", "2": "second", "b": "second", "=": "neither"}


def blind(  # noqa: PLR0913 - one per option
    ours: Annotated[str, typer.Argument(help="A model of the run.")],
    theirs: Annotated[
        str, typer.Argument(help='Another one; "golden" for the words as people wrote them.')
    ] = "golden",
    run: Annotated[str | None, typer.Option("--run", help="A run's id; the newest when not given.")] = None,
    rater: Annotated[
        str | None, typer.Option("--rater", help="Your name or initials; your login when not given.")
    ] = None,
    pairs: Annotated[int, typer.Option(min=1, max=500, help="How many pairs, when a session begins.")] = 30,
    seed: Annotated[int, typer.Option(help="Which pairs, when a session begins.")] = 0,
    moments: Annotated[
        bool,
        typer.Option("--moments", help="Single moments of open talk, after the dialogue as it was, instead."),
    ] = False,
    sheet: Annotated[
        Path | None, typer.Option("--sheet", help="Write a sheet to print here, and its key beside it.")
    ] = None,
    enter: Annotated[
        Path | None, typer.Option("--enter", help="Type in the choices of a paper sheet, from its key file.")
    ] = None,
    results: Annotated[
        bool, typer.Option("--results", help="Print what was chosen so far, and stop.")
    ] = False,
    judge: Annotated[
        str | None,
        typer.Option("--judge", help="Let this model of config.toml judge the pairs, too: two calls a pair."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", help="The settings file; config.toml here when not given.")
    ] = None,
) -> None:
    """Which of two answers sounds like a second grader? Stop at any time with q, and go on later."""
    settings = load_settings(config)

    def open_session() -> Session:
        from training.evaluate import written  # noqa: PLC0415
        from training.evaluate.blind import Session  # noqa: PLC0415
        from training.evaluate.listening import Listening  # noqa: PLC0415

        folder = written.find(settings.data / "runs", run)
        told = Listening(settings.data).moments() if moments else None
        rows = written.read(folder).rows
        return Session.open(folder, rows, ours, theirs, count=pairs, seed=seed, moments=told)

    session = guard(open_session)
    who = rater or getpass.getuser()
    if sheet is not None:
        guard(lambda: _print_sheet(session, who, sheet))
        return
    if enter is not None:
        guard(lambda: _enter(session, enter))
    elif judge is not None:
        guard(lambda: _judge(settings, session, judge))
    elif not results:
        guard(lambda: _serve(session, who))
    guard(lambda: _show(session))


def _serve(session: Session, rater: str) -> None:
    waiting = session.open_questions(rater)
    if not waiting:
        typer.echo("You have judged every pair of this session. Thank you.")
        return
    typer.echo(
        f"{len(waiting)} pairs. Which answer sounds more like a child of seven or eight? "
        "1, 2, = (cannot tell), q (stop for now)."
    )
    for place, question in enumerate(waiting, start=1):
        pair = question.pair
        typer.echo(f"\n{place}/{len(waiting)}  {pair.child.title()}, {pair.lesson}")
        if pair.before:
            typer.echo(f"  ({pair.before})".replace("\n", "\n   "))
        typer.echo(f"  Teacher: {pair.teacher}\n    1  {question.answers[0]}\n    2  {question.answers[1]}")
        side = _asked()
        if side is None:
            return
        session.choose(rater, question, side)


def _asked(what: str = "1, 2, = or q") -> Side | None:
    """A choice from the terminal; None for q, or where nobody answers any more."""
    while True:
        try:
            given = typer.prompt(what, prompt_suffix="? ").strip().lower()
        except typer.Abort:
            return None
        if given == "q":
            return None
        if given in SIDES:
            return SIDES[given]
        typer.echo("Type 1 or a, 2 or b, = for cannot tell, or q to stop.")


def _print_sheet(session: Session, rater: str, path: Path) -> None:
    from bot.student.records.reading import DataError  # noqa: PLC0415
    from training.evaluate.sheet import sheet  # noqa: PLC0415

    page, key = sheet(session, rater)
    beside = path.with_suffix(".key.json")
    try:
        path.write_text(page, encoding="utf-8")
        beside.write_text(json.dumps(key, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror})") from None
    typer.echo(f"{path}: print this; {beside} is the key, keep it away from whoever judges")


def _enter(session: Session, key_file: Path) -> None:
    from bot.student.records.reading import DataError  # noqa: PLC0415
    from training.evaluate.blind import questions  # noqa: PLC0415
    from training.evaluate.sheet import read_key  # noqa: PLC0415

    key = read_key(key_file)
    if (key.ours, key.theirs) != (session.ours, session.theirs):
        raise DataError(f"{key_file}: is the key of {key.ours} and {key.theirs}; name these two")
    done = session.choices(key.rater)
    asked: list[Question] = questions(session.pairs, key.rater, session.seed)
    for question in asked:
        if question.pair.id in done:
            continue
        side = _asked(f"{question.number}: a, b, = or q")
        if side is None:
            return
        session.choose(key.rater, question, side)


def _judge(settings: Settings, session: Session, name: str) -> None:
    import asyncio  # noqa: PLC0415

    from bot.models.base import ModelUnavailable  # noqa: PLC0415
    from bot.student.records.reading import DataError  # noqa: PLC0415

    known = settings.models.get(name)
    if known is None:
        there = ", ".join(settings.models) or "none"
        raise DataError(f"--judge: no model {name!r} in config.toml under [models.…]; there are: {there}")
    try:
        asyncio.run(_ask(settings, session, name, known))
    except ModelUnavailable as error:
        raise DataError(f"--judge: {error}; what it chose until then is kept") from None


async def _ask(settings: Settings, session: Session, name: str, known: ChatModel) -> None:
    from rich.progress import Progress  # noqa: PLC0415

    from bot.models.opening import chat_model  # noqa: PLC0415
    from training.evaluate import judge  # noqa: PLC0415

    model = chat_model(settings, name, known)
    try:
        with Progress(transient=True) as progress:
            bar = progress.add_task(f"{name} judges", total=len(session.pairs))
            await judge.ask(session, model, lambda: progress.advance(bar))
    finally:
        await model.aclose()


def _show(session: Session) -> None:
    from training.evaluate import judge  # noqa: PLC0415

    _show_people(session.outcome())
    judged = judge.verdicts(session)
    for each in judged:
        share = (
            "none decided"
            if each.share is None or each.low is None or each.high is None
            else f"{100 * each.share:.0f} % (95 %: {100 * each.low:.0f} to {100 * each.high:.0f})"
        )
        agreed = "not defined" if each.alpha is None else f"{each.alpha:.2f}"
        typer.echo(
            f"{each.judge}, a language model: {share} of {each.pairs} pairs, alike in both orders on "
            f"{100 * each.steady:.0f} %; alpha with people {agreed} over {each.shared} pairs"
        )
    if not judged and judge.judges(session):
        typer.echo(
            "A language model judged too; nothing is told of it before people judged some of its pairs."
        )


def _show_people(outcome: Outcome) -> None:
    if outcome.share is None:
        typer.echo(f"{outcome.choices} choices by {outcome.raters} raters, none of them for one of the two")
        return
    parts = outcome.low is not None and outcome.high is not None and not outcome.low <= 0.5 <= outcome.high  # noqa: PLR2004
    typer.echo(
        f"{outcome.ours} rather than {outcome.theirs}: {100 * outcome.share:.0f} % of {outcome.decided} decided "
        f"choices (95 %: {100 * (outcome.low or 0):.0f} to {100 * (outcome.high or 0):.0f}), "
        + ("people tell them apart" if parts else "people do not tell them apart")
    )
    alpha = "not defined" if outcome.alpha is None else f"{outcome.alpha:.2f}"
    typer.echo(
        f"{outcome.choices} choices by {outcome.raters} raters; Krippendorff's alpha {alpha} over "
        f"{outcome.judged_twice} pairs that two or more judged"
    )
