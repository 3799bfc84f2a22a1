"""`python -m training evaluate perplexity`: how well students foretell the child's words of the golden dialogues."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.exits import guard
from bot.cli.settings import load_settings

if TYPE_CHECKING:
    from bot.config import Settings
    from training.evaluate.perplexity import Scored


def perplexity(
    models: Annotated[
        list[str],
        typer.Argument(
            help='"base", published LoRA models or folders of adapters, the one to compare with first.'
        ),
    ],
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many dialogues.")] = None,
    config: Annotated[
        Path | None, typer.Option("--config", help="The settings file; config.toml here when not given.")
    ] = None,
) -> None:
    """How well is the child's every word foretold in dialogues never trained on? Lower is better; 1 is perfect."""
    settings = load_settings(config)
    guard(lambda: show(settings, models, limit))


def show(settings: Settings, names: list[str], limit: int | None) -> None:
    """Print the perplexity of each model beside that of the first."""
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    scored = scores(settings, names, limit)
    first = scored[names[0]]
    table = Table("model", "perplexity", "95 %", f"of {names[0]}'s", "95 %", box=None, header_style="bold")
    for name, each in scored.items():
        own, share = each.interval(), each.against(first)
        compared = (
            ("", "") if each is first else (f"{share.mean:.3f}", f"{share.low:.3f} to {share.high:.3f}")
        )
        table.add_row(name, f"{own.mean:.2f}", f"{own.low:.2f} to {own.high:.2f}", *compared)
    console = Console(highlight=False)
    console.print(f"{len(first.losses)} golden dialogues, {first.tokens} tokens of the child's words")
    console.print(table)


def foretelling(settings: Settings, names: list[str]) -> list[str]:
    """Those of `names` whose words can be scored here: the base model, and adapters of it."""
    from bot.models.engines.weights import served_gguf  # noqa: PLC0415
    from bot.models.files import ArtifactError  # noqa: PLC0415

    found = []
    for name in names:
        try:
            adapter_of(settings, name, served_gguf(settings))
        except ArtifactError:
            continue
        found.append(name)
    return found


def scores(settings: Settings, names: list[str], limit: int | None) -> dict[str, Scored]:
    """How well each model foretells the golden dialogues, with a bar on stderr; raise `ArtifactError` for a name
    that is neither the base model nor an adapter of it."""
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress  # noqa: PLC0415

    from bot.app import read_data  # noqa: PLC0415
    from bot.models.engines.weights import served_gguf  # noqa: PLC0415
    from bot.student.records.dialogue import Dialogue  # noqa: PLC0415
    from bot.student.records.text import lines_of  # noqa: PLC0415
    from training.evaluate.golden import GOLDEN  # noqa: PLC0415

    gguf = served_gguf(settings)
    adapters = {name: adapter_of(settings, name, gguf) for name in names}
    from training.evaluate.perplexity import rows_of, score  # noqa: PLC0415 - torch: after what may be wrong
    from training.methods.lora_base import load  # noqa: PLC0415

    lines = lines_of(settings.data / GOLDEN)[:limit]
    children, curriculum = read_data(settings)
    base = load(gguf, "float32")
    rows = rows_of(base, map(Dialogue.from_line, lines), children, curriculum.lessons)
    scored: dict[str, Scored] = {}
    with Progress(console=Console(stderr=True)) as progress:
        for name, adapter in adapters.items():
            task = progress.add_task(f"{name}, perplexity", total=len(rows))
            scored[name] = score(base, rows, adapter, partial(progress.advance, task))
    return scored


def adapter_of(settings: Settings, name: str, gguf: Path) -> Path | None:
    """The folder of the adapter that `name` means, None for the base model; raise `ArtifactError`."""
    from bot.models import artifact, catalogue  # noqa: PLC0415
    from bot.models.files import ArtifactError  # noqa: PLC0415
    from bot.models.lora import CONFIG, made_for  # noqa: PLC0415
    from bot.models.manifest import NAME  # noqa: PLC0415
    from bot.sections import BASE_MODEL  # noqa: PLC0415

    if name == BASE_MODEL:
        return None
    if (Path(name) / CONFIG).is_file():
        return Path(name)
    models = settings.data / "models"
    if not NAME.fullmatch(name) or not (found := catalogue.promotions(models, name)):
        raise ArtifactError(
            f"no live model {name!r} in {models}, and no folder with {CONFIG}; python -m bot models lists them"
        )
    folder = models / name / found[0].version
    manifest = artifact.take(folder)
    base = manifest.base
    if manifest.kind != "lora" or base is None or not made_for(base.sha256 or "", gguf):
        raise ArtifactError(
            f"{name} {manifest.version}: kind {manifest.kind}, made for {base.id if base else 'no base'};"
            f" expected a LoRA adapter for {gguf.stem}, whose words are scored here"
        )
    return folder
