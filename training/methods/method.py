"""What a way of training is to the rest of the program: its command, what it makes, and what it costs to try.

It knows the shape of a way, and none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from bot.models.prices import Price

if TYPE_CHECKING:
    from training.corpus.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one pass over the data reads and costs: the dollars are None where they are not known."""

    method: str
    what: str
    tokens: int
    cost_usd: float | None
    why_unknown: str = ""

    def to_json(self) -> dict[str, Any]:
        """For machines; an unknown cost is null."""
        return {
            "method": self.method,
            "what": self.what,
            "tokens": self.tokens,
            "cost_usd": self.cost_usd,
        }


@dataclass(frozen=True, slots=True)
class Method:
    """One way of training."""

    name: str
    """Of its command."""
    command: Callable[..., None] | typer.Typer
    """Its help is its docstring."""
    title: str
    """In documents, among the ways there are."""
    kinds: Mapping[str, str]
    """The kinds, as the list of models has them, that it makes or competes with, and what documents call each."""
    estimate: Callable[[Tokens, Mapping[str, Price], str], Estimate]
    """For data of so many tokens, at these prices, with the hosted model of that id."""

    def add_to(self, commands: typer.Typer) -> None:
        """Put its command into a command line."""
        if isinstance(self.command, typer.Typer):
            commands.add_typer(self.command, name=self.name)
        else:
            commands.command(self.name)(self.command)
