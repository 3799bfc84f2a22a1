"""A bot is killed (kill -9) at each step of a message's way: is anything lost, or said twice?

python -m benchmarks.crashes             all steps, on both platforms, with one bot and with two on one database
python -m benchmarks.crashes --rounds 5  each so often

Prints a table and exits 1 where something is wrong. PostgreSQL is among it where PUPIL_TEST_POSTGRES_URL names a
server.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import sys
import time
from collections import defaultdict

from bot.steps import Step
from tests.databases import DATABASES
from tests.fakes.crash_matrix import Cell, run_all

PLATFORMS, BOTS = ("discord", "slack"), (1, 2)


async def main(rounds: int, at_once: int) -> int:
    """Run it; the exit status."""
    columns = list(itertools.product(PLATFORMS, DATABASES, BOTS))
    cells = [Cell(*column[:2], step, column[2]) for step in Step for column in columns] * rounds
    found: dict[Cell, list[str]] = defaultdict(list)
    started = time.perf_counter()
    async for cell, wrong in run_all(cells, at_once=at_once):
        found[cell].append(wrong)
    heads = [f"{platform}, {database}, bots: {bots}" for platform, database, bots in columns]
    print(f"| killed at | {' | '.join(heads)} |")
    print("|---" * (len(columns) + 1) + "|")
    for step in Step:
        cell_of = [found[Cell(platform, database, step, bots)] for platform, database, bots in columns]
        shown = [f"{each.count('')} of {len(each)} whole" for each in cell_of]
        print(f"| {step.value} | {' | '.join(shown)} |")
    faults = [f"{cell}: {each}" for cell, all_of_it in found.items() for each in all_of_it if each]
    print(
        f"\n{len(cells)} crashes in {time.perf_counter() - started:.0f} s; wrong: {len(faults)}",
        *faults,
        sep="\n",
    )
    return 1 if faults else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=2, help="cells at the same time")
    given = parser.parse_args()
    sys.exit(asyncio.run(main(given.rounds, given.at_once)))
