"""How the check's report and the counts look on a terminal. It decides nothing."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from training.corpus.bands import ENOUGH_DIALOGUES, ENOUGH_TURNS, SAMPLE
from training.corpus.check import Report
from training.corpus.coverage import A_MISCONCEPTION, Coverage
from training.corpus.duplicates import ALIKE
from training.corpus.evenness import CHANCE, Evenness

FAULTS_SHOWN = 50


def show(report: Report, console: Console) -> None:
    """The whole report: counts, bands, duplicates, tokens, and what is wrong last, where it is seen."""
    coverage = report.coverage
    sources = ", ".join(f"{count:,} {source}" for source, count in coverage.by_source.most_common())
    console.print(
        f"{coverage.dialogues:,} dialogues ({sources or 'none'}), {coverage.teacher_turns:,} teacher turns, "
        f"{coverage.student_turns:,} student turns"
    )
    if coverage.without_thought:
        console.print(f"{coverage.without_thought:,} student turns have no thought and cannot be trained")
    _bands(report, console)
    _evenness(report.evenness, console)
    if coverage.dialogues:
        console.print(_range("dialogues a child", (coverage.by_child[each] for each in coverage.children)))
        console.print(_range("dialogues a lesson", (coverage.by_lesson[each] for each in coverage.lessons)))
        names = (coverage.by_misconception[name] for _, name in coverage.misconceptions())
        console.print(_range("dialogues a misconception", names))
        if report.whole and (thin := coverage.thin()):
            none = sum(not coverage.by_misconception[each] for each in thin)
            console.print(
                f"[yellow]{len(thin)} misconceptions have fewer than {A_MISCONCEPTION} dialogues, {none} of them none: "
                "no model has learned how a child says them[/]"
            )
        if not report.whole:
            console.print("[dim]coverage is judged for a whole folder of authored dialogues only[/]")
        share = 100 * report.near / coverage.dialogues
        console.print(
            f"duplicates: {report.same_talk} word for word, {report.near} nearly the same "
            f"({share:.2f} % at {ALIKE:g} alike; below 1 % allowed), {report.leaks} across a split"
        )
    _tokens(report, console)
    for fault in report.faults[:FAULTS_SHOWN]:
        console.print(f"[red]{escape(str(fault))}[/]", soft_wrap=True)
    if report.wrong > FAULTS_SHOWN:
        console.print(f"… and {report.wrong - FAULTS_SHOWN:,} more")
    verdict = "[green]nothing is wrong[/]" if not report.wrong else f"[red]{report.wrong:,} wrong[/]"
    console.print(verdict)


def _bands(report: Report, console: Console) -> None:
    if not report.bands or not report.bands[0].results:
        return
    table = Table("measure", "band", box=None, header_style="bold", padding=(0, 1))
    for band in report.bands:
        table.add_column(band.who or "all", justify="right")
    for number, result in enumerate(report.bands[0].results):
        cells = []
        for band in report.bands:
            each = band.results[number]
            digits = 3 if each.high < 2 else 1  # noqa: PLR2004 - a ratio needs more of them
            shown = f"{each.value:.{digits}f}"
            colour = "" if each.inside else "red" if band.judged else "yellow"
            cells.append(f"[{colour}]{shown}[/]" if colour else shown)
        table.add_row(result.name, f"{result.low:g} to {result.high:g}", *cells)
    table.add_row("[dim]turns[/]", "", *(f"[dim]{band.turns}[/]" for band in report.bands))
    console.print(table)
    if report.sampled:
        console.print(f"[dim]bands measured on an even sample of {SAMPLE:,} dialogues[/]")
    if any(not band.judged for band in report.bands):
        console.print(
            f"[dim]yellow: not judged, below {ENOUGH_TURNS} turns or {ENOUGH_DIALOGUES} dialogues[/]"
        )


def _evenness(evenness: Evenness, console: Console) -> None:
    """What is done to each child; a warning, not a fault, where one is treated otherwise than the rest."""
    figures = list(evenness.figures())
    children = sorted({each.child for each in figures})
    if len(children) < 2:  # noqa: PLR2004 - nobody to compare with
        return
    table = Table("a dialogue with", *children, box=None, header_style="bold", padding=(0, 1))
    rows: dict[str, list[str]] = {}
    for each in figures:
        shown = f"{each.mean:.2f}"
        rows.setdefault(each.measure, []).append(f"[yellow]{shown}[/]" if each.beyond else shown)
    for measure, cells in rows.items():
        table.add_row(measure, *cells)
    console.print(table)
    for each in figures:
        if each.beyond:
            console.print(
                f"[yellow]warning: {each.child}: {each.measure} {each.mean:.2f}, {abs(each.deviation):.1f} "
                f"deviations {'above' if each.deviation > 0 else 'below'} the other children of the same lessons "
                f"(beyond chance at {100 * CHANCE:g} % for the whole table)[/]",
                soft_wrap=True,
            )


def _tokens(report: Report, console: Console) -> None:
    if report.estimates is None:
        console.print("tokens: unknown, litellm's copy of the token table is not installed")
        return
    if not any(each.tokens for each in report.estimates):
        return
    table = Table("method", "tokens", "US dollars", "for", box=None, header_style="bold", padding=(0, 1))
    for each in report.estimates:
        cost = f"unknown: {each.why_unknown}" if each.cost_usd is None else f"{each.cost_usd:.2f}"
        table.add_row(each.method, f"{each.tokens:,}", cost, each.what)
    console.print(
        f"{report.examples:,} student turns as a model is shown them (tokens without the test part):"
    )
    console.print(table)


def counts(coverage: Coverage, console: Console) -> None:
    """The tables of `stats`."""
    quantiles = ", ".join(
        f"{name} {coverage.quantile(share)}"
        for name, share in (
            ("quartiles", 0.25),
            ("", 0.5),
            ("", 0.75),
            ("90 %", 0.9),
            ("95 %", 0.95),
            ("longest", 1),
        )
    ).replace(",  ", ", ")
    console.print(
        f"{coverage.dialogues:,} dialogues, {coverage.teacher_turns:,} teacher turns, "
        f"{coverage.student_turns:,} student turns"
    )
    console.print(
        f"words a student turn: {quantiles}; real children: quartiles 2, 5, 10, 90 % 20, 95 % 30, longest 61"
    )
    for title, found in (
        ("stage", coverage.stages),
        ("move", coverage.moves),
        ("kind of thought", coverage.kinds),
        ("child", coverage.by_child),
    ):
        table = Table(title, "count", box=None, header_style="bold", padding=(0, 1))
        for name, count in found.most_common():
            table.add_row(name, f"{count:,}")
        console.print(table)
    table = Table(
        "subject", "lesson", "dialogues", "misconceptions", box=None, header_style="bold", padding=(0, 1)
    )
    for lesson in sorted(coverage.lessons.values(), key=lambda each: (each.subject, each.id)):
        ideas = ", ".join(f"{each.id} {coverage.by_misconception[each.id]}" for each in lesson.misconceptions)
        table.add_row(lesson.subject, lesson.id, str(coverage.by_lesson[lesson.id]), ideas)
    console.print(table)


def _range(what: str, counts: Iterable[int]) -> str:
    ordered = sorted(counts)
    if not ordered:
        return f"{what}: none"
    return f"{what}: {ordered[0]} to {ordered[-1]}, median {ordered[len(ordered) // 2]}"
