"""The map of the house in docs/architecture.md, made from the opening lines of its files.

Run: python -m benchmarks.house, with --write to renew it. A room is a folder, its line that of its `__init__`.
"""

from __future__ import annotations

import argparse
import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- map -->\n```\n", "```\n<!-- end of map -->\n"
WIDTH = 118


def opening(path: Path) -> str:
    """The first sentence of a module's docstring, on one line; empty where it has none."""
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    first = " ".join(said.split("\n\n")[0].split())
    return first.split(". ")[0].split(": Run")[0].rstrip(".")


def _lines(folder: Path, depth: int) -> list[str]:
    init = folder / "__init__.py"
    lines = [_line(depth, f"{folder.name}/", opening(init) if init.exists() else "")]
    for each in sorted(folder.iterdir(), key=lambda path: (path.is_dir(), path.name)):
        if each.is_dir() and any(each.glob("*.py")) and each.name not in {"__pycache__", "migrations"}:
            lines += _lines(each, depth + 1)
        elif each.suffix == ".py" and each.name != "__init__.py":
            lines.append(_line(depth + 1, each.name, opening(each)))
    return lines


def _line(depth: int, name: str, said: str) -> str:
    line = f"{'  ' * depth + name:<30} {said}".rstrip()
    return line if len(line) <= WIDTH else line[: WIDTH - 4].rsplit(" ", 1)[0].rstrip(",;:") + " ..."


def drawn() -> str:
    """The map, with its last line end."""
    rooms = (_lines(ROOT / name, 0) for name in ("bot", "training", "benchmarks"))
    return "\n".join(line for room in rooms for line in room) + "\n"


def renewed(page: str) -> str:
    """The page with the map as it is now; raise ValueError where it has no place for one."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{PAGE.name}: expected a map between {BEGIN!r} and {END!r}")
    return before + begin + drawn() + end + after


def main() -> None:
    """Print the map, or write it into the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--write", action="store_true", help="renew docs/architecture.md")
    if parser.parse_args().write:
        PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print(drawn(), end="")


if __name__ == "__main__":
    main()
