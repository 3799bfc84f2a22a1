"""The project's report and slides, filled in from a report: no figure in them is typed by hand.

It knows the report and the templates beside it; it measures nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from bot.student.records.reading import DataError
from training import methods
from training.evaluate import wording
from training.evaluate.report import REPORT, read, winner

TEMPLATES = Path(__file__).parent / "templates"
NAMES = ("report.md", "slides.md")
Report = Mapping[str, Any]


def fill(report: Report) -> dict[str, str]:
    """Each document by file name; raise `DataError` where a template asks for what is not there."""
    values = _values(report)
    filled = {}
    for name in NAMES:
        template = Template((TEMPLATES / name).read_text(encoding="utf-8"))
        try:
            filled[name] = template.substitute(values)
        except (KeyError, ValueError) as error:
            raise DataError(f"templates/{name}: {error} is no figure of a report") from None
    return filled


def write(folder: Path) -> list[Path]:
    """Make the documents in `folder` from the report.json in it; returns their paths. Raise `DataError`."""
    made = fill(read(folder / REPORT))
    paths = []
    for name, text in made.items():
        try:
            (folder / name).write_text(text, encoding="utf-8")
        except OSError as error:
            raise DataError(f"{folder / name}: cannot be written ({error.strerror})") from None
        paths.append(folder / name)
    return paths


def _values(report: Report) -> dict[str, str]:
    models = report["models"]
    run = report["run"]
    return {
        **{name: f"{count:,}" for name, count in report["corpus"].items()},
        "run_id": str(run["id"]),
        "made_of": f"It asked {len(models)} {'model' if len(models) == 1 else 'models'} in {len(run['sections'])} "
        f"sections ({', '.join(run['sections'])}), {run['rows']:,} turns with the controls.",
        "model_names": " ".join(dict.fromkeys(model["name"].split()[0] for model in models)),
        "turns": f"{report['turns']:,}",
        "verdicts": "\n".join(_verdicts(report)),
        "summary_table": _summary(models),
        "trained_table": _trained(models),
        "not_measured": _not_measured(models),
        "pairs_table": _pairs(report),
        "measures_table": _measures(report),
        "voiced_table": _voiced(models),
        "controls": _controls(report),
        "people": _people(report["people"]),
        "cost_table": _costs(models),
        "cost_notes": _cost_notes(report),
        "compare_options": f" --turns {report['turns']}"
        + (f" --machine-hour {report['machine_hour']:g}" if report["machine_hour"] is not None else ""),
        "latency_table": _latency(models),
        "conversations": "\n\n---\n\n".join(_conversation(each) for each in report["transcripts"][:2])
        or "This run has no conversation that every model had.",
    }


def _verdicts(report: Report) -> Iterable[str]:
    if len(report["models"]) == 1:
        yield f"- One model was measured, {report['models'][0]['name']}; there is nothing to compare it with."
        return
    for side in ("authentic", "teachable"):
        best = winner(report, side)
        yield (
            f"- **{side.title()}**: {best} is ahead of every other model."
            if best
            else f"- **{side.title()}**: no model is ahead of every other; the differences say who parts from whom."
        )


def _summary(models: Sequence[Report]) -> str:
    return _table(
        ("model", "authentic", "teachable", "own words", "median turn", "1,000 turns"),
        (
            (
                model["name"],
                wording.composite(model["figures"].get("authentic")),
                wording.composite(model["figures"].get("teachable")),
                _share(model["voiced"].get("model")),
                _seconds(model["latency_ms"]["p50"]),
                wording.dollars(model["cost"]["total"]),
            )
            for model in models
        ),
    )


def _trained(models: Sequence[Report]) -> str:
    made_by = {"embedded": "none: the base model"}
    for method in methods.METHODS:
        made_by |= method.kinds
    rows = []
    for model in models:
        cost = model["cost"]
        seconds, tokens = cost["training_seconds"], cost["training_tokens"]
        rows.append(
            (
                model["name"],
                made_by.get(str(model["kind"]), str(model["kind"])),
                "-" if cost["dialogues"] is None else f"{cost['dialogues']:,}",
                "-" if tokens is None else f"{tokens:,}",
                "-" if seconds is None else f"{seconds / 60:.0f} min",
                "-" if cost["dialogues"] is None else wording.dollars(cost["training_usd"]),
            )
        )
    return _table(("model", "trained by", "dialogues", "tokens", "time", "cost of training"), rows)


def _not_measured(models: Sequence[Report]) -> str:
    kinds = {model["kind"] for model in models}
    missing = [method.title for method in methods.METHODS if not kinds & method.kinds.keys()]
    if not missing:
        return "Every way was measured in this run."
    return (
        f"Not in this run: {' and '.join(missing)}. The way is built and tested, but no model made so was asked here, "
        "so nothing is claimed of it."
    )


def _pairs(report: Report) -> str:
    rows = [
        (
            f"{pair['ours']} minus {pair['theirs']}",
            pair["figure"],
            wording.points(pair),
            "yes" if pair["parts"] else "no",
        )
        for pair in report["pairs"]
        if pair["figure"] in ("authentic", "teachable")
    ]
    return (
        _table(("models", "figure", "difference in points", "part"), rows)
        if rows
        else "Only one model was asked."
    )


def _measures(report: Report) -> str:
    models = report["models"]
    rows = []
    for metric in report["metrics"]:
        found = [model["figures"].get(metric["id"]) for model in models]
        if any(found):
            wanted = f"{100 * metric['low']:.0f} to {100 * metric['high']:.0f} %"
            shown = (
                "-" if each is None else f"{'●' if each['inside'] else '○'} {wording.percent(each)}"
                for each in found
            )
            rows.append((metric["name"], metric["side"], wanted, *shown))
    return _table(("measure", "side", "expected", *(model["name"] for model in models)), rows)


def _voiced(models: Sequence[Report]) -> str:
    return _table(
        ("model", "first try", "second try", "phrase"),
        (
            (model["name"], *(_share(model["voiced"].get(name)) for name in ("model", "retry", "phrasing")))
            for model in models
        ),
    )


def _controls(report: Report) -> str:
    judged = [metric for metric in report["metrics"] if metric["separates"] is not None]
    if not judged:
        return "This run had no controls."
    failed = [metric["name"] for metric in judged if not metric["separates"]]
    told = f"Of {len(judged)} measures with such material, {len(judged) - len(failed)} told it apart."
    return told + (f" Not told apart, so not to be relied on: {', '.join(failed)}." if failed else "")


def _people(people: Report) -> str:
    if not people["ratings"] and not people["blind"]:
        return "No people's judgements are in this report yet: neither ratings from practice nor a blind session."
    lines = [
        f"- {each['model']}: {each['ratings']} ratings from practice by {each['raters']} people, mean "
        f"{sum(each['means'].values()) / len(each['means']):.1f} of 5."
        for each in people["ratings"]
        if each["means"]
    ]
    for each in people["blind"]:
        share = (
            "no choice decided"
            if each["share"] is None
            else f"{wording.percent(each)} of {each['decided']} choices"
        )
        alpha = "" if each["alpha"] is None else f", Krippendorff's alpha {each['alpha']:.2f}"
        lines.append(
            f"- Blind, {each['ours']} rather than {each['theirs']}: {share}, by {each['raters']} raters{alpha}."
        )
        for judge in each["judges"]:
            told = (
                "no choice decided" if judge["share"] is None else f"{wording.percent(judge)} of its choices"
            )
            agreed = "not defined" if judge["alpha"] is None else f"{judge['alpha']:.2f}"
            lines.append(
                f"  - {judge['judge']}, a language model, on the same pairs: {told}; alpha with people {agreed}."
            )
    return "What people think:\n\n" + "\n".join(lines)


def _costs(models: Sequence[Report]) -> str:
    return _table(
        ("model", "serving", "training", "together", "how known"),
        (
            (
                model["name"],
                *(wording.dollars(model["cost"][key]) for key in ("serving", "training", "total")),
                model["cost"]["why"],
            )
            for model in models
        ),
    )


def _cost_notes(report: Report) -> str:
    hour = report["machine_hour"]
    at = (
        "What runs here is not metered: it costs electricity and a machine, and an unknown amount is not zero."
        if hour is None
        else f"What runs here is priced at ${hour:g} an hour of the machine, one turn after another: an upper bound."
    )
    return f"US dollars for 1,000 turns, the training spread over {report['turns']:,} turns. {at}"


def _latency(models: Sequence[Report]) -> str:
    return _table(
        ("model", "median", "95th percentile", "turns"),
        (
            (
                model["name"],
                _seconds(model["latency_ms"]["p50"]),
                _seconds(model["latency_ms"]["p95"]),
                f"{model['latency_ms']['turns']:,}",
            )
            for model in models
        ),
    )


def _conversation(transcript: Report) -> str:
    names = list(transcript["said"])
    turns = zip(*transcript["said"].values(), strict=False)
    rows = [(each[0]["teacher"], *(turn["text"] for turn in each)) for each in turns]
    heads = ("teacher", *("as authored" if name == "golden" else name for name in names))
    return f"**{transcript['child'].title()}, {transcript['lesson']}**\n\n{_table(heads, rows)}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    """A model's words as plain text in a table of Markdown."""
    plain = " ".join(text.split())
    return _MARKS.sub(r"\\\g<0>", plain)


_MARKS = re.compile(r"[\\`*_\[\]<>|]")


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.0f} %"


def _seconds(milliseconds: float | None) -> str:
    return "-" if milliseconds is None else f"{milliseconds / 1000:.2f} s"
