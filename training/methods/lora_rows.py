"""The rows that a run trains on, in a file: written one by one by the first process, read by all of them.

So neither a corpus nor its tokens have to fit into memory, and no process encodes what another one has. It knows Arrow
files and processes; what is in a row is the caller's business.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from datasets import Dataset
from datasets.arrow_writer import ArrowWriter

from training.methods import lora_base

SCRATCH = "rows"
AT_ONCE = 200
"""Rows in memory before they are written."""


@contextmanager
def scratch(run: Path) -> Iterator[Path]:
    """A folder below the run's for such files, gone when a trainer has opened them: they hold people's words, and a
    run's records keep none. What is open stays readable, and vanishes with its process, however that ends."""
    folder = run / SCRATCH
    everyone = lora_base.processes()
    if everyone.is_main_process:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    everyone.wait_for_everyone()
    try:
        yield folder
        everyone.wait_for_everyone()
    finally:
        if everyone.is_main_process:
            shutil.rmtree(folder, ignore_errors=True)


def on_disk(rows: Iterable[Mapping[str, Any]], path: Path) -> Dataset | None:
    """All rows as a data set that lies in `path`; None where there are none. Every process calls it, and the first one
    reads `rows`."""
    everyone = lora_base.processes()
    if everyone.is_main_process:
        _write(rows, path)
    everyone.wait_for_everyone()
    return Dataset.from_file(str(path)) if path.is_file() else None


def _write(rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    writer = None
    for row in rows:
        writer = writer or ArrowWriter(path=str(path), writer_batch_size=AT_ONCE)
        writer.write(dict(row))
    if writer is not None:
        writer.finalize()
