"""What people think of a model, for the report: rubric ratings from practice, and blind sessions.

Numbers only: no name, no comment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any

from bot.store.rows import RatingRow
from training.evaluate import judge
from training.evaluate.blind import SETUP, Session


def rated(ratings: Iterable[RatingRow]) -> list[dict[str, Any]]:
    """For each model how many ratings of how many people, and the means of the rubric's lines.

    Of one person's ratings of one conversation the newest counts; models in order of their names.
    """
    newest = {(each.conversation_id, each.author_hash): each for each in ratings}
    by_model: dict[str, list[RatingRow]] = defaultdict(list)
    for each in newest.values():
        by_model[each.model or "unknown"].append(each)
    found = []
    for model, rows in sorted(by_model.items()):
        scores: dict[str, list[int]] = defaultdict(list)
        for row in rows:
            for name, score in row.scores.items():
                scores[name].append(score)
        found.append(
            {
                "model": model,
                "ratings": len(rows),
                "raters": len({row.author_hash for row in rows}),
                "means": {name: fmean(given) for name, given in scores.items()},
            }
        )
    return found


def blind_sessions(run: Path) -> list[dict[str, Any]]:
    """Every blind session of a run in which somebody chose, with the language models that judged the same pairs."""
    found = []
    for setup in sorted((run / "blind").glob(f"*/{SETUP}")):
        session = Session.read(setup.parent)
        outcome = session.outcome()
        if outcome.choices:
            judges = [asdict(each) | {"value": each.share} for each in judge.verdicts(session)]
            found.append(asdict(outcome) | {"value": outcome.share, "judges": judges})
    return found
