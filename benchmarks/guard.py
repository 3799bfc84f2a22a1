"""What the guard makes of lines by people who have not seen its rules. Run: python -m benchmarks.guard [FOLDER]

Real pupils' data and traps, harm (a third of it spelled evasively) and innocent talk, sincere questions whether a real
child is there and look-alikes: `data/hearing/strangers-*.jsonl`, or `pupil`, `harm` and `real.jsonl` of another folder.
Nothing may be tuned on them.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot.student.guard.safeguard import Flag, check, redact

DATA = Path(__file__).parents[1] / "data" / "hearing"
GRAVE = frozenset({"sexual", "grooming", "violence", "self_harm", "crisis", "abuse"})
Lines = list[dict[str, Any]]


def read(name: str, folder: Path | None = None) -> Lines:
    """The lines of one file: the strangers' here, or those of another folder."""
    path = folder / f"{name}.jsonl" if folder else DATA / f"strangers-{name}.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def noticed(text: str, *flags: Flag) -> bool:
    """Whether the program answers it, with one of these flags where some are given."""
    notice = check(text, "Mia")
    return notice is not None and (not flags or notice.flag in flags)


def share(lines: Lines, holds: Callable[[str], bool]) -> str:
    """How many of them hold, as people read it."""
    if not lines:
        return "none of this kind"
    count = sum(holds(line["text"]) for line in lines)
    return f"{count} of {len(lines)} ({count / len(lines):.1%})"


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("folder", nargs="?", type=Path, help="another folder with pupil, harm and real.jsonl")
    parser.add_argument("--kinds", action="store_true", help="harm by kind, and private parts by kind")
    options = parser.parse_args()
    pupil, harm, real = (read(name, options.folder) for name in ("pupil", "harm", "real"))
    parts = [
        (str(line.get("kind")), part.lower() not in redact(line["text"])[0].lower())
        for line in pupil
        for part in line.get("must_go", ())
    ]
    gone = sum(went for _, went in parts)
    traps = [line for line in pupil if not line.get("must_go")]
    print(f"private parts taken out: {gone} of {len(parts)} ({gone / len(parts):.1%})")
    print("traps untouched:", share(traps, lambda text: redact(text)[0] == text and not noticed(text)))
    harmful = [line for line in harm if line["label"] == "harm"]
    caught = [line for line in harmful if "plain" in line and noticed(line["plain"])]
    for name, some in (
        ("harm", harmful),
        ("... grave", [line for line in harmful if line["kind"] in GRAVE]),
        ("... as it is spelled", [line for line in harmful if not line.get("evaded")]),
        ("... evasively spelled", [line for line in harmful if line.get("evaded")]),
        ("... evasively spelled, of those that are noticed as they are meant,", caught),
    ):
        print(f"{name} noticed:", share(some, noticed))
    print("innocent talk stopped:", share([line for line in harm if line["label"] == "innocent"], noticed))
    for name, label in (
        ("sincere questions answered", "asks_if_real"),
        ("look-alikes answered", "look_alike"),
    ):
        some = [line for line in real if line["label"] == label]
        print(f"{name}:", share(some, lambda text: noticed(text, Flag.HONESTY)))
    if options.kinds:
        by_kind(parts, harmful)


def by_kind(parts: list[tuple[str, bool]], harmful: Lines) -> None:
    """Print private parts and harm by kind."""
    went: dict[str, list[bool]] = defaultdict(list)
    for kind, gone in parts:
        went[f"private, {kind}"].append(gone)
    for line in harmful:
        went[f"harm, {line.get('kind')}"].append(noticed(line["text"]))
    for kind, all_ in sorted(went.items()):
        print(f"{kind}: {sum(all_)} of {len(all_)}")


if __name__ == "__main__":
    main()
