"""The command `dspy` of training: from dialogues to a published program, in one readable run.

It knows files, settings and what to tell a person. Optimising itself is `dspy_run`'s business.
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bot.cli.exits import guard
from bot.cli.settings import load_settings

if TYPE_CHECKING:
    from bot.config import Settings


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for on the command line."""

    optimiser: Literal["labeled", "bootstrap", "gepa"]
    budget: int
    model: str
    reflect: str | None
    train: tuple[Path, ...]
    validation: tuple[Path, ...]
    test: Path | None
    name: str
    plain: bool
    seed: int
    yes: bool


def dspy(  # noqa: PLR0913 - one per option
    optimiser: Annotated[
        Literal["labeled", "bootstrap", "gepa"],
        typer.Option(
            help="labeled: examples from the data; bootstrap: a search among sets of examples, the model's own "
            "among them; gepa: new instructions from feedback, which needs a model that can reflect."
        ),
    ] = "bootstrap",
    budget: Annotated[int, typer.Option(help="The most calls of the model, the comparison included.")] = 300,
    model: Annotated[str, typer.Option(help="base, or a model of config.toml.")] = "base",
    reflect: Annotated[
        str | None, typer.Option(help="gepa: the model of config.toml that reflects; --model when not given.")
    ] = None,
    train: Annotated[
        list[Path] | None, typer.Option(help="Dialogues to learn from; data/dialogues when not given.")
    ] = None,
    validation: Annotated[
        list[Path] | None,
        typer.Option(help="Dialogues to validate on; one in five of --train when not given."),
    ] = None,
    test: Annotated[
        Path | None, typer.Option(help="Dialogues to compare on; data/dialogues/test.jsonl when not given.")
    ] = None,
    name: Annotated[str, typer.Option(help="The published model's name.")] = "dspy",
    plain: Annotated[
        bool, typer.Option("--plain", help="No reasoning before the words; base never reasons.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1)] = 0,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before calls that may cost money.")] = False,
    config: Annotated[
        Path | None, typer.Option("--config", help="The settings file; config.toml here when not given.")
    ] = None,
) -> None:
    """Optimise the student's prompt with DSPy, compare it with the zero-shot one, and publish it."""
    from bot import logs  # noqa: PLC0415
    from bot.sections import BASE_MODEL  # noqa: PLC0415

    settings = load_settings(config)
    logs.set_up("error")
    wanted = Wanted(
        optimiser,
        budget,
        model,
        reflect,
        tuple(train or ()),
        tuple(validation or ()),
        test,
        name,
        plain or model == BASE_MODEL,
        seed,
        yes,
    )
    guard(lambda: _guarded(settings, wanted))


def _guarded(settings: Settings, wanted: Wanted) -> None:
    from bot.student.records.reading import DataError  # noqa: PLC0415

    try:
        from dspy.utils.exceptions import DSPyError  # noqa: PLC0415
    except ModuleNotFoundError:
        raise DataError("DSPy is not installed: pip install dspy-ai") from None
    from training.methods.dspy_run import DspyRunError  # noqa: PLC0415

    try:
        _run(settings, wanted)
    except DspyRunError as error:
        raise DataError(str(error)) from None
    except DSPyError as error:
        # Its own text may quote what was asked.
        raise DataError(
            f"the model failed in the middle of the run ({type(error).__name__}); nothing was published"
        ) from None


def _run(settings: Settings, wanted: Wanted) -> None:
    from rich.console import Console  # noqa: PLC0415

    from bot.app import read_data  # noqa: PLC0415
    from bot.models.catalogue import held_back  # noqa: PLC0415
    from bot.models.program import StudentSimulationModel  # noqa: PLC0415
    from bot.models.program_lm import language_model  # noqa: PLC0415
    from bot.sections import BASE_MODEL  # noqa: PLC0415
    from training.harvest.origin import Origins  # noqa: PLC0415
    from training.methods import dspy_backend, dspy_data, dspy_publish, dspy_run, dspy_told  # noqa: PLC0415
    from training.methods.dspy_meter import Meter, metered  # noqa: PLC0415

    console = Console(highlight=False)
    reflecting = dspy_backend.reflecting(settings, wanted.optimiser, wanted.model, wanted.reflect)
    if wanted.model != BASE_MODEL:
        dspy_backend.endpoint(settings, wanted.model)
    dspy_run.plan(wanted.optimiser, wanted.budget - 1, held_out=1)
    origins = Origins.read(settings.data)
    learnt, validated, held_out = dspy_data.dialogues(
        settings.data / "dialogues", wanted.train, wanted.validation, wanted.test, origins
    )
    children, curriculum = read_data(settings)
    training, validation, test = (
        dspy_data.examples(part, children, curriculum.lessons) for part in (learnt, validated, held_out)
    )
    reasons = not wanted.plain
    plan = dspy_run.plan(wanted.optimiser, wanted.budget - 1, held_out=len(test))
    with dspy_backend.opened(settings, wanted.model) as (backend, base):
        dspy_told.announce(console, wanted, plan, backend, test)
        if base.endpoint is not None and not wanted.yes:
            typer.confirm("Spend that?", abort=True)
        dspy_backend.first_call(backend, test[0].cue, reasons=reasons, seed=wanted.seed)
        folder = _folder(settings.data / "runs")
        started = time.perf_counter()
        lm = language_model(backend).copy(seed=wanted.seed)
        threads = min(settings.engine.slots, 4) if base.endpoint is None else 8
        with dspy_told.progress(1 + plan.calls) as advance:
            optimising = Meter(plan.optimising, advance)
            program = dspy_run.optimise(
                plan,
                dspy_run.Material(training, validation),
                metered(lm, optimising),
                reasons=reasons,
                reflection=None if reflecting is None else metered(reflecting, optimising),
                threads=threads,
                seed=wanted.seed,
                log=folder / "optimiser.log",
            )
            state = dspy_publish.written(program, folder)
            comparing = Meter(wanted.budget - 1 - optimising.calls, advance)
            comparison = dspy_run.compare(
                StudentSimulationModel(reasons=reasons),
                program,
                dspy_data.by_dialogue(test, wanted.seed)[: plan.compared],
                metered(lm, comparing),
                threads=threads,
                seed=wanted.seed,
            )
        price = None if reflecting is not None and wanted.reflect else getattr(backend, "price", None)
        spent = dspy_told.spent(optimising, comparing, price)
        record = {
            "method": "dspy",
            "settings": {
                "optimiser": wanted.optimiser,
                "budget": wanted.budget,
                "model": wanted.model,
                "reflect": wanted.reflect,
                "reasons": reasons,
                "planned_calls": 1 + plan.calls,
                "calls": spent["calls"],
            },
            "seconds": round(time.perf_counter() - started, 1),
            "comparison": asdict(comparison),
            **spent,
        }
        (folder / "run.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        dspy_told.report(console, comparison, spent)
        version = dspy_publish.publish(
            settings, wanted.name, wanted.seed, base, state, learnt, validated, origins, record
        )
        held = held_back(settings.data / "models", wanted.name, version)
        dspy_told.say_where(console, wanted.name, version, folder, promoted=comparison.better, held=held)


def _folder(runs: Path) -> Path:
    folder = runs / f"dspy-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    folder.mkdir(parents=True)
    return folder
