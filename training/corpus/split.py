"""Train, validation and test: by dialogue, stratified by subject and misconception, the same every time.

The golden test part is a file of its own that never changes; what is nearly the same as one of its dialogues is
left out of the other parts. Harvested dialogues are split by teacher: all of one teacher's are in one part. It reads
the files twice and keeps some 450 bytes a dialogue in between.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import Any

from bot.student.lessons import read_lessons
from bot.student.records.dialogue import Dialogue, Role
from bot.student.records.reading import DataError
from training.corpus.check import MANIFEST, sha256
from training.corpus.convert import replacing
from training.corpus.duplicates import PARTS, Index
from training.corpus.read import Advance, files, sound
from training.harvest.origin import HARVESTED, Origins

SEED = 7
VALIDATION = 0.1


@dataclass(frozen=True, slots=True)
class Split:
    """Dialogues by part, and those left out because nearly the same is in the test part, or another teacher's."""

    dialogues: dict[str, int]
    left_out: int
    manifest: Path


def split(  # noqa: PLR0913 - one per option
    paths: Sequence[Path],
    test: Path,
    out: Path,
    data: Path,
    *,
    validation: float = VALIDATION,
    seed: int = SEED,
    advance: Advance | None = None,
) -> Split:
    """Write train.jsonl, validation.jsonl, test.jsonl and split.json into the folder `out`.

    `validation` is the share of what is not test. A file named test.jsonl among `paths` is not split: the
    test part is the file `test`. Raises `DataError`, also where a line is no dialogue.
    """
    sources = [
        path for path in files(paths) if path.name != "test.jsonl" and path.resolve() != test.resolve()
    ]
    if not sources:
        raise DataError(f"{paths[0]}: expected dialogues beside the test part, there are none")
    if out.resolve() in {path.resolve().parent for path in (*sources, test)}:
        raise DataError(f"{out}: expected a folder of its own, the dialogues to split are in this one")
    subjects = {name: lesson.subject for name, lesson in read_lessons(data / "lessons").items()}
    origins = Origins.read(data)
    index, order, harvested = Index(), [], {}
    for place, dialogue in sound([test], advance):
        index.add(place, dialogue)
    golden = len(index)
    for place, dialogue in sound(sources, advance):
        if origins.left(dialogue):
            continue
        order.append((sys.intern(stratum(dialogue, subjects)), _shuffled(seed, dialogue.id), len(index)))
        if dialogue.source == HARVESTED:
            harvested[len(index)] = replace(dialogue, turns=())
        index.add(place, dialogue)
    if same := index.same_ids():
        raise DataError(f"{index.place(same[0].later)}: the id is also at {index.place(same[0].earlier)}")
    groups = origins.groups(harvested.values())
    taught = {number: groups[dialogue.id] for number, dialogue in harvested.items()}
    chosen, left_out = _choose(index, order, golden, taught, validation, seed)
    counts = dict.fromkeys(PARTS, 0)
    turns = dict.fromkeys(PARTS, 0)
    with ExitStack() as stack:
        written = {part: stack.enter_context(replacing(out / f"{part}.jsonl")) for part in PARTS}
        here = (each for _, each in sound([test, *sources]) if not origins.left(each))
        for number, dialogue in enumerate(here):
            if number in left_out:
                continue
            part = "test" if number < golden else "validation" if number in chosen else "train"
            written[part].write(dialogue.to_line() + "\n")
            counts[part] += 1
            turns[part] += sum(turn.role is Role.STUDENT for turn in dialogue.turns)
    manifest: dict[str, Any] = {
        "seed": seed,
        "validation": validation,
        "left_out": len(left_out),
        "files": {
            f"{part}.jsonl": {
                "sha256": sha256(out / f"{part}.jsonl"),
                "dialogues": counts[part],
                "student_turns": turns[part],
            }
            for part in PARTS
        },
        "sources": {path.name: sha256(path) for path in (test, *sources)},
    }
    with replacing(out / MANIFEST) as file:
        file.write(json.dumps(manifest, indent=2) + "\n")
    return Split(counts, len(left_out), out / MANIFEST)


def stratum(dialogue: Dialogue, subjects: Mapping[str, str]) -> str:
    """Subject and first misconception: dialogues of one stratum are spread over the parts."""
    for turn in dialogue.turns:
        if turn.thought is not None and turn.thought.misconception is not None:
            return f"{subjects.get(dialogue.lesson or '', '')}\n{turn.thought.misconception}"
    return subjects.get(dialogue.lesson or "", "")


def _choose(  # noqa: PLR0913 - what a choice is made of
    index: Index,
    order: list[tuple[str, int, int]],
    golden: int,
    taught: Mapping[int, str],
    validation: float,
    seed: int,
) -> tuple[set[int], set[int]]:
    """The numbers of the validation part, and of those left out. `taught` has the teachers of harvested ones."""
    twin = {pair.later: pair.earlier for pair in (*index.near(), *index.same_talk())}
    left_out: set[int] = set()
    for later in sorted(twin):
        if later >= golden and (twin[later] < golden or twin[later] in left_out):
            left_out.add(later)
        # It could go neither with its teacher's nor with its twin.
        if later in taught and taught[later] != taught.get(twin[later]):
            left_out.add(later)
    # Every k-th of the ordered dialogues: each subject, and each misconception in it, gives its share.
    free = [
        number
        for _, _, number in sorted(order)
        if number not in left_out and number not in twin and number not in taught
    ]
    wanted = round(validation * len(free))
    chosen = {free[(2 * turn + 1) * len(free) // (2 * wanted)] for turn in range(wanted)}
    strata = {number: name for name, _, number in order if number in taught and number not in left_out}
    chosen |= _teachers(strata, taught, validation, seed)
    for later in sorted(twin):  # What is nearly the same stays together.
        if later not in left_out and twin[later] in chosen:
            chosen.add(later)
    return chosen, left_out


def _teachers(strata: Mapping[int, str], taught: Mapping[int, str], validation: float, seed: int) -> set[int]:
    """Whole teachers for validation, as many as its share has room for; of no misconception more than its share,
    rounded up. Where none fits, the one with the fewest dialogues; a single teacher is for training."""
    members: dict[str, list[int]] = {}
    for number in sorted(strata):
        members.setdefault(taught[number], []).append(number)
    room = max(1, round(validation * len(strata)))
    most = {name: ceil(validation * count) for name, count in Counter(strata.values()).items()}
    names = sorted(members, key=lambda name: _shuffled(seed, name))
    chosen: set[int] = set()
    held: Counter[str] = Counter()
    for name in names:
        more = held + Counter(strata[number] for number in members[name])
        if more.total() <= room and all(count <= most[each] for each, count in more.items()):
            held = more
            chosen.update(members[name])
    if not chosen and len(names) > 1:
        chosen.update(members[min(names, key=lambda name: len(members[name]))])
    return chosen


def _shuffled(seed: int, identifier: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed} {identifier}".encode(), digest_size=8).digest(), "big")
