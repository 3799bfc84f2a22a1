"""What a person is told of a run of DSPy: its plan and price, how far it is, what was spent and found."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bot.models.prices import Price
from bot.models.program import Backend
from bot.sections import BASE_MODEL
from training.methods.dspy_meter import Meter
from training.methods.dspy_run import Comparison, Plan

if TYPE_CHECKING:
    from training.methods.dspy_command import Wanted

DEMO_TOKENS = 500
"""Of eight examples, roughly; a prompt without them is counted by its characters."""
CHARACTERS_A_TOKEN = 3.6
ANSWER_TOKENS = {True: 150, False: 20}
"""With the reasoning before it, and without."""


def announce(console: Console, wanted: Wanted, plan: Plan, backend: Backend, test: list[Any]) -> None:
    """What will be done, and what it costs."""
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


def spent(optimising: Meter, comparing: Meter, price: Price | None) -> dict[str, Any]:
    """Calls, tokens and dollars; None for what is not known."""
    tokens = [optimising.prompt_tokens, optimising.completion_tokens]
    tokens += [comparing.prompt_tokens, comparing.completion_tokens]
    costs = [optimising.cost(price), comparing.cost(price)]
    return {
        "calls": 1 + optimising.calls + comparing.calls,
        "tokens": None if None in tokens else sum(each or 0 for each in tokens),
        "cost_usd": None if None in costs else sum(each or 0.0 for each in costs),
    }


def report(console: Console, comparison: Comparison, costs: dict[str, Any]) -> None:
    """What was spent and found."""
    tokens = "unknown" if costs["tokens"] is None else f"{costs['tokens']:,}"
    cost = "unknown" if costs["cost_usd"] is None else f"${costs['cost_usd']:.4f}"
    console.print(f"spent: {costs['calls']} calls, tokens {tokens}, cost {cost}")
    console.print(
        f"on {comparison.turns} held-out turns of {comparison.dialogues} dialogues: zero-shot "
        f"{comparison.zero_shot:.3f}, optimised {comparison.optimised:.3f}, difference {comparison.difference:+.3f} "
        f"(95 % interval {comparison.low:+.3f} to {comparison.high:+.3f})"
    )


def say_where(  # noqa: PLR0913 - what there is to say
    console: Console, name: str, version: str, folder: Path, *, promoted: bool, held: str
) -> None:
    """Where the version is, and how it is put to work."""
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
def progress(total: int) -> Iterator[Any]:
    """A bar of calls on a terminal; gives what to call for each."""
    # The stream itself: what an optimiser prints is sent elsewhere meanwhile.
    console = Console(file=sys.stderr)
    columns = (TextColumn("calls"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(
        *columns,
        console=console,
        disable=not console.is_terminal,
        redirect_stdout=False,
        redirect_stderr=False,
    ) as bar:
        task = bar.add_task("calls", total=total, completed=1)
        yield lambda: bar.advance(task)
