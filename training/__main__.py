"""The command line of training: everything that is run by hand or by a schedule, never by the bot.

Each command lives in its room; this file only names them.
"""

from __future__ import annotations

import typer

from bot.cli.exits import main
from training.corpus.command import data
from training.evaluate.command import evaluate
from training.evaluate.compare_command import compare
from training.guard.command import guard
from training.harvest.command import harvest, review
from training.hearing.command import hearing
from training.methods import METHODS
from training.methods.pairs_command import pairs

app = typer.Typer(
    name="training",
    help="Pupil's training room: check and split the data, train a student, measure it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(data, name="data")
app.add_typer(evaluate, name="evaluate")
app.command()(harvest)
app.command()(review)
app.command()(hearing)
app.command()(guard)
for method in METHODS:
    method.add_to(app)
app.command()(pairs)
app.command()(compare)


if __name__ == "__main__":
    main(app, "training")
