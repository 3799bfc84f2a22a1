"""The guard learns from labelled lines, never from strangers', the same from the same."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np

from bot.student.guard import weights
from bot.student.guard.disguise import uncover
from training.guard import fit, lines
from training.guard.distort import distorted
from training.guard.lines import Line

DATA = Path(__file__).parents[2] / "data"
FEW = [
    *(
        Line(f"i will hurt you {word}", "harm-lines", harm="violence")
        for word in ("now", "badly", "a lot", "soon")
    ),
    *(Line(f"i will help you {word}", "harm-lines") for word in ("now", "gladly", "a lot", "soon")),
]


def test_no_line_of_strangers_is_learned_from() -> None:
    kept = {
        json.loads(line)["text"].lower()
        for path in (DATA / "hearing").glob("strangers-*.jsonl")
        for line in path.read_text("utf-8").splitlines()
    }
    learned = {line.text.lower() for line in lines.labelled(DATA)}
    assert len(kept) > 1000
    assert len(learned) > 10_000
    assert not kept & learned


def test_a_reader_learns_what_parts_harm_from_help_and_is_written_and_read_back(tmp_path: Path) -> None:
    found = [fit.seen(line) for line in FEW]
    matrix = fit.matrix([each.features for each in found], scaled=True)
    right = fit.answers(FEW)["harm"]
    reader = fit.fit(matrix, right, fit.counts(FEW))
    assert ((fit.scored(reader, matrix) > 0) == (right == 1)).all()
    path = tmp_path / "guard.json"
    path.write_text(weights.write({"harm": reader}), encoding="utf-8")
    again = weights.learned(path)["harm"]
    assert np.allclose(fit.scored(again, matrix), fit.scored(reader, matrix))
    assert weights.write({"harm": fit.fit(matrix, right, fit.counts(FEW))}) == path.read_text("utf-8")


def test_private_parts_are_marked_word_by_word() -> None:
    row = fit.tagged(Line("kim lee in my class reads", "pupil-lines", private=("kim lee",)))
    assert [token.text for token, goes in zip(row.tokens, row.right, strict=True) if goes] == ["kim", "lee"]


def test_most_evasive_spellings_are_uncovered() -> None:
    rng = random.Random(1)
    texts = ["i will hurt you tomorrow", "nobody likes you stupid child", "bring your knife to school"] * 40
    plain = sum(uncover(distorted(text, rng)) == text for text in texts)
    assert plain > 0.6 * len(texts)
