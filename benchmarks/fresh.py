"""The shipped settings for a measurement: a practice log of its own, and the model that the figure is about."""

from __future__ import annotations

from pathlib import Path

from bot.config import Settings, load


def settings_in(folder: str | Path, model: str | None = None) -> Settings:
    """The log lies in `folder`; every conversation has `model`, or the shipped one where that is None."""
    settings = load()
    student = settings.student.model_copy(update={"model": model} if model else {})
    return settings.model_copy(
        update={"database": f"{folder}/bench.db", "pupil_database_url": None, "student": student}
    )
