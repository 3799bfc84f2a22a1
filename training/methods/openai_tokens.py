"""How many tokens a row has for OpenAI's models, counted on this machine.

tiktoken fetches its tables from the network; litellm's package carries copies of them, and those are read here. It
knows texts and tables, nothing of prices and jobs.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bot.student.records.reading import DataError

if TYPE_CHECKING:
    import tiktoken

NEWEST_TABLE = "o200k_base"
"""For models whose table is not known: a good guess for OpenAI's newer ones, a rough one for others."""
TABLE_FILES = {
    "o200k_base": "fb374d419588a4632f3f557e76b4b70aebbca790",
    "cl100k_base": "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
}
"""The names under which tiktoken looks for its tables: the SHA-1 of the addresses it would fetch."""
TOKENS_PER_MESSAGE = 4
"""The frame of a message: three marks and the role, by OpenAI's guide to counting tokens."""
TOKENS_PER_ROW = 3


class Counter:
    """Counts for one model. `exact` is False where the model's own table is not known."""

    def __init__(self, model: str) -> None:
        import tiktoken  # noqa: PLC0415 - slow, and needed here alone

        try:
            table = tiktoken.encoding_name_for_model(model)
        except KeyError:
            table = ""
        self.exact = table in TABLE_FILES
        self.table = table if self.exact else NEWEST_TABLE
        self._encoding = _load(self.table)

    def row(self, messages: Sequence[Mapping[str, object]]) -> tuple[int, int]:
        """Tokens of the texts alone, and with the frame of every message: a provider bills between the two."""
        texts = [str(message["content"]) for message in messages]
        # What looks like a mark of the model's is text here, so nothing is special.
        bare = sum(
            len(tokens) for tokens in self._encoding.encode_batch(texts, num_threads=1, disallowed_special=())
        )
        return bare, bare + TOKENS_PER_MESSAGE * len(texts) + TOKENS_PER_ROW


def _load(table: str) -> tiktoken.Encoding:
    import tiktoken  # noqa: PLC0415

    folder = _tables()
    if not (folder / TABLE_FILES[table]).is_file():
        raise DataError(
            f"{folder}: holds no table for {table}; install litellm, which carries it, or let TIKTOKEN_CACHE_DIR "
            "name a folder of tiktoken's tables"
        )
    before = os.environ.get("TIKTOKEN_CACHE_DIR")
    os.environ["TIKTOKEN_CACHE_DIR"] = str(folder)
    try:
        return tiktoken.get_encoding(table)
    finally:
        if before is None:
            del os.environ["TIKTOKEN_CACHE_DIR"]
        else:
            os.environ["TIKTOKEN_CACHE_DIR"] = before


def _tables() -> Path:
    if folder := os.environ.get("TIKTOKEN_CACHE_DIR"):
        return Path(folder)
    # Found, not imported: importing litellm takes seconds.
    found = importlib.util.find_spec("litellm")
    if found is None or not found.submodule_search_locations:
        raise DataError("litellm: not installed; it carries the tables that tokens are counted with")
    return Path(next(iter(found.submodule_search_locations))) / "litellm_core_utils" / "tokenizers"
