"""Read what `python -m bot replay` wrote: the student turns with the teacher's turn before each."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from bot.student.records.reading import DataError
from training.evaluate.talk import Said


def read_replays(paths: Iterable[Path]) -> tuple[list[Said], dict[str, float]]:
    """All student turns in order, and the shares of `voiced`; raise `DataError` naming file and line."""
    said: list[Said] = []
    voiced: Counter[str] = Counter()
    for path in paths:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{path}: cannot be read ({error})") from None
        for number, line in enumerate(lines, start=1):
            try:
                teacher = ""
                for turn in json.loads(line)["dialogue"]:
                    if turn["role"] == "teacher":
                        teacher = turn["content"]
                    elif turn["role"] == "student":
                        said.append(Said(teacher, turn["content"]))
                        voiced[turn["voiced"]] += 1
            except (ValueError, KeyError, TypeError):
                raise DataError(f"{path}:{number}: expected a row that python -m bot replay wrote") from None
    total = sum(voiced.values())
    return said, {name: count / total for name, count in voiced.most_common()}
