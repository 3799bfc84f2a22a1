"""Optimise the student's prompt on a budget of calls, and compare it with the zero-shot one.

It knows examples and language models; files, money's names and the command line are its callers' business.
"""

from __future__ import annotations

import contextlib
import logging
import random
import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import dspy

from bot.models.program import StudentSimulationModel, adapter_for
from training.methods.dspy_data import by_dialogue, by_kind, teachable
from training.methods.dspy_metric import Verdict, judge

Optimiser = Literal["labeled", "bootstrap", "gepa"]

DEMOS = 4
"""More lead a small model astray: on 100 validation turns four were 0.07 to 0.13 better than none, eight 0.03."""
GOOD_ENOUGH = 0.95
"""From this score on, a model's own words may become an example."""
FEWEST_CALLS = 80
POOL = 12
"""Examples that one candidate program may draw from, and so the most attempts that it makes."""
GEPA_TRAINING = 60
RESAMPLES = 4_000
KEPT = ("teacher_prompt", "child", "thought", "student_response", "reasoning")


class DspyRunError(ValueError):
    """What was asked for cannot be run; the message says what can."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a budget is spent on: at most `optimising` calls, then `compared` held-out turns, said twice."""

    optimiser: Optimiser
    optimising: int
    candidates: int
    validation: int
    compared: int

    @property
    def calls(self) -> int:
        """The most calls it can take."""
        return self.optimising + 2 * self.compared


def plan(optimiser: Optimiser, budget: int, *, held_out: int) -> Plan:
    """Divide `budget` calls, all told; raise `DspyRunError` when they are too few to show anything."""
    if budget < FEWEST_CALLS:
        raise DspyRunError(f"--budget: expected at least {FEWEST_CALLS} calls, got {budget}")
    optimising = 0 if optimiser == "labeled" else budget // 2
    compared = min((budget - optimising) // 2, held_out)
    if optimiser == "labeled":
        return Plan(optimiser, 0, 0, 0, compared)
    if optimiser == "gepa":
        return Plan(optimiser, optimising, 0, max(4, optimising // 6), compared)
    # Random search tries, besides its candidates, the zero-shot program, labelled examples and one more.
    candidates = min(16, max(1, optimising // 40))
    validation = (optimising - (candidates + 1) * POOL) // (candidates + 3)
    return Plan(optimiser, optimising, candidates, validation, compared)


# Optimising.


def score(example: dspy.Example, prediction: dspy.Prediction, trace: object = None) -> float:
    """The metric as DSPy's optimisers call it."""
    del trace
    return _verdict(example, prediction).score


def score_with_feedback(
    gold: dspy.Example, pred: dspy.Prediction, *_: object, **__: object
) -> dspy.Prediction:
    """The metric as GEPA calls it: what was wrong, for the model that reflects on it."""
    verdict = _verdict(gold, pred)
    return dspy.Prediction(score=verdict.score, feedback=verdict.feedback)


def _verdict(example: dspy.Example, prediction: dspy.Prediction) -> Verdict:
    said = getattr(prediction, "student_response", None)
    cue = example.cue
    return judge(said if isinstance(said, str) else "", cue.thought, cue.child, cue.teacher)


@dataclass(frozen=True, slots=True)
class Material:
    """What a run learns from and is validated on."""

    training: Sequence[dspy.Example]
    validation: Sequence[dspy.Example]


def optimise(  # noqa: PLR0913 - what a run is made of
    plan: Plan,
    material: Material,
    lm: dspy.LM,
    *,
    reasons: bool,
    reflection: dspy.LM | None = None,
    threads: int = 2,
    seed: int = 0,
    log: Path | None = None,
) -> StudentSimulationModel:
    """The optimised program. What the optimiser prints goes to `log`."""
    pool = by_kind(teachable(material.training), seed)
    if len(pool) < DEMOS:
        raise DspyRunError(
            f"training data: expected at least {DEMOS} short, faultless turns, got {len(pool)}"
        )
    validation = by_dialogue(material.validation, seed)[: plan.validation]
    student = StudentSimulationModel(reasons=reasons)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_set(lm, reasons=reasons))
        stack.enter_context(_cancelled())
        if log is not None:
            stack.enter_context(
                contextlib.redirect_stdout(stack.enter_context(log.open("a", encoding="utf-8")))
            )
        if plan.optimiser == "labeled":
            found = dspy.LabeledFewShot(k=DEMOS).compile(student, trainset=pool[:DEMOS], sample=False)
        elif plan.optimiser == "bootstrap":
            found = dspy.BootstrapFewShotWithRandomSearch(
                metric=score,
                metric_threshold=GOOD_ENOUGH,
                max_bootstrapped_demos=DEMOS,
                max_labeled_demos=DEMOS,
                num_candidate_programs=plan.candidates,
                num_threads=threads,
            ).compile(student, trainset=pool[:POOL], valset=validation)
        else:
            if reflection is None:
                raise DspyRunError("gepa needs a model that can reflect on what went wrong")
            found = dspy.GEPA(
                metric=score_with_feedback,
                # One step more may be under way when the limit is reached: two small batches and a validation.
                max_metric_calls=max(1, plan.optimising - len(validation) - 12),
                reflection_lm=reflection,
                num_threads=threads,
                seed=seed,
            ).compile(student, trainset=pool[:GEPA_TRAINING], valset=validation)
    return _pruned(found)


def _pruned(program: StudentSimulationModel) -> StudentSimulationModel:
    """Examples as the bot shows them: without the dialogue around them, and without our own notes."""
    for predictor in program.predictors():
        predictor.demos = [
            dspy.Example(**{name: demo[name] for name in KEPT if name in demo}) for demo in predictor.demos
        ]
    return program


def _set(lm: dspy.LM, *, reasons: bool) -> Any:
    # Its errors quote the examples they happened on.
    logging.getLogger("dspy").setLevel(logging.CRITICAL)
    return dspy.context(lm=lm, adapter=adapter_for(reasons=reasons), disable_history=True)


@contextlib.contextmanager
def _cancelled() -> Iterator[None]:
    """DSPy gives up with a bare exception that names no cause."""
    try:
        yield
    except Exception as error:
        if "cancelled" in str(error):
            raise DspyRunError("too many calls failed: the model, its server or its quota is gone") from None
        raise


# Comparing.


@dataclass(frozen=True, slots=True)
class Comparison:
    """Mean scores on the same held-out turns, and their difference with its 95 % interval."""

    turns: int
    dialogues: int
    zero_shot: float
    optimised: float
    difference: float
    low: float
    high: float

    @property
    def better(self) -> bool:
        """Whether the interval lies above zero."""
        return self.low > 0


def compare(  # noqa: PLR0913 - two programs on one model
    zero_shot: StudentSimulationModel,
    optimised: StudentSimulationModel,
    held_out: Sequence[dspy.Example],
    lm: dspy.LM,
    *,
    threads: int = 2,
    seed: int = 0,
) -> Comparison:
    """Let both say the same held-out turns."""
    scores = []
    for program in (zero_shot, optimised):
        with _set(lm, reasons=program.reasons), _cancelled():
            judged = dspy.Evaluate(
                devset=list(held_out),
                metric=score,
                num_threads=threads,
                display_progress=False,
                # An answer that cannot be read is a bad one and counts nothing; a model that is gone is no model.
                max_errors=max(2, len(held_out) // 4),
            )(program)
        scores.append([float(each) for _, _, each in judged.results])
    pairs = list(zip([example.dialogue for example in held_out], *scores, strict=True))
    low, high = interval([(dialogue, after - before) for dialogue, before, after in pairs], seed)
    return Comparison(
        turns=len(pairs),
        dialogues=len({dialogue for dialogue, _, _ in pairs}),
        zero_shot=statistics.fmean(scores[0]),
        optimised=statistics.fmean(scores[1]),
        difference=statistics.fmean(after - before for _, before, after in pairs),
        low=low,
        high=high,
    )


def interval(differences: Sequence[tuple[str, float]], seed: int) -> tuple[float, float]:
    """The 95 % interval of the mean of paired differences, by drawing whole dialogues with replacement.

    Turns of one dialogue resemble each other; drawing turns would make the interval look too narrow.
    """
    clusters: dict[str, list[float]] = defaultdict(list)
    for dialogue, difference in differences:
        clusters[dialogue].append(difference)
    sums = [(sum(each), len(each)) for each in clusters.values()]
    rng = random.Random(seed)
    means = []
    for _ in range(RESAMPLES):
        drawn = rng.choices(sums, k=len(sums))
        means.append(sum(total for total, _ in drawn) / sum(count for _, count in drawn))
    means.sort()
    return means[round(0.025 * (RESAMPLES - 1))], means[round(0.975 * (RESAMPLES - 1))]
