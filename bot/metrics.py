"""Prometheus counters and histograms.

It knows names and numbers; no message text and no user id ever becomes a label.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from bot.models.engines.base import Load
from bot.models.turnstile import Turnstile

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


WHERE = ("store", "send", "model", "queue full", "bug")
"""Where things go wrong."""
LATE = ("answered late", "given up")
"""What becomes of messages that are past their deadline."""


class Metrics:
    """All figures of one process, in a registry of their own, so that two apps can live side by side."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.messages = Counter("pupil_messages", "Messages taken", ["platform"], registry=registry)
        self.replies = Counter("pupil_replies", "Replies sent", ["model", "voiced"], registry=registry)
        self.notices = Counter("pupil_notices", "Notices instead of replies", ["flag"], registry=registry)
        self.failures = Counter("pupil_failures", "What went wrong", ["where"], registry=registry)
        self.jobs = Counter("pupil_jobs", "Scheduled work that ended", ["job", "outcome"], registry=registry)
        self.waiting = Gauge("pupil_waiting_messages", "Messages waiting or in hand", registry=registry)
        self.deadline_misses = Counter(
            "pupil_deadline_misses", "Messages past their deadline", ["outcome"], registry=registry
        )
        self.reply_seconds = Histogram(
            "pupil_reply_seconds", "From message to answer sent", buckets=SECONDS, registry=registry
        )
        self.model_seconds = Histogram(
            "pupil_model_seconds", "One call of a model", ["model"], buckets=SECONDS, registry=registry
        )
        self.tokens = Counter("pupil_tokens", "Tokens", ["model", "direction"], registry=registry)
        self.cost = Counter(
            "pupil_cost_usd", "US dollars, where the price is known", ["model"], registry=registry
        )

        # A figure that is there from the start is seen to grow when it first does: alerts go by that.
        for where in WHERE:
            self.failures.labels(where)
        for outcome in LATE:
            self.deadline_misses.labels(outcome)

    def expect(self, jobs: Iterable[str]) -> None:
        """Show these kinds of scheduled work before any has ended."""
        for job in jobs:
            for outcome in ("done", "failed"):
                self.jobs.labels(job, outcome)

    def show(self, turnstiles: Callable[[], Iterable[Turnstile]]) -> None:
        """Tell of these queues whenever somebody looks."""
        self.registry.register(_Queues(turnstiles))

    def watch_engine(self, load: Callable[[], Load]) -> None:
        """Tell of what the engine in this process has to do whenever somebody looks."""
        self.registry.register(_Servers(load))


class _Queues(Collector):
    """The queues before the engines, as they are at the moment."""

    def __init__(self, turnstiles: Callable[[], Iterable[Turnstile]]) -> None:
        self._turnstiles = turnstiles

    def collect(self) -> Iterator[Metric]:
        """One figure of all queues after another."""
        now = list(self._turnstiles())
        for name, text, value in (
            ("waiting", "Turns that wait for a place", lambda each: each.waiting),
            ("busy", "Places taken", lambda each: each.busy),
            ("places", "Places", lambda each: each.at_once),
            ("expected_wait_seconds", "What a turn would wait that came now", Turnstile.expected_wait),
            ("turn_seconds", "What a turn takes, as an exponential mean", lambda each: each.seconds),
        ):
            family = GaugeMetricFamily(f"pupil_turnstile_{name}", text, labels=["engine"])
            for each in now:
                family.add_metric([each.name], value(each))
            yield family


class _Servers(Collector):
    """The servers of the engine in this process, as they are at the moment."""

    def __init__(self, load: Callable[[], Load]) -> None:
        self._load = load

    def collect(self) -> Iterator[Metric]:
        """What each has to do, and what their memory of prompts spares them."""
        load = self._load()
        requests = GaugeMetricFamily(
            "pupil_engine_requests", "What a server has in hand or waiting", labels=["server"]
        )
        for place, waiting in enumerate(load.waiting):
            requests.add_metric([str(place)], waiting)
        yield requests
        busy = sum(waiting > 0 for waiting in load.waiting)
        yield GaugeMetricFamily("pupil_engine_busy_servers", "Servers that work", busy)
        yield CounterMetricFamily("pupil_engine_prompt_tokens", "Tokens of all prompts", load.prompt_tokens)
        yield CounterMetricFamily(
            "pupil_engine_cached_tokens", "Those of them that had been read before", load.cached_tokens
        )
