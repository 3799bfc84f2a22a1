"""A blind session: which of two answers to the same teacher turn sounds like a second grader?

It knows rows, pairs and choices. Every rater gets the same pairs, in an order and on sides of their own, and has a
file of their own, so that several can judge at once and go on later. How pairs are shown is others' business.
"""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from bot.student.records.reading import DataError, Whole, parse, parse_json, read_json
from bot.student.records.text import files_in, lines_of
from training.evaluate.bootstrap import Interval, mean_interval
from training.evaluate.metrics import GOLDEN
from training.evaluate.rows import Row
from training.harvest.agreement import agreement

Choice = Literal["ours", "theirs", "neither"]
_Place = tuple[str, int, int]
Side = Literal["first", "second", "neither"]
SETUP = "pairs.json"
RATER = re.compile(r"[\w][\w.-]{0,39}")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to one teacher turn. `id` names the turn, `cluster` the dialogue; `before` is the exchange
    before it as it was written for the dialogue, "" where that is not known."""

    id: str
    cluster: str
    child: str
    lesson: str
    before: str
    teacher: str
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Question:
    """A pair as one rater sees it. `swapped`: ours comes second."""

    number: int
    pair: Pair
    swapped: bool

    @property
    def answers(self) -> tuple[str, str]:
        """First and second."""
        both = (self.pair.ours, self.pair.theirs)
        return both[::-1] if self.swapped else both

    def choice(self, side: Side) -> Choice:
        """Whose answer was chosen."""
        if side == "neither":
            return "neither"
        return "theirs" if (side == "first") == self.swapped else "ours"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the raters of a session chose. `share` is how often ours was, of the decided choices, None without any;
    `alpha` is Krippendorff's over the pairs that two or more judged."""

    ours: str
    theirs: str
    share: float | None
    low: float | None
    high: float | None
    choices: int
    decided: int
    raters: int
    alpha: float | None
    judged_twice: int


def pairs(  # noqa: PLR0913 - what a session is made of
    rows: Sequence[Row],
    ours: str,
    theirs: str,
    *,
    count: int,
    seed: int,
    moments: Mapping[str, str] | None = None,
) -> list[Pair]:
    """Up to `count` pairs of the golden section, spread over its dialogues; raise `DataError` where there is none.

    With `moments` they are single moments of open talk instead, each after the dialogue so far as it was: the exchange
    before each, by its item. Turns at which both say the same word for word are left out: there is nothing to choose.
    """
    known = {row.model for row in rows}
    for name in (ours, theirs):
        if name not in known:
            raise DataError(f"no model {name!r} in this run; there are: {', '.join(sorted(known))}")
    said: dict[str, dict[_Place, Row]] = defaultdict(dict)
    for row in rows:
        wanted = row.section == "golden" if moments is None else row.item in moments
        if wanted and row.text.strip():
            said[row.model][_place(row)] = row
    shared = sorted(
        place
        for place, row in said[ours].items()
        if place in said[theirs] and _bare(row.text) != _bare(said[theirs][place].text)
    )
    by_cluster: dict[str, list[_Place]] = defaultdict(list)
    rng = random.Random(f"{seed}:{ours}:{theirs}")
    rng.shuffle(shared)
    for place in shared:
        by_cluster[said[ours][place].cluster].append(place)
    chosen: list[_Place] = []
    while len(chosen) < count and any(by_cluster.values()):
        for places in by_cluster.values():
            if places and len(chosen) < count:
                chosen.append(places.pop())
    if not chosen:
        raise DataError(f"{ours} and {theirs} have no golden turn that they answered differently")
    before = _before(said[GOLDEN])
    told = {
        place: moments[place[0]] if moments is not None else _exchange(before.get(place)) for place in chosen
    }
    return [_pair(said[ours], said[theirs], told[place], place) for place in chosen]


def questions(pairs_: Sequence[Pair], rater: str, seed: int) -> list[Question]:
    """The pairs in this rater's order, each on sides of this rater's own."""
    rng = random.Random(f"{seed}:{rater}")
    order = list(pairs_)
    rng.shuffle(order)
    return [Question(number, pair, rng.random() < 0.5) for number, pair in enumerate(order, start=1)]  # noqa: PLR2004


@dataclass(frozen=True, slots=True)
class _Setup:
    """What is kept of a session's beginning."""

    ours: str
    theirs: str
    seed: Whole
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A line of a rater's file, as far as it is read."""

    pair: str
    choice: Choice


class Session:
    """The pairs of two models and everybody's choices, in a folder of the run."""

    def __init__(self, folder: Path, ours: str, theirs: str, pairs_: Sequence[Pair], seed: int) -> None:
        self.folder, self.ours, self.theirs, self.pairs, self.seed = folder, ours, theirs, tuple(pairs_), seed

    @classmethod
    def open(  # noqa: PLR0913 - what a session is made of
        cls,
        run: Path,
        rows: Sequence[Row],
        ours: str,
        theirs: str,
        *,
        count: int,
        seed: int,
        moments: Mapping[str, str] | None = None,
    ) -> Session:
        """Go on with the session of these two, or begin it; `count`, `seed` and `moments` count at its beginning."""
        folder = run / "blind" / f"{ours}-or-{theirs}{'' if moments is None else '-moments'}"
        setup = folder / SETUP
        if not setup.is_file():
            made = pairs(rows, ours, theirs, count=count, seed=seed, moments=moments)
            folder.mkdir(parents=True, exist_ok=True)
            content = {"ours": ours, "theirs": theirs, "seed": seed, "pairs": [asdict(each) for each in made]}
            fresh = folder / f".{SETUP}"
            fresh.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
            fresh.replace(setup)
        return cls.read(folder)

    @classmethod
    def read(cls, folder: Path) -> Session:
        """A session that was begun; raise `DataError`."""
        found = read_json(_Setup, folder / SETUP)
        return cls(folder, found.ours, found.theirs, found.pairs, found.seed)

    def open_questions(self, rater: str) -> list[Question]:
        """What this rater has not judged yet; raise `DataError` for a bad name."""
        done = self.choices(rater)
        return [each for each in questions(self.pairs, rater, self.seed) if each.pair.id not in done]

    def choose(self, rater: str, question: Question, side: Side) -> None:
        """Keep one choice; the newest counts."""
        line = {
            "pair": question.pair.id,
            "choice": question.choice(side),
            "first": "theirs" if question.swapped else "ours",
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        append(self._file(rater), line)

    def choices(self, rater: str) -> dict[str, Choice]:
        """This rater's choices by pair; raise `DataError`."""
        path = self._file(rater)
        found: dict[str, Choice] = {}
        if not path.is_file():
            return found
        lines = lines_of(path)
        for number, line in enumerate(lines, start=1):
            try:
                chosen = parse(_Chosen, parse_json(line), known_only=False)
            except DataError as error:
                if number == len(lines):
                    break  # cut short while it was written: that pair is asked again
                raise DataError(
                    f"{path}:{number}: expected a choice such as {_EXAMPLE}, but {error}"
                ) from None
            found[chosen.pair] = chosen.choice
        return found

    def by_pair(self) -> dict[str, dict[str, Choice]]:
        """Everybody's choices so far, by pair and rater; raise `DataError`."""
        known = {pair.id for pair in self.pairs}
        found: dict[str, dict[str, Choice]] = defaultdict(dict)
        for rater in (path.stem for path in files_in(self.folder, "*.jsonl")):
            for pair, choice in self.choices(rater).items():
                if pair in known:
                    found[pair][rater] = choice
        return found

    def share(self, chosen: Mapping[str, Iterable[Choice]]) -> tuple[Interval | None, int]:
        """How often ours was taken in the decided ones of these choices, with its interval, and how many those are."""
        clusters = {pair.id: pair.cluster for pair in self.pairs}
        decided: dict[str, list[float]] = defaultdict(list)
        for pair, choices in chosen.items():
            decided[clusters[pair]] += [float(each == "ours") for each in choices if each != "neither"]
        count = sum(map(len, decided.values()))
        return (mean_interval(decided) if count else None), count

    def outcome(self) -> Outcome:
        """What everybody chose so far."""
        by_pair = self.by_pair()
        found, count = self.share({pair: choices.values() for pair, choices in by_pair.items()})
        agreed = agreement(by_pair.values())
        return Outcome(
            self.ours,
            self.theirs,
            found.mean if found else None,
            found.low if found else None,
            found.high if found else None,
            sum(map(len, by_pair.values())),
            count,
            len({rater for choices in by_pair.values() for rater in choices}),
            agreed.alpha,
            agreed.units,
        )

    def _file(self, rater: str) -> Path:
        if not RATER.fullmatch(rater):
            raise DataError(
                f"rater {rater!r}: expected a name or initials of letters, digits, dots and dashes"
            )
        return self.folder / f"{rater}.jsonl"


_EXAMPLE = '{"pair": "…", "choice": "ours"}'


def append(path: Path, row: Mapping[str, Any]) -> None:
    """Add a line, in place of one that was cut short while it was written."""
    with path.open("a+b") as file:
        file.seek(0)
        whole = file.read().rpartition(b"\n")
        if whole[2]:
            file.truncate(len(whole[0] + whole[1]))
        file.write((json.dumps(row, ensure_ascii=False) + "\n").encode())


def _place(row: Row) -> _Place:
    return (row.item, row.seed, row.turn)


def _bare(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def _before(authored: Mapping[_Place, Row]) -> dict[_Place, Row]:
    """The turn before each in its dialogue: a dialogue is a cluster, and its items are numbered."""
    ordered = sorted(authored.items(), key=lambda one: (one[1].cluster, one[1].seed, one[0]))
    return {
        place: last
        for (_, last), (place, row) in pairwise(ordered)
        if (last.cluster, last.seed) == (row.cluster, row.seed)
    }


def _exchange(row: Row | None) -> str:
    return f"Teacher: {row.teacher}\n{row.child.title()}: {row.text}" if row else ""


def _pair(ours: Mapping[_Place, Row], theirs: Mapping[_Place, Row], before: str, place: _Place) -> Pair:
    row = ours[place]
    return Pair(
        ":".join(map(str, place)),
        row.cluster,
        row.child,
        row.lesson,
        before,
        row.teacher,
        row.text,
        theirs[place].text,
    )
