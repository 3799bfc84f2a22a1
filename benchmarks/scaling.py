"""The tables of docs/scaling.md: what a deployment needs for so many turns a day, and what gives first on the way.

Run: python -m benchmarks.scaling [--write]   (no machine, no model: all is reckoned from figures measured before)

The busiest hour of a day goes through the simulation; where people would wait too long, or a station is too busy, one
more of what is busiest is added, until it holds. The same simulation is held to what was measured: see `CHECKS`.
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Literal

from benchmarks.simulation import Outcome, Simulation, Station, Step, Turn, Work

PAGE = Path(__file__).parents[1] / "docs" / "scaling.md"
BEGIN, END = "<!-- tables -->\n", "<!-- end of tables -->\n"

# Measured. One turn, by python -m benchmarks.turn with PostgreSQL, eight conversations at once, on a busy machine.
STATEMENTS, COMMITS = 7.7, 3.3
BOT, DATABASE = Work(0.0171), Work(0.00093)
"""Seconds of a processor: Pupil's own, and those of the database's processes that work for it."""
KEPT_BYTES = 3400
"""In the database, indexes included."""
ASKED, ANSWERED = 477, 7.7
"""Tokens for a hosted model, by OpenAI's table for gpt-4o-mini."""

# Measured. The embedded engine, by python -m benchmarks.curve (docs/performance.md): seconds of a core for a turn.
CORES = 2
"""Of the machine it was measured on: a server of the engine for each."""
SPREAD = 0.78
"""One conversation alone had p50 0.78 s and p95 2.8 s."""
MORNING = Work(mean=CORES / 2.9, spread=SPREAD, quiet=0.78 * math.exp(SPREAD**2 / 2))
NOON = Work(mean=CORES / 1.85, spread=SPREAD, quiet=1.3 * math.exp(SPREAD**2 / 2))
"""Alone by the p50 of that hour, with four replies to choose from; busy by the replies a second of eight at once."""

# Chosen.
BUSIEST = 1 / 6
"""Of a day's turns, those of its busiest hour: courses meet at the same times."""
PATIENCE = 120.0
"""Seconds; `patience_seconds` in config.toml."""
GOOD = 10.0
"""Seconds within which nineteen of twenty answers shall come."""
FULL = 0.7
"""A station that is busier than that in the busiest hour is too small."""
HOSTED_SECONDS = Work(0.8)
"""Of one call of a hosted model: an assumption, for it is theirs."""
HOSTED_USD = (0.25, 2.00)
"""For a million tokens asked and answered: gpt-5-mini in data/prices.toml on 2026-11-23."""
TURNS = 2000
"""Of the busiest hour that are simulated, after two minutes of warming up."""
DAYS = (1_000, 10_000, 100_000, 1_000_000)

Voice = Literal["embedded", "hosted"]


@dataclass(frozen=True, slots=True)
class Deployment:
    """How much there is of everything. With the embedded model each process has a machine of two cores for itself."""

    voice: Voice = "embedded"
    processes: int = 1
    database: int = 1

    def grown(self, station: str, share: float) -> Deployment:
        """As much more of what is `share` full as it takes; the engine grows with the processes that hold it."""
        name = "processes" if station == "engine" else station
        have = getattr(self, name)
        return replace(self, **{name: max(have + 1, math.ceil(have * min(share, 1.0) / FULL))})


def turns_of(deployment: Deployment, engine: Work = MORNING) -> Turn:
    """What a turn goes through there: claimed, thought and logged in its process, voiced by a model."""
    each = range(deployment.processes)
    places = [(Station("processes", 1), Station("engine", CORES)) for _ in each]
    database, away = Station("database", deployment.database), Station("hosted", 10**9)
    bot, log = replace(BOT, mean=BOT.mean / 2), replace(DATABASE, mean=DATABASE.mean / 2)

    def turn(chance: Random) -> list[Step]:
        process, own = chance.choice(places)
        voice = (own, engine) if deployment.voice == "embedded" else (away, HOSTED_SECONDS)
        return [(process, bot), (database, log), voice, (process, bot), (database, log)]

    return turn


def busiest_hour(deployment: Deployment, turns_a_day: int) -> Outcome:
    """A part of it there."""
    simulation, rate = Simulation(seed=7, patience=PATIENCE), turns_a_day * BUSIEST / 3600
    simulation.arrivals(rate, turns_of(deployment))
    return simulation.run(120.0 + TURNS / rate, warm=120.0)


def fullest(outcome: Outcome) -> tuple[str, float]:
    """Of what is ours, the station that is busiest, and its share."""
    ours = {name: share for name, share in outcome.utilisation.items() if name != "hosted"}
    name = max(ours, key=lambda each: ours[each])
    return name, ours[name]


def holding(start: Deployment, turns_a_day: int) -> tuple[Deployment, Outcome, list[str]]:
    """The smallest deployment from `start` on that holds, how it goes there, and what gave on the way, in order."""
    gave: list[str] = []
    while True:
        outcome = busiest_hour(start, turns_a_day)
        name, share = fullest(outcome)
        if share <= FULL and outcome.p95 <= GOOD and not outcome.late:
            return start, outcome, gave
        if name not in gave:
            gave.append(name)
        start = start.grown(name, share)


def rows(voice: Voice) -> Iterator[str]:
    """A line for each day's number of turns, each beginning with the deployment of the one before."""
    deployment = Deployment(voice)
    for count in DAYS:
        deployment, outcome, gave = holding(deployment, count)
        name, share = fullest(outcome)
        voiced = (
            f"{deployment.processes * CORES} cores" if voice == "embedded" else f"{_dollars(count)} a day"
        )
        yield (
            f"| {count:,} | {count * BUSIEST / 3600:.2g} | {', '.join(gave) or 'nothing'} | {deployment.processes}"
            f" | {deployment.database} | {voiced} | {outcome.p50:.1f} s, {outcome.p95:.1f} s"
            f" | {name}, {share:.0%} | {count * 365 * KEPT_BYTES / 1e9:,.1f} |"
        )


def _dollars(turns: int) -> str:
    cost = turns * (ASKED * HOSTED_USD[0] + ANSWERED * HOSTED_USD[1]) / 1e6
    return f"${cost:,.2f}"


@dataclass(frozen=True, slots=True)
class Check:
    """A point that was measured, and the same in the simulation."""

    what: str
    measured: float
    unit: str
    simulated: Callable[[int], float]
    """With that seed."""


def _people(seed: int, count: int, think: float, seconds: float, engine: Work) -> Outcome:
    """So many teachers at the one machine that was measured, until all that was said so long is answered."""
    simulation = Simulation(seed, PATIENCE)
    simulation.people(count, think, turns_of(Deployment(), engine), until=seconds)
    return simulation.run(seconds + PATIENCE)


CHECKS = (
    Check("one conversation alone, no thinking: replies a second", 1.0, "/s",
          lambda seed: _people(seed, 1, 0.0, 25.0, MORNING).per_second * (25.0 + PATIENCE) / 25.0),
    Check("eight at once, no thinking: p50", 2.1, "s",
          lambda seed: _people(seed, 8, 0.0, 25.0, MORNING).p50),
    Check("24 teachers who think 10 s, two minutes: p50", 4.0, "s",
          lambda seed: _people(seed, 24, 10.0, 120.0, NOON).p50),
    Check("the same: p95", 10.5, "s", lambda seed: _people(seed, 24, 10.0, 120.0, NOON).p95),
    Check("60 teachers likewise, more than it can bear: p95", 46.0, "s",
          lambda seed: _people(seed, 60, 10.0, 120.0, NOON).p95),
)  # fmt: skip
"""Of docs/performance.md, by `benchmarks.curve` and `benchmarks.overload`. What made the simulation fit is not
among them: the replies a second of eight at once, and the p50 and p95 of one alone."""


HEAD = """
| turns a day | a second, busiest hour | gave since the row above | processes | database cores | model | p50, p95 \
| fullest then | GB of log a year |
|---|---|---|---|---|---|---|---|---|
"""
CHECKED = """
The simulation beside what was measured:

| what | measured | simulated, mean of 20 | their range | mean of measured |
|---|---|---|---|---|
"""
RUNS = range(20)
"""Seeds: what was measured is one run, too, and so short that chance shows."""


def drawn() -> str:
    """The tables, with their last line end."""
    embedded, hosted = "\n".join(rows("embedded")), "\n".join(rows("hosted"))
    checked = []
    for check in CHECKS:
        found = [check.simulated(seed) for seed in RUNS]
        mean, unit = statistics.mean(found), check.unit
        checked.append(
            f"| {check.what} | {check.measured:g} {unit} | {mean:.1f} {unit} | {min(found):.1f} to {max(found):.1f}"
            f" | {mean / check.measured:.2f} |\n"
        )
    tables = f"With the embedded model:\n{HEAD}{embedded}\n\nWith a hosted model:\n{HEAD}{hosted}\n"
    return tables + CHECKED + "".join(checked)


def renewed(page: str) -> str:
    """The page with the tables as they are now; raise ValueError where it has no place for them."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{PAGE.name}: expected tables between {BEGIN!r} and {END!r}")
    return before + begin + drawn() + end + after


def main() -> None:
    """Print the tables, or write them into the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help="renew docs/scaling.md")
    if parser.parse_args().write:
        PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print(drawn(), end="")


if __name__ == "__main__":
    main()
