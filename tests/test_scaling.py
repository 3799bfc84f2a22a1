"""The simulation behind docs/scaling.md: what theory says of queues, what was measured, and a page that is up to date."""

from __future__ import annotations

import statistics
from random import Random

import pytest

from benchmarks import scaling
from benchmarks.simulation import Simulation, Station, Step, Work

NEVER = 1e9
"""Seconds of patience."""


def memoryless(mean: float, chance: Random) -> Work:
    """A time as an exponential distribution has it."""
    return Work(chance.expovariate(1 / mean), spread=0.0)


@pytest.mark.parametrize(("servers", "rate", "waits"), [(1, 0.5, 2.0), (1, 0.8, 5.0), (2, 1.0, 4 / 3)])
def test_waiting_is_what_theory_says(servers: int, rate: float, waits: float) -> None:
    """Poisson arrivals and exponential service of mean 1: Erlang's formulae give the mean time in the queue and served."""
    station, took = Station("queue", servers), []
    simulation = Simulation(seed=3, patience=NEVER)

    def turn(chance: Random) -> list[Step]:
        return [(station, memoryless(1.0, chance))]

    simulation.arrivals(rate, turn)
    outcome = simulation.run(40_000.0)
    took = [seconds for _, seconds in simulation.took]
    assert statistics.mean(took) == pytest.approx(waits, rel=0.08)
    assert outcome.utilisation["queue"] == pytest.approx(rate / servers, rel=0.03)
    assert outcome.per_second == pytest.approx(rate, rel=0.03)


def test_who_thinks_and_waits_obeys_littles_law() -> None:
    station = Station("engine", 2)
    simulation = Simulation(seed=5, patience=NEVER)
    simulation.people(12, 4.0, lambda _: [(station, Work(1.0))])
    outcome = simulation.run(4000.0)
    mean = statistics.mean(seconds for _, seconds in simulation.took)
    assert outcome.per_second * (mean + 4.0) == pytest.approx(12, rel=0.02)
    assert outcome.utilisation["engine"] == pytest.approx(outcome.per_second / 2, rel=0.03)


def test_nobody_waits_longer_than_they_would_and_who_leaves_is_counted() -> None:
    station = Station("engine", 1)
    simulation = Simulation(seed=1, patience=5.0)
    simulation.people(20, 1.0, lambda _: [(station, Work(1.0, spread=0.1)), (station, Work(1.0, spread=0.1))])
    outcome = simulation.run(300.0)
    assert outcome.late > 0.3
    assert max(seconds for _, seconds in simulation.took) < 25


def test_a_quiet_station_takes_its_time() -> None:
    for people, mean in ((1, 3.0), (8, 1.0)):
        simulation, station = Simulation(seed=2, patience=NEVER), Station("engine", 1)
        simulation.people(people, 0.0, lambda _, at=station: [(at, Work(1.0, spread=0.3, quiet=3.0))])  # type: ignore[misc]
        assert 1 / simulation.run(3000.0).per_second == pytest.approx(mean, rel=0.05)


def test_what_is_fullest_grows_until_it_holds() -> None:
    small, outcome, gave = scaling.holding(scaling.Deployment(), 1_000)
    assert (small, gave) == (scaling.Deployment(), [])
    large, outcome, gave = scaling.holding(small, 200_000)
    assert gave == ["engine"]
    assert large.processes > small.processes
    assert outcome.p95 <= scaling.GOOD
    assert scaling.fullest(outcome)[1] <= scaling.FULL


def test_the_page_has_the_tables_as_they_are_reckoned() -> None:
    page = scaling.PAGE.read_text(encoding="utf-8")
    assert scaling.renewed(page) == page, "python -m benchmarks.scaling --write"
    with pytest.raises(ValueError, match="expected tables"):
        scaling.renewed("no place")


def test_the_simulation_is_near_what_was_measured() -> None:
    """Within a quarter where the machine bears what is asked of it; the page says where it is not."""
    for check in scaling.CHECKS[:4]:
        found = statistics.mean(check.simulated(seed) for seed in scaling.RUNS)
        assert found == pytest.approx(check.measured, rel=0.26), check.what
