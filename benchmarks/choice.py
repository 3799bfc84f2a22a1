"""Which of four replies is said? How often the one fits that each way to choose takes, by judges who knew of none.

Run: python -m benchmarks.choice. The replies and their judgements are `data/listening/judged.jsonl`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bot.student.voicing.choice import OFF_LENGTH

JUDGED = Path(__file__).parents[1] / "data" / "listening" / "judged.jsonl"
SHORT, MIDDLING = 3, 10
Reply = dict[str, Any]


def off(reply: Reply, words: int) -> float:
    """Nats off for each word beside the length that was drawn."""
    return OFF_LENGTH * abs(len(str(reply["text"]).split()) - words)


WAYS: dict[str, Callable[[Reply, int], float]] = {
    "the first": lambda _reply, _words: 0.0,
    "likeliest a letter": lambda reply, _words: reply["likelihood"] / max(1, len(reply["text"])),
    "likeliest": lambda reply, _words: reply["likelihood"],
    "likeliest, near the length": lambda reply, words: reply["likelihood"] - off(reply, words),
}


def main() -> None:
    """Print the shares."""
    moments = [json.loads(line) for line in JUDGED.read_text(encoding="utf-8").splitlines()]
    print(f"{len(moments)} moments of four replies")
    print(f"any of the four: {_share([any(each['fits'] for each in row['replies']) for row in moments])}")
    print(f"one at random: {_share([each['fits'] for row in moments for each in row['replies']])}")
    for name, worth in WAYS.items():
        print(f"{name}: {_share([_chosen(row, worth)['fits'] for row in moments])}")
    for least, most in ((1, SHORT), (SHORT + 1, MIDDLING), (MIDDLING + 1, 99)):
        some = [row for row in moments if least <= row["words"] <= most]
        fits = [_chosen(row, WAYS["likeliest, near the length"])["fits"] for row in some]
        print(f"... {least} to {most} words: {_share(fits)} of {len(some)}")


def _chosen(row: dict[str, Any], worth: Callable[[Reply, int], float]) -> Reply:
    standing = [each for each in row["replies"] if "fault" not in each] or row["replies"]
    return max(standing, key=lambda each: worth(each, row["words"]))


def _share(fits: Sequence[bool]) -> str:
    return f"{sum(fits) / len(fits):.1%}"


if __name__ == "__main__":
    main()
