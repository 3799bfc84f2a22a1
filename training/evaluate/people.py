"""What people think of a model: rubric ratings from practice, by model. Numbers only: no name, no comment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from statistics import fmean
from typing import Any

from bot.store.rows import RatingRow


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
