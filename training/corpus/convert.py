"""Files of one form into files of another, row by row: constant memory for any number of rows.

What a form is, is `formats`; a bad row is named and left out, never guessed at.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from bot.student.records.child import Child
from bot.student.records.dialogue import DialogueError, Role
from bot.student.records.lesson import Lesson
from bot.student.records.reading import DataError
from training.corpus import formats
from training.corpus.examples import examples
from training.corpus.read import Advance, Fault, objects, sound


@dataclass(slots=True)
class Converted:
    """What a conversion did: rows read and written, what was lost in how many, and the rows left out."""

    read: int = 0
    written: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    skipped: int = 0


def bring_in(  # noqa: PLR0913 - one per option
    source: Path,
    out: Path,
    *,
    assistant: Role | None = None,
    child: str | None = None,
    lesson: str | None = None,
    complain: Callable[[Fault], object],
    advance: Advance | None = None,
) -> Converted:
    """Write the rows of `source`, in any form, as dialogue records; rows that are none go to `complain`.

    `child` and `lesson` are given to dialogues that name none. An id is made of the file's name and the line
    where a row has none. Raises `DataError` when a file cannot be read or written.
    """
    done = Converted()
    with replacing(out) as file:
        for place, row in objects(source, advance):
            done.read += 1
            try:
                if isinstance(row, Fault):
                    raise DialogueError(row.message)
                dialogue = formats.read(row, assistant=assistant)
            except DialogueError as error:
                done.skipped += 1
                complain(Fault(place.path, place.line, str(error)))
                continue
            identifier = row.get("id") if isinstance(row.get("id"), str) and row["id"].strip() else None
            dialogue = replace(
                dialogue,
                id=identifier or f"{source.stem}-{place.line:06}",
                child=dialogue.child or child,
                lesson=dialogue.lesson or lesson,
            )
            file.write(dialogue.to_line() + "\n")
            done.written += 1
    return done


def send_out(
    paths: list[Path], out: Path, form: str, *, limit: int | None = None, advance: Advance | None = None
) -> Converted:
    """Write dialogue records in `form`, whole dialogues as they are, and note what reading them back loses."""
    done = Converted()
    with replacing(out) as file:
        for _, dialogue in sound(paths, advance):
            rows = formats.write(dialogue, form)
            done.read += 1
            back = [formats.read(row) for row in rows]
            done.lost.update(formats.lost(dialogue, back) if rows else {"the whole dialogue"})
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
                done.written += 1
                if done.written == limit:
                    return done
    return done


def send_out_for_training(  # noqa: PLR0913 - what rendering needs, and where it goes
    paths: list[Path],
    out: Path,
    form: str,
    children: Mapping[str, Child],
    lessons: Mapping[str, Lesson],
    *,
    limit: int | None = None,
    advance: Advance | None = None,
) -> Converted:
    """Write one row for each student turn, rendered as the live bot renders it; others count as skipped."""
    done = Converted()
    with replacing(out) as file:
        for _, dialogue in sound(paths, advance):
            student = sum(turn.role is Role.STUDENT for turn in dialogue.turns)
            done.read += student
            rendered = 0
            for example in examples(dialogue, children, lessons):
                try:
                    row = formats.training_row(example, form)
                except DialogueError as error:
                    raise DataError(str(error)) from None
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
                rendered += 1
                done.written += 1
                if done.written == limit:
                    return done
            done.skipped += student - rendered
    return done


@contextmanager
def replacing(out: Path) -> Iterator[IO[str]]:
    """A file that takes its name only when it is complete; raise `DataError` when it cannot be written."""
    part = out.with_name(f".{out.name}.part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(out)
    except OSError as error:
        raise DataError(f"{out}: cannot be written ({error.strerror})") from None
    finally:
        part.unlink(missing_ok=True)
