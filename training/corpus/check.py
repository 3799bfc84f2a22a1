"""The check before any money or hours are spent: every dialogue by itself, and all of them together.

It reads line by line and keeps counts, a sample for the bands and marks for the duplicates. How a report looks
on a terminal is `report`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.models.prices import Price
from bot.student.records.reading import DataError, read_json
from training.corpus import tokens as tokens_
from training.corpus.bands import Band, Bands
from training.corpus.consistency import Rules
from training.corpus.coverage import Coverage
from training.corpus.duplicates import MOST_NEAR, Index, Pair
from training.corpus.evenness import Evenness
from training.corpus.examples import examples
from training.corpus.read import Advance, Fault, dialogues, files
from training.methods.method import Estimate

SHOWN = 1_000
"""Faults that are kept; more are only counted."""
MANIFEST = "split.json"


@dataclass(slots=True)
class Report:
    """What the check found. There is nothing wrong when `wrong` is 0."""

    coverage: Coverage
    faults: list[Fault] = field(default_factory=list)
    wrong: int = 0
    bands: list[Band] = field(default_factory=list)
    evenness: Evenness = field(default_factory=Evenness)
    sampled: bool = False
    same_talk: int = 0
    near: int = 0
    leaks: int = 0
    whole: bool = False
    estimates: list[Estimate] | None = None
    examples: int = 0

    def add(self, path: Path, line: int | None, message: str) -> None:
        """Note one fault."""
        self.wrong += 1
        if len(self.faults) < SHOWN:
            self.faults.append(Fault(path, line, message))

    def to_json(self) -> dict[str, Any]:
        """For machines; the names are stable."""
        return {
            "wrong": self.wrong,
            "faults": [
                {"file": str(fault.path), "line": fault.line, "message": fault.message}
                for fault in self.faults
            ],
            "coverage": self.coverage.to_json(),
            "coverage_judged": self.whole,
            "bands": [
                {
                    "child": band.who,
                    "turns": band.turns,
                    "judged": band.judged,
                    "measures": [
                        {
                            "name": result.name,
                            "value": round(result.value, 4),
                            "low": result.low,
                            "high": result.high,
                            "inside": result.inside,
                        }
                        for result in band.results
                    ],
                }
                for band in self.bands
            ],
            "bands_sampled": self.sampled,
            "evenness": self.evenness.to_json(),
            "duplicates": {"same_talk": self.same_talk, "near": self.near, "leaks": self.leaks},
            "examples": self.examples,
            "tokens": None if self.estimates is None else [each.to_json() for each in self.estimates],
        }


def check(
    paths: Sequence[Path], rules: Rules, prices: Mapping[str, Price], advance: Advance | None = None
) -> Report:
    """Check the files and folders of dialogues in `paths`; raise `DataError` where one cannot be read."""
    lessons = rules.curriculum.lessons
    report, bands, index = Report(Coverage(rules.children, lessons)), Bands(), Index()
    count = tokens_.counter()
    counted = None if count is None else tokens_.Tokens(count)
    for place, dialogue in dialogues(paths, advance):
        if isinstance(dialogue, Fault):
            report.add(dialogue.path, dialogue.line, dialogue.message)
            continue
        for turn, message in rules.faults(dialogue):
            report.add(place.path, place.line, message if turn is None else f"turn {turn}: {message}")
        report.coverage.add(dialogue)
        bands.add(dialogue)
        report.evenness.add(dialogue)
        index.add(place, dialogue)
        for example in examples(dialogue, rules.children, lessons):
            report.examples += 1
            if counted is not None and place.path.stem != "test":
                counted.add(example)
    report.estimates = None if counted is None else counted.estimates(prices)
    _together(report, bands, paths)
    _compare(report, index)
    for path, message in _changed(paths):
        report.add(path, None, message)
    return report


def _together(report: Report, bands: Bands, paths: Sequence[Path]) -> None:
    """Bands and, for a whole authored folder, coverage."""
    where = paths[0]
    if not report.coverage.dialogues:
        report.add(where, None, "expected at least one dialogue, there is none")
        return
    report.bands, report.sampled = list(bands.measured()), bands.sampled
    for band in report.bands:
        for result in band.outside:
            who = "all children" if band.who is None else band.who
            report.add(
                where,
                None,
                f"talk: {result.name} of {who}: expected {result.low:g} to {result.high:g}, "
                f"got {result.value:.3f}",
            )
    authored = set(report.coverage.by_source) == {"authored"}
    report.whole = authored and any(path.is_dir() and not (path / MANIFEST).exists() for path in paths)
    if report.whole:
        for message in report.coverage.missing():
            report.add(where, None, message)


def _compare(report: Report, index: Index) -> None:
    same, near = index.same_talk(), index.near()
    exact = {pair.later for pair in same}
    report.same_talk, report.near = len(same), len(near)
    for pair in index.same_ids():
        _add_pair(report, index, pair, "id: the same as")
    for pair in same:
        _add_pair(report, index, pair, "duplicate: word for word the same talk as")
    leaks = {pair.later: pair for pair in index.leaks([*near, *same])}
    report.leaks = len(leaks)
    for pair in leaks.values():
        parts = f"{index.part(pair.later)} and {index.part(pair.earlier)}"
        _add_pair(report, index, pair, f"leak between {parts}: nearly the same talk as")
    if len(near) >= MOST_NEAR * len(index):
        for pair in near:
            if pair.later not in exact and pair.later not in leaks:
                _add_pair(
                    report, index, pair, f"duplicate: {len(near)} of {len(index)}, nearly the same talk as"
                )


def _add_pair(report: Report, index: Index, pair: Pair, what: str) -> None:
    place = index.place(pair.later)
    report.add(place.path, place.line, f"{what} {index.place(pair.earlier)}")


@dataclass(frozen=True, slots=True)
class _Part:
    sha256: str


@dataclass(frozen=True, slots=True)
class _Manifest:
    """Of a split's manifest what its files must be."""

    files: dict[str, _Part]


def _changed(paths: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """Parts of a written split that are not what its manifest says."""
    for folder in dict.fromkeys(path.parent for path in files(paths)):
        manifest = folder / MANIFEST
        if not manifest.exists():
            continue
        try:
            parts = read_json(_Manifest, manifest).files
        except DataError:
            yield manifest, "not a split's manifest; write it again with python -m training data split"
            continue
        for name, part in parts.items():
            path = folder / name
            if not path.is_file() or sha256(path) != part.sha256:
                yield path, f"not the file that {manifest} has the checksum of; split again"


def sha256(path: Path) -> str:
    """The checksum of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


__all__ = ["MANIFEST", "Report", "check", "sha256"]
