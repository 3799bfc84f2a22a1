"""The command `lora` of training: options, progress and what is published. The work is done in the files beside it."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bot.cli.exits import guard
from bot.cli.settings import load_settings

if TYPE_CHECKING:
    from bot.config import Settings as BotSettings
    from bot.student.records.dialogue import Dialogue
    from training.harvest.origin import Origins
    from training.methods.lora_settings import Data, Result, Settings
    from training.methods.preferences import Pair


def lora(  # noqa: PLR0913 - one per option
    preset: Annotated[
        Literal["seed", "all-linear"],
        typer.Option("--preset", help="Where the adapter sits: seed is r 8 on q_proj and v_proj."),
    ] = "seed",
    rank: Annotated[
        int | None, typer.Option("--rank", min=1, max=256, help="Another rank than the preset's.")
    ] = None,
    epochs: Annotated[
        float | None,
        typer.Option("--epochs", min=0.01, help="Passes over the conversations: 3, or 1 over preferences."),
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option("--learning-rate", min=0, help="At its highest: 1e-3, or 2e-5 with preferences."),
    ] = None,
    batch: Annotated[int, typer.Option("--batch", min=1, help="Conversations a step and process.")] = 8,
    patience: Annotated[
        int, typer.Option("--patience", min=1, help="Epochs without a better validation loss before the end.")
    ] = 2,
    base: Annotated[
        str | None,
        typer.Option(
            "--base",
            help="A GGUF file, or a folder or model id of Hugging Face; the embedded model when not given.",
        ),
    ] = None,
    precision: Annotated[
        Literal["auto", "float32", "bfloat16", "8bit", "4bit"],
        typer.Option(
            "--precision",
            help="Of the base. auto: bfloat16 where the processor has it. 8bit and 4bit need CUDA.",
        ),
    ] = "auto",
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**31 - 1)] = 7,
    train: Annotated[
        list[Path] | None,
        typer.Option(
            "--train",
            help="Files or folders of dialogues; all in data/dialogues and data/open but the golden ones if none.",
        ),
    ] = None,
    validation: Annotated[
        list[Path] | None,
        typer.Option("--validation", help="The same; when not given, one training dialogue in twelve."),
    ] = None,
    preferences: Annotated[
        list[Path] | None,
        typer.Option(
            "--preferences",
            help="Files of pairs of a better and a worse line: go on from --start with them instead (DPO).",
        ),
    ] = None,
    start: Annotated[
        str, typer.Option("--start", help="With --preferences: the published model whose adapter goes on.")
    ] = "starter",
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=2, help="Only so many dialogues, spread over the files: a trial."),
    ] = None,
    name: Annotated[str, typer.Option("--name", help="The published model's name.")] = "lora",
    publish: Annotated[
        bool,
        typer.Option("--publish/--no-publish", help="Whether it becomes a version that the bot can use."),
    ] = True,
    promote: Annotated[
        bool, typer.Option("--promote/--candidate", help="Whether the bot uses it at once.")
    ] = True,
    resume: Annotated[
        str | None, typer.Option("--resume", metavar="RUN", help="Go on with a run, with the same options.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", help="The settings file; config.toml here when not given.")
    ] = None,
) -> None:
    """Train a LoRA adapter here, on the student's words only, and publish it for the bot.

    Everything about the run is in data/runs/RUN. Several GPUs or processes: accelerate launch -m training lora …
    """
    bot = load_settings(config)

    from training.harvest.origin import Origins  # noqa: PLC0415

    def work() -> tuple[Settings, Data, Result]:
        # First of all, so that nobody waits for torch to hear of a wrong path.
        origins = Origins.read(bot.data)
        pairs = _pairs(bot, preferences, start, limit, origins) if preferences else None
        chosen = pairs.dialogues if pairs else _dialogues(bot, train, validation, limit, origins)
        folder = _folder(bot, resume)
        _require()
        from training.methods import lora as method  # noqa: PLC0415 - loads torch
        from training.methods import lora_settings  # noqa: PLC0415

        settings = lora_settings.Settings(
            preset=preset,
            rank=rank,
            base=base or str(_gguf(bot)),
            precision=precision,
            epochs=epochs or (1 if pairs else 3),
            learning_rate=learning_rate or (2e-5 if pairs else 1e-3),
            batch=batch,
            patience=patience,
            seed=seed,
        )
        data = _data(bot, *chosen, origins)
        folder = _shared(folder)
        if _is_first():
            typer.echo(f"run {folder.name}")
        if pairs is not None:
            from training.methods import lora_preferences  # noqa: PLC0415

            return (
                settings,
                data,
                lora_preferences.train(
                    settings, pairs.parts, data, pairs.start, folder, typer.echo, resume=resume is not None
                ),
            )
        return settings, data, method.train(settings, data, folder, typer.echo, resume=resume is not None)

    settings, data, result = guard(work)
    if not _is_first():
        return
    typer.echo(
        f"{result.seconds:.0f} s, {result.tokens / result.seconds:.0f} tokens/s, validation loss"
        f" {result.base_loss:.4f} -> {result.validation_loss:.4f}; everything in {result.folder}"
    )
    if not publish:
        return
    if result.agreement is None:
        typer.echo(
            f"not published: the bot serves adapters of its GGUF only; PEFT's files are in {result.adapter}"
        )
        return
    if not result.agreement.holds:
        typer.echo("training: not published: PEFT and llama.cpp disagree; see result.json", err=True)
        raise typer.Exit(1)
    from bot.models.catalogue import held_back  # noqa: PLC0415
    from training.methods.lora_publish import publish as hand_over  # noqa: PLC0415

    where = guard(
        lambda: hand_over(
            result,
            settings,
            data,
            Path(settings.base),
            bot.data / "models",
            name,
            promote=promote,
            gate=bot.gates,
        )
    )
    held = held_back(bot.data / "models", name, where.name)
    use = f"a candidate{f', since {held}' if held else ''}: python -m bot use {name} --version {where.name}"
    live = "live" if promote and not held else use
    typer.echo(f"published {where}, {live}")


def _dialogues(
    bot: BotSettings,
    train: list[Path] | None,
    validation: list[Path] | None,
    limit: int | None,
    origins: Origins,
) -> tuple[Collection[Dialogue], Collection[Dialogue]]:
    """Training and validation part, without who left, as files that are read when needed; raise `DataError`, also where
    one of them holds a dialogue of the test set."""
    from bot.student.records.reading import DataError  # noqa: PLC0415
    from training.corpus.read import Chosen, authored, held_out, sound  # noqa: PLC0415
    from training.corpus.read import files as files_of  # noqa: PLC0415
    from training.methods.rendering import kept_for_validation  # noqa: PLC0415

    def read(paths: Sequence[Path]) -> Chosen:
        files = tuple(files_of(paths))
        here = (dialogue.id for _, dialogue in sound(files) if not origins.left(dialogue))
        return Chosen(files, frozenset(here))

    found = read(train or authored(bot.data))
    kept = read(validation) if validation else None
    if limit is not None:
        # Spread over the files, so that a trial sees every subject.
        step = max(1, len(found) // limit)
        found = Chosen(found.paths, frozenset(each.id for each in islice(found, 0, step * limit, step)))
    if kept is None:
        ids = kept_for_validation(found.ids, groups=origins.groups(found))
        kept, found = Chosen(found.paths, ids), Chosen(found.paths, found.ids - ids)
    golden = read(held_out(bot.data)).ids
    for each in sorted((found.ids | kept.ids) & golden):
        raise DataError(f"{each}: is in the test set, which is never trained on; leave it out")
    for name, side in (("train", found), ("validation", kept)):
        if not side:
            raise DataError(
                f"--{name}: no dialogue is left for it; give more (harvested ones of one teacher stay together)"
            )
    return found, kept


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Pairs by part, and the folder of the adapter that goes on."""

    parts: dict[str, list[Pair]]
    start: Path

    @property
    def dialogues(self) -> tuple[list[Dialogue], list[Dialogue]]:
        """Both parts as dialogues that end with the better line."""
        train, validation = (
            [pair.as_dialogue() for pair in self.parts[name]] for name in ("train", "validation")
        )
        return train, validation


def _pairs(bot: BotSettings, paths: list[Path], start: str, limit: int | None, origins: Origins) -> _Pairs:
    """The pairs without who left, one in twelve kept for validation; raise `DataError`."""
    from bot.models.catalogue import promotions  # noqa: PLC0415
    from bot.student.records.reading import DataError  # noqa: PLC0415
    from training.methods.preferences import read_pairs  # noqa: PLC0415
    from training.methods.rendering import parts  # noqa: PLC0415

    live = promotions(bot.data / "models", start)
    if not live:
        raise DataError(f"--start {start}: no such published model; train one first")
    found = [pair for pair in read_pairs(paths) if not origins.left(pair.as_dialogue())][:limit]
    sides = parts([pair.as_dialogue() for pair in found])
    kept = {each.id for each in sides[1]}
    split = {
        "train": [pair for pair in found if pair.dialogue not in kept],
        "validation": [pair for pair in found if pair.dialogue in kept],
    }
    if not all(split.values()):
        raise DataError("--preferences: expected pairs from two dialogues or more")
    return _Pairs(split, bot.data / "models" / start / live[0].version)


def _data(
    bot: BotSettings, train: Collection[Dialogue], validation: Collection[Dialogue], origins: Origins
) -> Data:
    from bot.student.lessons import read_lessons  # noqa: PLC0415
    from bot.student.records.child import read_children  # noqa: PLC0415
    from training.methods.lora_settings import Data  # noqa: PLC0415

    children, lessons = read_children(bot.data / "children"), read_lessons(bot.data / "lessons")
    return Data(train, validation, children, lessons, origins)


def _gguf(bot: BotSettings) -> Path:
    from bot.models.engines.weights import served_gguf  # noqa: PLC0415

    return served_gguf(bot)


def _folder(bot: BotSettings, resume: str | None) -> Path:
    from bot.student.records.reading import DataError  # noqa: PLC0415

    runs = bot.data / "runs"
    if resume is None:
        now = dt.datetime.now(dt.UTC)
        return runs / f"lora-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    if not (runs / resume / "settings.json").is_file():
        known = ", ".join(sorted(path.parent.name for path in runs.glob("lora-*/settings.json"))) or "none"
        raise DataError(f"--resume: no run {resume!r} in {runs}; there are: {known}")
    return runs / resume


def _require() -> None:
    """Raise `DataError` where the extra is not installed."""
    import importlib.util  # noqa: PLC0415
    import logging  # noqa: PLC0415

    from bot.student.records.reading import DataError  # noqa: PLC0415

    for package in ("torch", "transformers", "peft", "trl", "datasets", "gguf", "matplotlib"):
        if importlib.util.find_spec(package) is None:
            raise DataError(f"{package} is not installed; local training needs: pip install -e '.[train]'")
    # Which of its kernels it does without is of no interest to anybody who trains.
    logging.getLogger("bitsandbytes").setLevel(logging.CRITICAL)


def _shared(folder: Path) -> Path:
    """The first process's folder, in all of them."""
    from accelerate.utils import broadcast_object_list  # noqa: PLC0415

    from training.methods.lora_base import processes  # noqa: PLC0415

    processes()
    return Path(broadcast_object_list([str(folder)])[0])


def _is_first() -> bool:
    from training.methods.lora_base import processes  # noqa: PLC0415

    return bool(processes().is_main_process)
