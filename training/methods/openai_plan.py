"""What a fine-tuning job would be: its settings, rows and price, shown and confirmed before anything is sent.

It knows options and the terminal, no network.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import typer
from pydantic import ValidationError

from bot.config import Settings as BotSettings
from bot.models.prices import Price, price_of, read_prices
from bot.student.lessons import read_lessons
from bot.student.records.child import read_children
from bot.student.records.dialogue import Dialogue
from bot.student.voicing.prompt import VERSION
from training.corpus.read import authored, held_out
from training.harvest.origin import Origins
from training.methods import openai_data
from training.methods.openai_data import SHOWN_FAULTS, VALIDATION_SHARE, Prepared
from training.methods.openai_run import (
    AZURE_VERSION,
    KEY_VARIABLES,
    Data,
    Endpoint,
    FineTuningError,
    Run,
    Settings,
    new_id,
)
from training.methods.openai_terms import epochs_range, read_terms
from training.methods.rendering import parts


@dataclass(frozen=True, slots=True)
class Plan:
    """A job that could be begun. `price` is None where it is not known; `sha256` is that of the dialogues,
    `generation` and `lineage` say where they come from."""

    settings: Settings
    prepared: Prepared
    price: Price | None
    dialogues: int
    sha256: str
    generation: int | None
    lineage: Mapping[str, tuple[int, ...]]

    def run(self) -> Run:
        """A new run of it, of which nothing is written yet."""
        now = dt.datetime.now(dt.UTC)
        data = Data(
            sha256=self.sha256,
            dialogues=self.dialogues,
            training_rows=len(self.prepared.training),
            validation_rows=len(self.prepared.validation),
            tokens=self.prepared.tokens,
            prompt_version=VERSION,
            generation=self.generation,
            lineage=dict(self.lineage),
        )
        price = self.price.usd_per_million_training if self.price else None
        return Run(
            id=new_id(now), created_at=now, settings=self.settings, data=data, usd_per_million_training=price
        )


def settings(  # noqa: PLR0913 - one per option
    bot: BotSettings,
    model: str,
    epochs: int | None,
    provider: Literal["openai", "azure", "compatible"],
    base_url: str | None,
    api_version: str | None = None,
    key_variable: str | None = None,
    name: str = "openai",
    seed: int = 7,
) -> Settings:
    """What the options ask for; raise `FineTuningError` naming the option that is wrong."""
    if provider == "openai":
        base_url = base_url or bot.openai.base_url
    if not base_url:
        raise FineTuningError(f"--base-url: provider {provider!r} needs the address of its API")
    if provider == "azure" and not base_url.rstrip("/").endswith("/openai/v1"):
        api_version = api_version or AZURE_VERSION
    elif api_version is not None:
        raise FineTuningError("--api-version: only Azure's dated addresses take one")
    try:
        return Settings(
            endpoint=Endpoint(
                provider=provider,
                base_url=base_url,
                api_version=api_version,
                key_variable=key_variable or KEY_VARIABLES[provider],
            ),
            model=model,
            epochs=epochs,
            seed=seed,
            name=name,
        )
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        option = str(first["loc"][0]).replace("_", "-")
        raise FineTuningError(f"--{option}: {first['msg'].removeprefix('Value error, ')}") from None


def plan(bot: BotSettings, settings: Settings, folder: Path | None, weights: bool | None) -> Plan:
    """Read, render and check the dialogues; raise `DataError`. `folder` holds a split, None: make one."""
    origins = Origins.read(bot.data)

    def read(paths: Iterable[Path]) -> list[Dialogue]:
        return [each for each in openai_data.read_dialogues(paths) if not origins.left(each)]

    test = openai_data.read_dialogues(held_out(bot.data))
    if folder is None:
        every = read(authored(bot.data))
        training, validation = parts(every, VALIDATION_SHARE, origins.groups(every))
    else:
        training, validation = read([folder / "train.jsonl"]), read([folder / "validation.jsonl"])
        every = [*training, *validation]
    prepared = openai_data.prepare(
        training,
        validation,
        test,
        children=read_children(bot.data / "children"),
        lessons=read_lessons(bot.data / "lessons"),
        model=settings.model,
        weights=settings.endpoint.provider != "compatible" if weights is None else weights,
    )
    price = price_of(settings.model, read_prices(bot.data / "prices.toml"))
    if price and (price.usd_per_million_training is None or not settings.endpoint.openais_own):
        price = None
    lines = "".join(f"{dialogue.to_line()}\n" for dialogue in [*training, *validation])
    return Plan(
        settings,
        prepared,
        price,
        len(every),
        hashlib.sha256(lines.encode()).hexdigest(),
        origins.generation(every),
        origins.lineage(every),
    )


def show(bot: BotSettings, plan: Plan) -> None:
    """What the job is made of, what it would cost, and what to know before."""
    prepared, settings = plan.prepared, plan.settings
    bare, told = prepared.tokens
    guess = "" if prepared.exact else ", a guess: this model's own table is not known"
    low, high = epochs_range(settings.epochs, len(prepared.training))
    chooses = " (the provider chooses)" if settings.epochs is None else ""
    typer.echo(f"job: {settings.model} at {settings.endpoint.base_url}")
    typer.echo(f"dialogues: {plan.dialogues}")
    typer.echo(f"rows: {len(prepared.training)} training, {len(prepared.validation)} validation")
    if prepared.left_out:
        typer.echo(f"left out: {prepared.left_out} turns; python -m training data check shows what they lack")
    typer.echo(f"tokens: {bare:,} to {told:,} an epoch{guess}")
    typer.echo(f"epochs: {low if low == high else f'{low} to {high}'}{chooses}")
    if plan.price is None or (each := plan.price.usd_per_million_training) is None:
        typer.echo("price: not known; see your provider's price list")
    else:
        lowest, highest = low * bare * each / 1e6, high * told * each / 1e6
        typer.echo(f"price: ${lowest:.2f} to ${highest:.2f}, at ${each:g} for a million tokens")
        typer.echo(f"  read on {plan.price.date} from: {plan.price.source}")
    if settings.endpoint.openais_own:
        today = dt.datetime.now(dt.UTC).date()
        for warning in read_terms(bot.data / "fine_tuning.toml").warnings(settings.model, today):
            typer.echo(f"warning: {warning}", err=True)


def sound(plan: Plan) -> bool:
    """Whether the rows may be sent; says what is wrong with them."""
    faults = plan.prepared.faults

    for fault in faults[:SHOWN_FAULTS]:
        typer.echo(fault, err=True)
    if more := len(faults[SHOWN_FAULTS:]):
        typer.echo(f"… and {more} more", err=True)
    return not faults


def confirm(plan: Plan, yes: bool) -> None:
    """Ask before money is spent; raise `FineTuningError` where nobody can answer, `typer.Exit` after a no."""
    if yes:
        return
    if plan.price is None:
        raise FineTuningError("the price is not known; give --yes to spend it all the same")
    if not sys.stdin.isatty():
        raise FineTuningError("this spends money and there is nobody to ask; give --yes to go on")
    if not typer.confirm("Start the job?"):
        typer.echo("nothing was sent")
        raise typer.Exit(0)
