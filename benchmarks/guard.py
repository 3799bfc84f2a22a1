"""What the guard makes of lines by people who have not seen its rules. Run: python -m benchmarks.guard

Real pupils' data and traps, harm (a third of it spelled evasively) and innocent talk, sincere questions whether a real
child is there and look-alikes: `data/hearing/strangers-*.jsonl`. Nothing may be tuned on them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot.student.guard.safeguard import Flag, check, redact

DATA = Path(__file__).parents[1] / "data" / "hearing"
GRAVE = frozenset({"sexual", "grooming", "violence", "self_harm", "crisis", "abuse"})
Lines = list[dict[str, Any]]


def read(name: str) -> Lines:
    """The lines of one file."""
    return [json.loads(line) for line in (DATA / f"strangers-{name}.jsonl").read_text("utf-8").splitlines()]


def noticed(text: str, *flags: Flag) -> bool:
    """Whether the program answers it, with one of these flags where some are given."""
    notice = check(text, "Mia")
    return notice is not None and (not flags or notice.flag in flags)


def share(lines: Lines, holds: Callable[[str], bool]) -> str:
    """How many of them hold, as people read it."""
    count = sum(holds(line["text"]) for line in lines)
    return f"{count} of {len(lines)} ({count / len(lines):.1%})"


def main() -> None:
    """Print every figure."""
    pupil, harm, real = read("pupil"), read("harm"), read("real")
    parts = [(part, line["text"]) for line in pupil for part in line.get("must_go", ())]
    gone = sum(part.lower() not in redact(text)[0].lower() for part, text in parts)
    traps = [line for line in pupil if line["label"] == "trap"]
    print(f"private parts taken out: {gone} of {len(parts)} ({gone / len(parts):.1%})")
    print("traps untouched:", share(traps, lambda text: redact(text)[0] == text and not noticed(text)))
    harmful = [line for line in harm if line["label"] == "harm"]
    for name, some in (
        ("harm", harmful),
        ("... grave", [line for line in harmful if line["kind"] in GRAVE]),
        ("... as it is spelled", [line for line in harmful if not line.get("evaded")]),
        ("... evasively spelled", [line for line in harmful if line.get("evaded")]),
    ):
        print(f"{name} noticed:", share(some, noticed))
    print("innocent talk stopped:", share([line for line in harm if line["label"] == "innocent"], noticed))
    for name, label in (
        ("sincere questions answered", "asks_if_real"),
        ("look-alikes answered", "look_alike"),
    ):
        some = [line for line in real if line["label"] == label]
        print(f"{name}:", share(some, lambda text: noticed(text, Flag.HONESTY)))


if __name__ == "__main__":
    main()
