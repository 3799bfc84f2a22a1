"""Read one TOML file field by field, so that every error names the file and the key.

It knows nothing of children or lessons; it only parses untrusted tables into typed values.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path


class DataError(ValueError):
    """A data file is wrong; the message names file, key and what would be right."""


class Table:
    """A TOML table whose keys are taken one by one; `done` complains about keys left over."""

    def __init__(self, where: str, values: Mapping[str, object]) -> None:
        self._where = where
        self._left = dict(values)

    @classmethod
    def read(cls, path: Path) -> Table:
        """Parse the file at `path`; raise `DataError` when it is missing or not TOML."""
        try:
            return cls(path.name, tomllib.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror})") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise DataError(f"{path.name}: not valid TOML: {error}") from None

    def fail(self, key: str, expected: str) -> DataError:
        """The error for `key`, to be raised by the caller."""
        return DataError(f"{self._where}: {key}: {expected}")

    def text(self, key: str, default: str | None = None) -> str:
        """Text that is not empty."""
        value = self._left.pop(key, default)
        if not isinstance(value, str) or (not value.strip() and value != default):
            raise self.fail(key, f"expected text, got {value!r}")
        return value.strip()

    def integer(self, key: str, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""
        value = self._left.pop(key, None)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self.fail(key, f"expected a whole number from {low} to {high}, got {value!r}")
        return value

    def fraction(self, key: str) -> float:
        """A number from 0 to 1."""
        value = self._left.pop(key, None)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
            raise self.fail(key, f"expected a number from 0 to 1, got {value!r}")
        return float(value)

    def texts(self, key: str, at_least: int = 0) -> tuple[str, ...]:
        """A list of different texts, at least `at_least` of them."""
        value = self._left.pop(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
            raise self.fail(key, f"expected a list of texts, got {value!r}")
        items = tuple(item.strip() for item in value)
        if len(items) < at_least:
            raise self.fail(key, f"expected at least {at_least} entries, got {len(items)}")
        if len(set(items)) < len(items):
            raise self.fail(key, "expected every entry only once")
        return items

    def table(self, key: str) -> Table:
        """The table under `key`; an empty one when absent."""
        value = self._left.pop(key, {})
        if not isinstance(value, dict):
            raise self.fail(key, f"expected a table, got {value!r}")
        return Table(f"{self._where}: {key}", value)

    def tables(self, key: str, at_least: int = 0) -> list[Table]:
        """The array of tables under `key`."""
        value = self._left.pop(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.fail(key, "expected an array of tables")
        if len(value) < at_least:
            raise self.fail(key, f"expected at least {at_least} tables, got {len(value)}")
        return [Table(f"{self._where}: {key}[{number}]", item) for number, item in enumerate(value, 1)]

    def mapping(self, key: str) -> dict[str, str]:
        """A table of texts."""
        value = self._left.pop(key, {})
        if not isinstance(value, dict) or not all(isinstance(v, str) and v.strip() for v in value.values()):
            raise self.fail(key, "expected a table of texts")
        return {name: text.strip() for name, text in value.items()}

    def one_of(self, key: str, allowed: tuple[str, ...]) -> str:
        """Text that is one of `allowed`."""
        value = self._left.pop(key, None)
        if not isinstance(value, str) or value not in allowed:
            raise self.fail(key, f"expected one of {', '.join(allowed)}; got {value!r}")
        return value

    def done(self) -> None:
        """Complain about the first key nobody took."""
        if self._left:
            raise self.fail(min(self._left), "unknown key")
