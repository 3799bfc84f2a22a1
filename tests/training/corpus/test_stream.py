"""A file of any length needs the memory of a few lines; what must be kept is small and known."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.models.prices import Price
from bot.student.records.dialogue import Dialogue, Role, Turn
from training.corpus import bands
from training.corpus.bands import SAMPLE, Bands
from training.corpus.check import check
from training.corpus.consistency import Rules
from training.corpus.duplicates import BYTES_A_DIALOGUE, Index
from training.corpus.read import Place


def peak(work: Callable[[], object]) -> int:
    """Bytes that `work` needed at most, above what was there."""
    gc.collect()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def pairs(path: Path, count: int) -> Path:
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            file.write(
                json.dumps({"instruction": f"What is {number} plus 1?", "output": str(number + 1)}) + "\n"
            )
    return path


ROOT = Path(__file__).parents[3]
MEASURED = """
import resource, sys
from pathlib import Path
from training.corpus import convert

def most():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

few, many, out = map(Path, sys.argv[1:])
before = convert.bring_in(few, out, complain=print), most()
after = convert.bring_in(many, out, complain=print), most()
sent = convert.send_out([out], out.with_suffix(".lora"), "lora"), most()
print(before[0].written, after[0].written, sent[0].written, after[1] - before[1], sent[1] - before[1])
"""


def test_a_conversion_of_many_rows_needs_no_more_memory_than_one_of_few(tmp_path: Path) -> None:
    few, many = pairs(tmp_path / "few.jsonl", 1_000), pairs(tmp_path / "many.jsonl", 100_000)
    command = [sys.executable, "-c", MEASURED, str(few), str(many), str(tmp_path / "out.jsonl")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    read, more, sent, grown_in, grown_out = map(int, done.stdout.split())
    assert (read, more, sent) == (1_000, 100_000, 100_000)
    # Kept, 99,000 more dialogues would be a hundred megabytes.
    assert grown_in < 8_000_000
    assert grown_out < 8_000_000
    assert (tmp_path / "out.lora").read_text(encoding="utf-8") == many.read_text(encoding="utf-8")


def talks(count: int) -> Iterator[tuple[Place, Dialogue]]:
    """Dialogues that all differ."""
    for number in range(count):
        words = [f"word{number}of{each}" for each in range(15)]
        turns = (Turn(Role.TEACHER, f"Tell me about {number}."), Turn(Role.STUDENT, " ".join(words)))
        yield (
            Place(Path("talks.jsonl"), number + 1),
            Dialogue(f"talk-{number}", turns, "mia", None, "imported"),
        )


def test_the_index_costs_what_it_says(rules: Rules) -> None:
    def index(count: int) -> Callable[[], object]:
        def work() -> object:
            made = Index()
            for place, dialogue in talks(count):
                made.add(place, dialogue)
            return made

        return work

    index(10)()
    grown = (peak(index(3_000)) - peak(index(1_000))) / 2_000
    # Arrays grow in steps, by an eighth, and are copied then.
    assert grown < 2.5 * BYTES_A_DIALOGUE, f"{grown:.0f} bytes a dialogue, {BYTES_A_DIALOGUE} said"


def test_bands_keep_a_sample_only() -> None:
    sample = Bands()
    for _, dialogue in talks(3 * SAMPLE):
        sample.add(dialogue)
    assert sample.sampled
    everybody, mia = sample.measured()
    assert everybody.turns == mia.turns == SAMPLE
    kept = {number for number, _, _ in sample._kept}
    assert len(kept) == SAMPLE
    # An even sample: each third of the dialogues gives its third, within six standard deviations.
    for third in range(3):
        share = sum(third * SAMPLE <= number < (third + 1) * SAMPLE for number in kept) / SAMPLE
        assert 0.27 < share < 0.40


def test_a_check_of_many_keeps_little_of_each(
    tmp_path: Path, rules: Rules, prices: dict[str, Price], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bands, "SAMPLE", 50)  # so that the sample is full in both

    def corpus(count: int) -> Path:
        path = tmp_path / f"{count}.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for _, dialogue in talks(count):
                file.write(dialogue.to_line() + "\n")
        return path

    few, many = corpus(400), corpus(900)  # of all lessons and children in both
    check([many], rules, prices)  # what words are is remembered, up to a bound that these do not reach
    grown = (peak(lambda: check([many], rules, prices)) - peak(lambda: check([few], rules, prices))) / 500
    assert grown < 4 * BYTES_A_DIALOGUE, f"{grown:.0f} bytes a dialogue"


def test_near_duplicates_are_found_among_many() -> None:
    index = Index()
    for place, dialogue in talks(2_000):
        index.add(place, dialogue)
    turns = next(talks(1))[1].turns
    twin = Dialogue("twin", (turns[0], Turn(Role.STUDENT, turns[1].content + " and")), "mia")
    index.add(Place(Path("other.jsonl"), 1), twin)
    (pair,) = index.near()
    assert (str(index.place(pair.earlier)), str(index.place(pair.later))) == (
        "talks.jsonl:1",
        "other.jsonl:1",
    )
    assert index.same_talk() == index.same_ids() == []
