"""The command `openai` of training: what is asked, shown and confirmed. The work is done in the files beside it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer

from bot.cli.exits import guard
from bot.cli.settings import load_settings

if TYPE_CHECKING:
    from pydantic import SecretStr

    from bot.config import Settings as BotSettings
    from training.methods.openai_job import FineTuning
    from training.methods.openai_run import Run, Settings

DEFAULT_MODEL = "gpt-4o-mini-2024-07-18"

app = typer.Typer(rich_markup_mode=None)

Config = Annotated[
    Path | None, typer.Option("--config", help="The settings file; config.toml here when not given.")
]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="A run's id, as run and list show it.")]
ModelId = Annotated[str, typer.Option("--model", help="The provider's id of the base model.")]
Epochs = Annotated[
    int | None,
    typer.Option(
        "--epochs", min=1, max=50, help="Passes over the rows; the provider chooses when not given."
    ),
]
ProviderName = Annotated[
    Literal["openai", "azure", "compatible"], typer.Option("--provider", help="Whose API it is.")
]
BaseUrl = Annotated[
    str | None, typer.Option("--base-url", help="The API's address; needed for azure and compatible.")
]
ApiVersion = Annotated[
    str | None, typer.Option("--api-version", help="Azure's; not for addresses ending in /openai/v1.")
]
KeyVariable = Annotated[
    str | None,
    typer.Option(
        "--key-variable",
        help="The environment variable with the key: OPENAI_API_KEY, AZURE_OPENAI_API_KEY or, for compatible, "
        "FINE_TUNING_API_KEY when not given.",
    ),
]
SplitFolder = Annotated[
    Path | None,
    typer.Option(
        "--split",
        help="A folder that python -m training data split wrote; when not given, one dialogue in ten of "
        "data/dialogues is for validation.",
    ),
]
Weights = Annotated[
    bool | None,
    typer.Option(
        "--weights/--no-weights",
        help="Mark which answers are trained. When not given: at openai and azure, which know such marks.",
    ),
]
Name = Annotated[str, typer.Option("--name", help="The published model's name.")]
Poll = Annotated[float, typer.Option("--poll", min=0.05, max=3600, help="Seconds between looks at the job.")]
Seed = Annotated[int, typer.Option("--seed", min=0, max=2**31 - 1, help="The provider's training seed.")]


@app.callback(invoke_without_command=True)
def show_help(context: typer.Context) -> None:
    """Fine-tune the student at OpenAI, Azure or a compatible provider. prepare spends nothing; run does."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def prepare(  # noqa: PLR0913 - one per option
    model: ModelId = DEFAULT_MODEL,
    epochs: Epochs = None,
    provider: ProviderName = "openai",
    base_url: BaseUrl = None,
    split: SplitFolder = None,
    weights: Weights = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Where the files go; data/runs/openai-prepared when not given."),
    ] = None,
    config: Config = None,
) -> None:
    """Write the training files, check them, and show tokens and price. No network, nothing is spent."""
    from bot.store import harvested  # noqa: PLC0415
    from training.methods import openai_plan  # noqa: PLC0415

    bot = load_settings(config)

    def work() -> bool:
        settings = openai_plan.settings(bot, model, epochs, provider, base_url)
        plan = openai_plan.plan(bot, settings, split, weights)
        folder = out or _runs(bot) / "openai-prepared"
        harvested.write_run(folder, plan.lineage)
        paths = plan.prepared.write(folder)
        openai_plan.show(bot, plan)
        typer.echo("files: " + ", ".join(map(str, paths)))
        return openai_plan.sound(plan)

    if not _guarded(work):
        raise typer.Exit(2)


@app.command()
def run(  # noqa: PLR0913 - one per option
    model: ModelId = DEFAULT_MODEL,
    epochs: Epochs = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before money is spent.")] = False,
    provider: ProviderName = "openai",
    base_url: BaseUrl = None,
    api_version: ApiVersion = None,
    key_variable: KeyVariable = None,
    split: SplitFolder = None,
    weights: Weights = None,
    name: Name = "openai",
    seed: Seed = 7,
    poll: Poll = 10.0,
    config: Config = None,
) -> None:
    """Train: check, confirm, upload, start the job, follow it, and publish the model."""
    from bot.store import harvested  # noqa: PLC0415
    from training.methods import openai_plan, openai_run  # noqa: PLC0415

    bot = load_settings(config)

    def begin() -> Run:
        settings = openai_plan.settings(
            bot, model, epochs, provider, base_url, api_version, key_variable, name, seed
        )
        _key(bot, settings)
        plan = openai_plan.plan(bot, settings, split, weights)
        openai_plan.show(bot, plan)
        if not openai_plan.sound(plan):
            raise typer.Exit(2)
        openai_plan.confirm(plan, yes)
        begun = plan.run()
        # First: whose words the files hold is known before they are there.
        harvested.write_run(_runs(bot) / begun.id, begun.data.lineage)
        plan.prepared.write(_runs(bot) / begun.id)
        return openai_run.save(_runs(bot), begun)

    begun = _guarded(begin)
    typer.echo(f"run {begun.id}")
    _follow(bot, begun.id, poll)


@app.command()
def resume(run_id: RunId, poll: Poll = 10.0, config: Config = None) -> None:
    """Go on with a run after an interruption or a crash; a job that was started is found, not started again."""
    _follow(load_settings(config), run_id, poll)


@app.command()
def cancel(run_id: RunId, config: Config = None) -> None:
    """Stop a run's job. What was trained until then is paid for."""
    from training.methods.openai_run import RunBusy, alone, load  # noqa: PLC0415

    bot = load_settings(config)

    async def stop(held: bool) -> Run:
        async with _tuning(bot, run_id, _quiet) as tuning:
            if held:
                return await tuning.cancel()
            # Another process follows the run and writes down what becomes of it.
            await tuning.stop()
            return tuning.run

    def work() -> Run:
        load(_runs(bot), run_id)
        try:
            with alone(_runs(bot), run_id):
                return asyncio.run(stop(held=True))
        except RunBusy:
            if load(_runs(bot), run_id).job is None:
                raise
            return asyncio.run(stop(held=False))

    found = _guarded(work)
    asked = {"training": "is asked to stop", "cancelled": "is cancelled"}
    typer.echo(f"{run_id} {asked.get(found.status, f'is over already: {found.status}')}")


@app.command()
def watch(config: Config = None) -> None:
    """Look once at every open run, and publish what is trained. For a schedule; it never starts a job."""
    from training.methods import openai_progress  # noqa: PLC0415
    from training.methods.openai_run import ENDS, RunBusy, alone, ids, load  # noqa: PLC0415

    bot = load_settings(config)
    wrong = False

    async def once(run_id: str) -> Run:
        async with _tuning(bot, run_id, _quiet) as tuning:
            return await tuning.once()

    def look(run_id: str) -> str | None:
        if load(_runs(bot), run_id).status in ENDS:
            return None
        with alone(_runs(bot), run_id):
            found = asyncio.run(once(run_id))
        if found.status in {"prepared", "uploaded", "creating"}:
            return f"{found.status}; it has no job yet: python -m training openai resume {run_id}"
        return openai_progress.line(found)

    for run_id in ids(_runs(bot)):
        try:
            line = look(run_id)
        except RunBusy:
            line = "followed by another process"
        except _errors() as error:
            wrong, line = True, str(error)
        if line is not None:
            typer.echo(f"{run_id}: {line}")
            wrong = wrong or line.startswith("failed")
    if wrong:
        raise typer.Exit(1)


@app.command(name="list")
def list_runs(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False, config: Config = None
) -> None:
    """Show all runs and how far they are, as last seen. No network."""
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from training.methods.openai_run import FineTuningError, ids, load  # noqa: PLC0415

    runs = _runs(load_settings(config))
    found, broken = [], []
    for run_id in ids(runs):
        try:
            found.append(load(runs, run_id))
        except FineTuningError as error:
            broken.append(str(error))
    if as_json:
        typer.echo(json.dumps([each.model_dump(mode="json") for each in found], ensure_ascii=False))
    else:
        table = Table("run", "base model", "", "step", "loss", "cost", "model", box=None, header_style="bold")
        for each in found:
            step = "" if each.step is None else f"{each.step}/{each.steps or '?'}"
            loss = "" if each.train_loss is None else f"{each.train_loss:.3f}"
            cost = "" if each.cost_usd is None else f"${each.cost_usd:.2f}"
            model = each.fine_tuned_model or each.error or ""
            table.add_row(each.id, each.settings.model, each.status, step, loss, cost, model)
        Console(highlight=False).print(table)
    for line in broken:
        typer.echo(line, err=True)
    if broken:
        raise typer.Exit(1)


def _follow(bot: BotSettings, run_id: str, poll: float) -> None:
    """Take a run to its end with progress on the terminal; a broken-off one says how to go on."""
    from training.methods import openai_progress  # noqa: PLC0415
    from training.methods.openai_run import alone, load  # noqa: PLC0415

    async def follow() -> Run:
        with openai_progress.Progress() as progress:
            async with _tuning(bot, run_id, progress.tell, poll) as tuning:
                return await tuning.to_end()

    def work() -> Run:
        with alone(_runs(bot), run_id):
            return asyncio.run(follow())

    _guarded(lambda: load(_runs(bot), run_id))
    try:
        found = _guarded(work, after=f"; go on with: python -m training openai resume {run_id}")
    except typer.Exit as end:
        if end.exit_code == 130:  # noqa: PLR2004 - Ctrl-C, by every shell's convention
            typer.echo(
                f"left at {load(_runs(bot), run_id).status}; a job that was started goes on and costs.\n"
                f"  go on:  python -m training openai resume {run_id}\n"
                f"  stop:   python -m training openai cancel {run_id}",
                err=True,
            )
        raise
    typer.echo(f"{run_id}: {openai_progress.line(found)}")
    if found.status != "published":
        raise typer.Exit(1)


def _quiet(run: Run, said: tuple[str, ...]) -> None:
    pass


def _tuning(
    bot: BotSettings, run_id: str, tell: Callable[[Run, tuple[str, ...]], None], poll: float = 10.0
) -> FineTuning:
    from training.methods import openai_run  # noqa: PLC0415
    from training.methods.openai_api import Pace  # noqa: PLC0415
    from training.methods.openai_job import FineTuning  # noqa: PLC0415
    from training.methods.openai_publish import publish  # noqa: PLC0415

    found = openai_run.load(_runs(bot), run_id)
    return FineTuning(
        found,
        _runs(bot),
        _key(bot, found.settings),
        publish=lambda trained: publish(trained, bot.data / "models", bot.gates),
        tell=tell,
        pace=Pace(poll=poll),
    )


def _runs(bot: BotSettings) -> Path:
    return bot.data / "runs"


def _key(bot: BotSettings, settings: Settings) -> SecretStr | None:
    """The provider's key; raise `FineTuningError` where one is needed and there is none."""
    from training.methods.openai_run import FineTuningError  # noqa: PLC0415

    variable = settings.endpoint.key_variable
    key = bot.openai_api_key if variable == "OPENAI_API_KEY" else bot.key(variable)
    if key is None and settings.endpoint.provider != "compatible":
        raise FineTuningError(f"{variable} is not set; put the key into the environment or .env")
    return key


def _errors() -> tuple[type[Exception], ...]:
    from bot.models.files import ArtifactError  # noqa: PLC0415
    from training.methods.openai_run import FineTuningError  # noqa: PLC0415

    return FineTuningError, ArtifactError


def _guarded(work: Callable[[], Any], after: str = "") -> Any:
    """Call `work`; what a person can put right becomes one line, ending in `after`, and exit 2."""
    try:
        return guard(work)
    except _errors() as error:
        _fail(f"{error}{after}")


def _fail(reason: str) -> NoReturn:
    typer.echo(f"training: {' '.join(reason.split())}", err=True)
    raise typer.Exit(2)
