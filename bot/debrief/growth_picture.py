"""The picture of weeks of practice: for each talk move a row of bars, one a week, as high as its share of the turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from bot.debrief.growth import MOST_WEEKS, Practised, Week, percent, weeks
from bot.debrief.talkmoves import TalkMove
from bot.pictures.marks import FAINT, Box, Label, Picture

WIDTH = 720
LEFT, RIGHT, TOP = 196, 16, 52
ROW, BAR = 52, 34
"""How high a row is, and a bar that stands for all turns."""
FOOT = 30
TALK, ASKED, TOLD = "#1f5fa8", "#2f7d3b", "#d9730d"
_SHORT = {
    TalkMove.RELATE: "relating to others' ideas",
    TalkMove.TOGETHER: "keeping all together",
}
"""Names that are too long for the margin."""


def picture(practices: Sequence[Practised]) -> Picture:
    """The newest weeks side by side."""
    shown = weeks(practices)[-MOST_WEEKS:]
    rows: list[tuple[str, str, Callable[[Week], float]]] = [
        (_SHORT.get(move, move.value), TALK, lambda week, move=move: week.share(move))  # type: ignore[misc]
        for move in TalkMove
    ]
    rows.append(("asked", ASKED, lambda week: week.asked / week.turns if week.turns else 0.0))
    rows.append(("told", TOLD, lambda week: week.told / week.turns if week.turns else 0.0))
    marks: list[Box | Label] = [
        Label(LEFT, 24, "share of your turns, week by week"),
    ]
    for place, (name, colour, share) in enumerate(rows):
        marks += _row(shown, TOP + place * ROW, name, colour, share)
    bottom = TOP + len(rows) * ROW
    step = _step(shown)
    marks += [
        Label(LEFT + (place + 0.5) * step, bottom + 12, f"{each.monday:%m-%d}", anchor="middle")
        for place, each in enumerate(shown)
    ]
    marks.append(Label(LEFT - 12, bottom + 12, "week of", anchor="end"))
    return Picture(WIDTH, bottom + FOOT, tuple(marks), _alt(shown, rows))


def _step(shown: Sequence[Week]) -> float:
    return (WIDTH - LEFT - RIGHT) / max(1, len(shown))


def _row(
    shown: Sequence[Week], top: float, name: str, colour: str, share: Callable[[Week], float]
) -> Iterator[Box | Label]:
    base, step = top + BAR, _step(shown)
    wide = min(44.0, step * 0.7)
    yield Label(LEFT - 12, base - 6, name, anchor="end")
    yield Box(LEFT, base, WIDTH - LEFT - RIGHT, 1, FAINT)
    for place, week in enumerate(shown):
        part = share(week)
        left = LEFT + (place + 0.5) * step - wide / 2
        title = f"{name}, week of {week.monday}: {percent(part)} of {week.turns} turns"
        yield Box(left, base - BAR, wide, BAR, "#eef1f4")
        yield Box(left, base - BAR * part, wide, BAR * part, colour, title)


def _alt(shown: Sequence[Week], rows: Sequence[tuple[str, str, Callable[[Week], float]]]) -> str:
    """The picture in words."""
    if not shown:
        return "No week of practice yet."
    told = "; ".join(f"{name} {', '.join(percent(share(week)) for week in shown)}" for name, _, share in rows)
    mondays = ", ".join(str(week.monday) for week in shown)
    return f"Shares of your turns in the weeks of {mondays}: {told}."
