"""The command `dspy` of training: from dialogues to a published program, in one readable run.

It knows files, settings and what to tell a person. Optimising itself is `dspy_run`'s business.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.metadata
import json
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bot.__main__ import guard, load_settings

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.models.artifact import Base
    from bot.models.program import Backend, StudentSimulationModel
    from bot.student.records.dialogue import Dialogue
    from training.harvest.origin import Origins
    from training.methods.dspy_run import Comparison, Meter, Plan

REFLECTION_TOKENS = 4_000
DEMO_TOKENS = 500
"""Of eight examples, roughly; a prompt without them is counted by its characters."""
CHARACTERS_A_TOKEN = 3.6
ANSWER_TOKENS = {True: 150, False: 20}
"""With the reasoning before it, and without."""


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
    from bot.config import BASE_MODEL  # noqa: PLC0415

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
    from bot.student.records.toml import DataError  # noqa: PLC0415

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
    from bot.config import BASE_MODEL  # noqa: PLC0415
    from bot.models.artifact import held_back  # noqa: PLC0415
    from bot.models.program import StudentSimulationModel  # noqa: PLC0415
    from bot.models.program_lm import language_model  # noqa: PLC0415
    from training.harvest.origin import Origins  # noqa: PLC0415
    from training.methods import dspy_data, dspy_run  # noqa: PLC0415

    console = Console(highlight=False)
    reflecting = _reflecting(settings, wanted)
    if wanted.model != BASE_MODEL:
        _endpoint(settings, wanted.model)
    dspy_run.plan(wanted.optimiser, wanted.budget - 1, held_out=1)
    origins = Origins.read(settings.data)
    learnt, validated, held_out = _dialogues(settings, wanted, origins)
    children, curriculum = read_data(settings)
    training, validation, test = (
        dspy_data.examples(part, children, curriculum.lessons) for part in (learnt, validated, held_out)
    )
    reasons = not wanted.plain
    plan = dspy_run.plan(wanted.optimiser, wanted.budget - 1, held_out=len(test))
    with _backend(settings, wanted.model) as (backend, base):
        _announce(console, wanted, plan, backend, test)
        price = getattr(backend, "price", None)
        if base.endpoint is not None and not wanted.yes:
            typer.confirm("Spend that?", abort=True)
        _first_call(backend, test[0].cue, reasons=reasons, seed=wanted.seed)
        folder = _folder(settings.data / "runs")
        started = time.perf_counter()
        lm = language_model(backend).copy(seed=wanted.seed)
        threads = min(settings.engine.slots, 4) if base.endpoint is None else 8
        with _progress(1 + plan.calls) as advance:
            optimising = dspy_run.Meter(plan.optimising, advance)
            program = dspy_run.optimise(
                plan,
                dspy_run.Material(training, validation),
                dspy_run.metered(lm, optimising),
                reasons=reasons,
                reflection=None if reflecting is None else dspy_run.metered(reflecting, optimising),
                threads=threads,
                seed=wanted.seed,
                log=folder / "optimiser.log",
            )
            state = _written(program, folder)
            comparing = dspy_run.Meter(wanted.budget - 1 - optimising.calls, advance)
            comparison = dspy_run.compare(
                StudentSimulationModel(reasons=reasons),
                program,
                dspy_data.by_dialogue(test, wanted.seed)[: plan.compared],
                dspy_run.metered(lm, comparing),
                threads=threads,
                seed=wanted.seed,
            )
        spent = _spent(optimising, comparing, None if reflecting is not None and wanted.reflect else price)
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
        _report(console, comparison, spent)
        version = _publish(settings, wanted, base, state, learnt, validated, origins, record)
        held = held_back(settings.data / "models", wanted.name, version)
        _say_where(console, wanted.name, version, folder, promoted=comparison.better, held=held)


# What is read.


def _dialogues(
    settings: Settings, wanted: Wanted, origins: Origins
) -> tuple[list[Dialogue], list[Dialogue], list[Dialogue]]:
    """Training, validation and held-out dialogues; raise `DataError` where a dialogue is on two sides."""
    from bot.student.records.toml import DataError  # noqa: PLC0415
    from training.corpus.read import files, sound  # noqa: PLC0415
    from training.methods.dspy_data import divide, quotable  # noqa: PLC0415

    home = settings.data / "dialogues"
    golden = wanted.test or home / "test.jsonl"
    sources = files(wanted.train or [home])
    if not wanted.train:
        sources = [path for path in sources if path.name != "test.jsonl"]
    learnt = [dialogue for _, dialogue in sound(sources) if not origins.left(dialogue)]
    held_out = [dialogue for _, dialogue in sound([golden])]
    if wanted.validation:
        learnt = quotable(learnt)
        validated = [dialogue for _, dialogue in sound(wanted.validation) if not origins.left(dialogue)]
    else:
        learnt, validated = divide(learnt, origins)
    seen: dict[str, str] = {}
    for part, dialogues in (("training", learnt), ("validation", validated), ("held-out", held_out)):
        for dialogue in dialogues:
            if seen.setdefault(dialogue.id, part) != part:
                raise DataError(f"dialogue {dialogue.id!r} is in the {seen[dialogue.id]} and the {part} data")
        if not dialogues:
            raise DataError(f"{part} data: there are no dialogues")
    return learnt, validated, held_out


@contextmanager
def _backend(settings: Settings, name: str) -> Iterator[tuple[Backend, Base]]:
    """The model that is to be prompted, and how a manifest names it."""
    from bot.config import BASE_MODEL  # noqa: PLC0415
    from bot.models.artifact import Base  # noqa: PLC0415
    from bot.models.engines.llama_cpp import LlamaCppEngine  # noqa: PLC0415
    from bot.models.engines.weights import served_gguf  # noqa: PLC0415
    from bot.models.lora import base_checksum  # noqa: PLC0415
    from bot.models.program import Embedded  # noqa: PLC0415

    if name != BASE_MODEL:
        endpoint = _endpoint(settings, name)
        yield endpoint, Base(id=endpoint.model, endpoint=endpoint.base_url)
        return
    wanted = settings.engine
    gguf = served_gguf(settings)
    engine = asyncio.run(
        LlamaCppEngine.start(
            gguf, slots=min(wanted.slots, 4), context=wanted.context, threads=wanted.threads or None
        )
    )
    try:
        yield Embedded(engine, wanted.temperature), Base(id=gguf.stem, sha256=base_checksum(gguf))
    finally:
        asyncio.run(engine.aclose())


def _endpoint(settings: Settings, name: str) -> Any:
    from bot.models.prices import price_of, read_prices  # noqa: PLC0415
    from bot.models.program import Endpoint  # noqa: PLC0415
    from bot.student.records.toml import DataError  # noqa: PLC0415

    known = settings.models.get(name)
    if known is None:
        there = ", ".join(["base", *settings.models])
        raise DataError(f"--model: no model {name!r} in config.toml; there are: {there}")
    if known.provider == "azure":
        raise DataError(
            f"--model {name}: for Azure, use provider 'compatible' with base_url https://RESOURCE.openai.azure.com/openai/v1"
        )
    openais = known.key_variable == "OPENAI_API_KEY"
    key = settings.openai_api_key if openais else settings.key(known.key_variable)
    if key is None and known.provider == "openai":
        raise DataError(f"--model {name}: {known.key_variable} is not set")
    try:
        return Endpoint(
            model=known.model,
            base_url=known.base_url or settings.openai.base_url,
            api_key=key,
            timeout_s=known.timeout_seconds,
            max_retries=known.max_retries,
            temperature=known.temperature,
            tokens_field=known.tokens_field,
            price=price_of(known.model, read_prices(settings.data / "prices.toml"))
            if known.provider == "openai"
            else None,
        )
    except ValueError as error:
        raise DataError(f"--model {name}: {error}") from None


def _reflecting(settings: Settings, wanted: Wanted) -> Any:
    """The language model that reads the feedback and writes new instructions, or None where none is needed."""
    from bot.config import BASE_MODEL  # noqa: PLC0415
    from bot.models.program_lm import language_model  # noqa: PLC0415
    from bot.student.records.toml import DataError  # noqa: PLC0415

    if wanted.optimiser != "gepa":
        return None
    if wanted.reflect is None and wanted.model == BASE_MODEL:
        raise DataError(
            "gepa: the embedded model is too small to reflect on its own mistakes; name one of config.toml with "
            "--reflect, or take --optimiser bootstrap"
        )
    return language_model(
        replace(_endpoint(settings, wanted.reflect or wanted.model), max_tokens=REFLECTION_TOKENS)
    )


# What is done.


def _first_call(backend: Backend, cue: Any, *, reasons: bool, seed: int) -> None:
    """One call before hundreds: a wrong key or address is found now, and said in one line."""
    from bot.models.program import ProgramModel, StudentSimulationModel  # noqa: PLC0415

    async def call() -> None:
        model = ProgramModel("the model", "0", StudentSimulationModel(reasons=reasons), backend)
        try:
            await model.reply(cue, seed=seed)
        finally:
            await model.aclose()

    asyncio.run(call())


def _written(program: StudentSimulationModel, folder: Path) -> bytes:
    """The program's state, checked as the bot will check it, and kept in the run's folder."""
    from bot.models.program_state import STATE_FILE, check_state  # noqa: PLC0415

    state = (json.dumps(program.dump_state(), ensure_ascii=False, indent=1) + "\n").encode()
    check_state(state)
    (folder / STATE_FILE).write_bytes(state)
    return state


def _publish(  # noqa: PLR0913 - what a manifest is made of
    settings: Settings,
    wanted: Wanted,
    base: Base,
    state: bytes,
    learnt: list[Dialogue],
    validated: list[Dialogue],
    origins: Origins,
    record: dict[str, Any],
) -> str:
    from bot.models import artifact  # noqa: PLC0415
    from bot.models.program_state import STATE_FILE  # noqa: PLC0415
    from bot.student.voicing import prompt  # noqa: PLC0415
    from training.evaluate import gates  # noqa: PLC0415

    models = settings.data / "models"
    version = artifact.next_version(models, wanted.name)
    lines = sorted(dialogue.to_line() for dialogue in (*learnt, *validated))
    gates.publish(
        models,
        artifact.Manifest(
            name=wanted.name,
            version=version,
            kind="dspy",
            base=base,
            prompt=artifact.Prompt(version=prompt.VERSION),
            data=artifact.Data(
                sha256=hashlib.sha256("\n".join(lines).encode()).hexdigest(),
                dialogues=len(lines),
                split={"training": len(learnt), "validation": len(validated)},
                generation=origins.generation([*learnt, *validated]),
                lineage=origins.lineage([*learnt, *validated]),
            ),
            training=artifact.Training(
                method="dspy",
                settings=record["settings"],
                seed=wanted.seed,
                seconds=record["seconds"],
                tokens=record["tokens"],
                cost_usd=record["cost_usd"],
                packages={"dspy": importlib.metadata.version("dspy")},
            ),
            evaluation=record["comparison"],
        ),
        {STATE_FILE: state},
        promote=record["comparison"]["low"] > 0,
        gates=settings.gates,
    )
    return version


def _folder(runs: Path) -> Path:
    folder = runs / f"dspy-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    folder.mkdir(parents=True)
    return folder


# What is told.


def _announce(console: Any, wanted: Wanted, plan: Plan, backend: Backend, test: list[Any]) -> None:
    from bot.config import BASE_MODEL  # noqa: PLC0415

    console.print(
        f"{wanted.optimiser} on {wanted.model}: at most {1 + plan.calls} calls, {plan.optimising} to optimise and "
        f"2 x {plan.compared} to compare on held-out turns"
    )
    price = getattr(backend, "price", None)
    if price is not None:
        characters = sum(len(str(each.inputs().toDict())) for each in test[:100]) / min(len(test), 100)
        prompt = round(characters / CHARACTERS_A_TOKEN + DEMO_TOKENS)
        cost = plan.calls * price.cost(prompt, ANSWER_TOKENS[not wanted.plain])
        also = ", and what the model that reflects takes" if wanted.optimiser == "gepa" else ""
        console.print(f"about ${cost:.2f} at {prompt} tokens a prompt{also}")
    elif wanted.model != BASE_MODEL:
        console.print("the cost is unknown: data/prices.toml has no price for this model")


def _spent(optimising: Meter, comparing: Meter, price: Any) -> dict[str, Any]:
    tokens = [optimising.prompt_tokens, optimising.completion_tokens]
    tokens += [comparing.prompt_tokens, comparing.completion_tokens]
    costs = [optimising.cost(price), comparing.cost(price)]
    return {
        "calls": 1 + optimising.calls + comparing.calls,
        "tokens": None if None in tokens else sum(each or 0 for each in tokens),
        "cost_usd": None if None in costs else sum(each or 0.0 for each in costs),
    }


def _report(console: Any, comparison: Comparison, spent: dict[str, Any]) -> None:
    tokens = "unknown" if spent["tokens"] is None else f"{spent['tokens']:,}"
    cost = "unknown" if spent["cost_usd"] is None else f"${spent['cost_usd']:.4f}"
    console.print(f"spent: {spent['calls']} calls, tokens {tokens}, cost {cost}")
    console.print(
        f"on {comparison.turns} held-out turns of {comparison.dialogues} dialogues: zero-shot "
        f"{comparison.zero_shot:.3f}, optimised {comparison.optimised:.3f}, difference {comparison.difference:+.3f} "
        f"(95 % interval {comparison.low:+.3f} to {comparison.high:+.3f})"
    )


def _say_where(  # noqa: PLR0913 - what there is to say
    console: Any, name: str, version: str, folder: Path, *, promoted: bool, held: str
) -> None:
    console.print(f"published {name} {version}; the run is in {folder}")
    if held:
        console.print(
            f"It is a candidate only, since {held}: python -m bot use {name} --version {version} puts it to work "
            "all the same."
        )
    elif promoted:
        console.print(f"It is live: use it with --model {name}, or /student model {name}.")
    else:
        console.print(
            f"It is not certain to be better than zero-shot, so it is a candidate only: python -m bot use {name} "
            f"--version {version} puts it to work all the same."
        )


@contextmanager
def _progress(total: int) -> Iterator[Any]:
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    # The stream itself: what an optimiser prints is sent elsewhere meanwhile.
    console = Console(file=sys.stderr)
    columns = (TextColumn("calls"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(
        *columns,
        console=console,
        disable=not console.is_terminal,
        redirect_stdout=False,
        redirect_stderr=False,
    ) as progress:
        task = progress.add_task("calls", total=total, completed=1)
        yield lambda: progress.advance(task)
