"""The report as one HTML page for people: tables, pictures inside it, and transcripts side by side.

Nothing is fetched from anywhere. Every text that a model or a person wrote is escaped.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from training.evaluate.report import winner
from training.evaluate.wording import composite, dollars, percent, points

TITLES = {
    "quality.png": "Quality",
    "cost.png": "Cost",
    "latency.png": "Latency",
    "quality-cost.png": "Quality against cost",
    "words.png": "Words a turn",
    "stages.png": "Stages: meant and heard",
}
NOTES = {
    "quality.png": "Authentic: talks and errs like a second grader. Teachable: moves when taught well, and only then. "
    "Each is the mean over its measures, scaled so that 1 is “as expected”. The bars hold 95 % of what other "
    "conversations of the same kind would have given.",
    "cost.png": "Serving and training, the training spread over the volume named above. “Not known” is not zero: "
    "a model that runs here costs electricity and a machine.",
    "latency.png": "As measured in this run, in which several conversations went on at once.",
    "quality-cost.png": "Up and to the left is better.",
    "words.png": "The dashed lines are the quartiles of real children in grades 1 to 3 (413 turns of 14 lessons).",
    "stages.png": "Rows: the stage that the child's mind was in. Columns: the stage that a simple word counter, taught "
    "on the authored dialogues, hears in the words. It cannot tell a bare number; “as authored” shows how well it "
    "hears what people wrote.",
}
SECTION_NAMES = {"golden": "Golden dialogue", "arms": "Teaching a misconception"}
SIDE_NAMES = {
    "authentic": "Authentic: talks and errs like a second grader",
    "teachable": "Teachable: moves when taught well, and only then",
    "honest": "Honest and safe: what may not be traded",
}

STYLE = Path(__file__).parent / "templates" / "page.css"

Report = Mapping[str, Any]


def render(report: Report, pictures: Mapping[str, tuple[bytes, str]]) -> str:
    """The whole page."""
    run = report["run"]
    names = ", ".join(model["name"] for model in report["models"])
    body = [
        f"<h1>How childlike, how teachable: {escape(names)}</h1>",
        f'<p class="lead">{escape(_lead(report))}</p>',
        _summary(report),
        _ahead(report),
        "<h2>Pictures</h2>",
        '<div class="pictures">',
        *(_picture(name, *pictures[name]) for name in TITLES if name in pictures),
        "</div>",
        "<h2>Every measure</h2>",
        "<p>Figures with their 95 % intervals in brackets. ● as expected, ○ not. “Told apart” says whether the measure "
        "passes what people wrote for a child and fails a polite adult and a bare model.</p>",
        *(_metrics(report, side) for side in SIDE_NAMES),
        _bands(report),
        "<h2>Differences</h2>",
        "<p>On the items that both were asked, drawn together by conversation family. Where the interval holds zero, "
        "the run cannot tell the two apart.</p>",
        _pairs(report),
        "<h2>Cost and time</h2>",
        _costs(report),
        _people(report),
        "<h2>Conversations side by side</h2>",
        *(_transcript(each) for each in report["transcripts"]),
        "<h2>How this was measured</h2>",
        f"<p>Run {escape(str(run['id']))}, {run['rows']:,} turns in {len(run['sections'])} sections "
        f"({escape(', '.join(run['sections']))}), {run['draws']:,} draws of a cluster bootstrap. The document "
        "docs/evaluation.md says of each measure what it is, where its range comes from, and what it cannot see.</p>",
    ]
    style = STYLE.read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>Pupil: {escape(names)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(filter(None, body))
        + "\n</main>\n</body>\n</html>\n"
    )


def _lead(report: Report) -> str:
    said = []
    for side in ("authentic", "teachable"):
        best = winner(report, side)
        if best:
            said.append(f"{best} is ahead of every other model in being {side}.")
        elif len(report["models"]) > 1:
            said.append(f"No model is ahead of every other in being {side}.")
    return " ".join(said) or "One model, measured against what is expected of a second grader."


def _summary(report: Report) -> str:
    rows = []
    for model in report["models"]:
        voiced = model["voiced"].get("model")
        latency = model["latency_ms"]
        rows.append(
            (
                model["name"],
                f"{model['kind']} {model['version']}",
                composite(model["figures"].get("authentic")),
                composite(model["figures"].get("teachable")),
                "-" if voiced is None else f"{100 * voiced:.0f} %",
                _seconds(latency["p50"]),
                _seconds(latency["p95"]),
                dollars(model["cost"]["total"]),
            )
        )
    heads = ("Model", "Version", "Authentic", "Teachable", "Own words", "p50", "p95", "Cost of 1,000 turns")
    return _table(f"In short. Costs with the training spread over {report['turns']:,} turns.", heads, rows)


def _ahead(report: Report) -> str:
    found = [
        f"<li>{escape(pair['ours'])} against {escape(pair['theirs'])}, {escape(pair['figure'])}: "
        f"{points(pair)} points, {'they part' if pair['parts'] else 'they do not part'}</li>"
        for pair in report["pairs"]
        if pair["figure"] in ("authentic", "teachable")
    ]
    return f"<ul>{''.join(found)}</ul>" if found else ""


def _picture(name: str, png: bytes, says: str) -> str:
    data = base64.b64encode(png).decode()
    # What a picture leaves out is said where everybody reads it.
    said = NOTES[name] + (f" {says}." if name == "quality-cost.png" else "")
    return (
        f'<figure><h3>{TITLES[name]}</h3><img src="data:image/png;base64,{data}" alt="{escape(says)}">'
        f"<figcaption>{escape(said)}</figcaption></figure>"
    )


def _metrics(report: Report, side: str) -> str:
    shown = [each for each in report["metrics"] if each["side"] == side]
    rows = []
    for metric in shown:
        cells = []
        for model in report["models"]:
            found = model["figures"].get(metric["id"])
            cells.append("-" if found is None else f"{'●' if found['inside'] else '○'} {percent(found)}")
        told = {True: "yes", False: "no", None: "-"}[metric["separates"]]
        wanted = f"{100 * metric['low']:.0f} to {100 * metric['high']:.0f} %"
        rows.append((f"{metric['name']} [{metric['id']}]", wanted, *cells, told))
    heads = ("Measure", "Expected", *(model["name"] for model in report["models"]), "Told apart")
    return _table(SIDE_NAMES[side], heads, rows)


def _bands(report: Report) -> str:
    measured = [model for model in report["models"] if model["bands"]]
    if not measured:
        return ""
    rows = []
    for number, band in enumerate(measured[0]["bands"]):
        cells = []
        for model in measured:
            each = model["bands"][number]
            digits = 3 if each["low"] > 0 and each["high"] < 2 else 1  # noqa: PLR2004 - a ratio needs more of them
            cells.append(f"{'●' if each['inside'] else '○'} {each['value']:.{digits}f}")
        rows.append((band["name"], f"{band['low']:g} to {band['high']:g}", *cells))
    heads = ("Measure of talk", "Band", *(model["name"] for model in measured))
    return _table("How it talks, against bands measured on real children in grades 1 to 3", heads, rows)


def _pairs(report: Report) -> str:
    names = {each["id"]: each["name"] for each in report["metrics"]}
    rows = [
        (
            f"{pair['ours']} minus {pair['theirs']}",
            names.get(pair["figure"], pair["figure"]),
            points(pair),
            "part" if pair["parts"] else "do not part",
        )
        for pair in report["pairs"]
    ]
    return _table(
        "Points of a hundred, with 95 % intervals", ("Models", "Figure", "Difference", "They"), rows
    )


def _costs(report: Report) -> str:
    rows = []
    for model in report["models"]:
        cost = model["cost"]
        seconds = cost["training_seconds"]
        rows.append(
            (
                model["name"],
                dollars(cost["serving"]),
                dollars(cost["training"]),
                dollars(cost["total"]),
                "none or not known" if seconds is None else f"{seconds / 60:.0f} minutes",
                "-" if cost["dialogues"] is None else f"{cost['dialogues']:,} dialogues",
                cost["why"],
            )
        )
    heads = ("Model", "Serving", "Training", "Together", "Trained in", "On", "Why")
    return _table("US dollars for 1,000 turns", heads, rows)


def _people(report: Report) -> str:
    people = report["people"]
    parts = ["<h2>What people think</h2>"]
    if people["ratings"]:
        rubric = list(people["ratings"][0]["means"])
        rows = [
            (
                each["model"],
                str(each["ratings"]),
                str(each["raters"]),
                *(f"{each['means'].get(k, 0):.1f}" for k in rubric),
            )
            for each in people["ratings"]
        ]
        parts.append(_table("Ratings from practice, 1 to 5", ("Model", "Ratings", "People", *rubric), rows))
    if people["blind"]:
        rows = [
            (
                f"{each['ours']} rather than {each['theirs']}",
                "none decided" if each["share"] is None else percent(each),
                f"{each['choices']} by {each['raters']}",
                "-" if each["alpha"] is None else f"{each['alpha']:.2f}",
            )
            for each in people["blind"]
        ]
        parts.append(
            _table("Blind: which sounds like a child?", ("Chosen", "Share", "Choices", "Alpha"), rows)
        )
        judged = [
            (
                judge["judge"],
                f"{each['ours']} rather than {each['theirs']}",
                "none decided" if judge["share"] is None else percent(judge),
                f"{judge['steady']:.0%} of {judge['pairs']}",
                f"{'-' if judge['alpha'] is None else format(judge['alpha'], '.2f')} over {judge['shared']}",
            )
            for each in people["blind"]
            for judge in each["judges"]
        ]
        if judged:
            heads = ("Language model", "Chosen", "Share", "Alike in both orders", "Alpha with people")
            parts.append(_table("The same pairs, judged by language models", heads, judged))
    if len(parts) == 1:
        parts.append(
            "<p>No ratings and no blind session yet: python -m training evaluate blind holds one.</p>"
        )
    return "".join(parts)


def _transcript(transcript: Mapping[str, Any]) -> str:
    title = f"{SECTION_NAMES.get(transcript['section'], transcript['section'])}: {transcript['lesson']}"
    columns = []
    for name, turns in transcript["said"].items():
        lines = []
        for turn in turns:
            notes = ", ".join(filter(None, (turn["stage"], turn["voiced"])))
            lines.append(
                f'<p class="teacher"><b>Teacher</b> {escape(turn["teacher"])}</p>'
                f'<p class="child"><b>{escape(transcript["child"].title())}</b> {escape(turn["text"])}'
                + (f" <small>{escape(notes)}</small>" if notes else "")
                + "</p>"
            )
        shown = "as authored" if name == "golden" else name
        columns.append(f"<section><h4>{escape(shown)}</h4>{''.join(lines)}</section>")
    return f'<h3>{escape(title)}</h3><div class="talks">{"".join(columns)}</div>'


def _table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    shown = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    body = "".join(
        "<tr>"
        f'<th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(caption)}"><table><caption><span>'
        f"{escape(caption)}</span></caption><thead><tr>{shown}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _seconds(milliseconds: float | None) -> str:
    return "-" if milliseconds is None else f"{milliseconds / 1000:.2f} s"
