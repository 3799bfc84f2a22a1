"""How far a fine-tuning run is, for people: a line, and a bar while somebody watches. It asks no provider."""

from __future__ import annotations

from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from training.methods.openai_run import Run


class Progress:
    """The provider's messages as they come and, on a terminal, a bar with the losses."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False, markup=False)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[loss]}"),
        )
        self._bar = Bar(*columns, console=self._console, disable=not self._console.is_terminal)
        self._task = self._bar.add_task("starting", total=None, loss="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def tell(self, run: Run, said: tuple[str, ...]) -> None:
        """Show the provider's messages, and where the run stands."""
        for message in said:
            self._console.print(message)
        self._bar.update(
            self._task,
            description=run.job_status if run.status == "training" and run.job_status else run.status,
            total=run.steps,
            completed=run.step or 0,
            loss=_losses(run),
        )


def line(run: Run) -> str:
    """How far a run is, in a line."""
    if run.status == "published":
        cost = "" if run.cost_usd is None else f" for ${run.cost_usd:.2f}"
        place = f"{run.settings.name}, version {run.id}"
        if run.settings.endpoint.provider == "azure":
            return (
                f"published {run.fine_tuned_model}{cost} as {place}; deploy it at Azure under exactly that name, "
                f"then make it live: python -m bot use {run.settings.name} --version {run.id}"
            )
        return f"published {run.fine_tuned_model}{cost} as {place}"
    if run.status == "failed":
        return f"failed: {run.error}"
    if run.status == "training":
        step = "" if run.step is None else f", step {run.step} of {run.steps or '?'}"
        losses = _losses(run)
        return f"{run.job_status}{step}{', ' if losses else ''}{losses}"
    return run.status


def _losses(run: Run) -> str:
    found = (("loss", run.train_loss), ("validation", run.valid_loss))
    return ", ".join(f"{name} {value:.3f}" for name, value in found if value is not None)
