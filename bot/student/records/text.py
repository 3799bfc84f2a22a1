"""Text files that people and their editors made, opened in one way; and which files of a folder are meant.

UTF-8 with or without a byte-order mark is text. What else Windows and old programs write is refused by a message that
names the file and says what to save it as. It knows bytes and names, and nothing of what a file holds.
"""

from __future__ import annotations

import codecs
import fnmatch
from pathlib import Path

DROPPINGS = (".*", "*~", "#*#", "desktop.ini", "Thumbs.db", "ehthumbs.db", "Icon\r")
"""What systems and editors leave in any folder: `.DS_Store`, `._x`, `.nfs…`, `.#x`, `.x.swp`, and the like."""
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class DataError(ValueError):
    """A data file is wrong; the message names file, key and what would be right."""


def read_text(path: Path) -> str:
    """The text of a file, with one kind of line end; raise `DataError`."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    try:
        text = utf8(raw, path).decode("utf-8")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}: line {line} is not UTF-8 (Latin-1 or Windows-1252?); save the file as UTF-8"
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def lines_of(path: Path) -> list[str]:
    """The lines of a file; JSON may hold what else Unicode calls a line end. Raise `DataError`."""
    text = read_text(path).removesuffix("\n")
    return text.split("\n") if text else []


def utf8(raw: bytes, place: object) -> bytes:
    """The bytes without a byte-order mark; raise `DataError`, which begins with `place`, for UTF-16."""
    if raw.startswith(_WIDE) or b"\0" in raw[:4]:
        raise DataError(f"{place}: is UTF-16 (Windows calls it Unicode); save it as UTF-8")
    return raw.removeprefix(codecs.BOM_UTF8)


def is_dropping(name: str) -> bool:
    """Whether a file of that name was left by a system or an editor: nobody put it there to be read."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in DROPPINGS)


def files_in(folder: Path, pattern: str) -> list[Path]:
    """The files of a folder that fit `pattern`, by name, without what systems and editors leave there."""
    return sorted(path for path in folder.glob(pattern) if not is_dropping(path.name))
