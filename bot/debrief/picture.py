"""The picture of a practice: words turn by turn, and how firmly each wrong idea sat. Laid out once as boxes and labels.

What draws them is `bot.pictures`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.debrief.record import Debrief, Spoken, Who
from bot.debrief.telling import SITS
from bot.pictures.marks import FAINT, Box, Label, Picture
from bot.student.records.dialogue import Stage

WIDTH = 720
LEFT, RIGHT = 118, 16
TOP, BARS = 64, 150
LANES, LANE = 66, 26
"""From the bars to the lanes of the ideas, and how high a step of one is."""
FOOT = 44
MOST_IDEAS = 3
"""Ideas that are drawn, those that showed last."""
MOST_TICKS = 12
LINE = 4.0
"""How thick the line of an idea is."""
COLOURS = {Who.YOU: "#1f5fa8", Who.CHILD: "#d9730d", Who.OTHER: "#8a94a0"}
IDEAS = ("#8b2a86", "#2f7d3b", "#6b5b00")
STAGES = {Stage.HOLDS: "holds", Stage.WAVERS: "doubts", Stage.REVISES: "revised", Stage.SECURE: "sure"}


@dataclass(frozen=True, slots=True)
class _Axis:
    """Where each turn stands."""

    places: dict[int, int]

    @property
    def step(self) -> float:
        return (WIDTH - LEFT - RIGHT) / max(1, len(self.places))

    def left(self, number: int) -> float:
        return LEFT + self.places[number] * self.step


def picture(debrief: Debrief) -> Picture:
    """The picture of a debrief; without ideas where none showed or may be seen."""
    turns = debrief.turns
    axis = _Axis({turn.number: place for place, turn in enumerate(turns)})
    shown = _ideas(debrief)[-MOST_IDEAS:]
    lanes = [TOP + BARS + LANES + each * (len(STAGES) * LANE + 34) for each in range(len(shown))]
    bottom = (lanes[-1] + len(STAGES) * LANE) if lanes else TOP + BARS
    boxes, labels = (
        [*_bars(turns, axis)],
        [*_legend(debrief), *_bar_labels(turns), *_ticks(turns, axis, bottom)],
    )
    for (child, idea), top, colour in zip(shown, lanes, IDEAS, strict=False):
        boxes += _grid(top)
        boxes += _line(debrief, (child, idea), axis, top, colour)
        whose = f"{child}: " if len(debrief.names) > 1 else ""
        labels.append(Label(LEFT, top - 10, whose + idea.replace("-", " "), colour))
        labels += [
            Label(LEFT - 10, _level(stage, top) + 5, name, anchor="end") for stage, name in STAGES.items()
        ]
    return Picture(WIDTH, round(bottom + FOOT), (*_key(debrief), *boxes, *labels), _alt(debrief))


def _ideas(debrief: Debrief) -> list[tuple[str, str]]:
    """Each child with each of its ideas, what showed last at the end; nothing where minds are not shown."""
    if len(debrief.names) == 1:
        return [(debrief.child, idea) for idea in debrief.ideas]
    found: dict[tuple[str, str], None] = {}
    for turn in debrief.turns:
        idea = turn.thought.misconception if turn.thought else None
        if idea is not None and idea in debrief.ideas:
            found.pop((turn.child, idea), None)
            found[turn.child, idea] = None
    moved = {(each.child, each.idea) for each in debrief.shifts}
    never = {key for key, stage in debrief.began_with.items() if stage is Stage.SECURE} - moved
    return [each for each in found if each not in never]


def _sides(debrief: Debrief) -> Iterator[tuple[str, Sequence[Spoken]]]:
    """Everybody who spoke with their turns, each child by itself."""
    for who, name in _names(debrief):
        if who is Who.CHILD:
            yield from ((each, debrief.by_child(each)) for each in debrief.names)
        else:
            yield name, debrief.by(who)


def _bars(turns: Sequence[Spoken], axis: _Axis) -> Iterator[Box]:
    most = max((turn.words for turn in turns), default=1) or 1
    wide = max(0.6, axis.step * 0.8)
    yield Box(LEFT, TOP + BARS, WIDTH - LEFT - RIGHT, 1, FAINT)
    for turn in turns:
        high = BARS * turn.words / most
        left = axis.left(turn.number) + (axis.step - wide) / 2
        title = f"turn {turn.number}: {turn.words} words"
        yield Box(left, TOP + BARS - high, wide, high, COLOURS[turn.who], title)


def _bar_labels(turns: Sequence[Spoken]) -> Iterator[Label]:
    most = max((turn.words for turn in turns), default=0)
    yield Label(LEFT - 10, TOP + 12, str(most), anchor="end")
    yield Label(LEFT - 10, TOP + BARS, "0", anchor="end")
    yield Label(LEFT - 10, TOP + BARS / 2 + 5, "words", anchor="end")


def _names(debrief: Debrief) -> list[tuple[Who, str]]:
    children = debrief.child if len(debrief.names) == 1 else "children"
    there = [(Who.YOU, "you"), (Who.CHILD, children), (Who.OTHER, "others")]
    return [(who, name) for who, name in there if debrief.by(who) or who is not Who.OTHER]


def _key(debrief: Debrief) -> list[Box]:
    return [
        Box(LEFT + place * 120, 20, 16, 16, COLOURS[who]) for place, (who, _) in enumerate(_names(debrief))
    ]


def _legend(debrief: Debrief) -> list[Label]:
    return [Label(LEFT + place * 120 + 24, 34, name) for place, (_, name) in enumerate(_names(debrief))]


def _ticks(turns: Sequence[Spoken], axis: _Axis, bottom: float) -> Iterator[Label]:
    every = max(1, -(-len(turns) // MOST_TICKS))
    for turn in turns[::every]:
        yield Label(axis.left(turn.number) + axis.step / 2, bottom + 20, str(turn.number), anchor="middle")
    yield Label(LEFT - 10, bottom + 20, "turn", anchor="end")


def _level(stage: Stage, top: float) -> float:
    return top + (list(Stage).index(stage) + 0.5) * LANE


def _grid(top: float) -> list[Box]:
    return [Box(LEFT, _level(stage, top), WIDTH - LEFT - RIGHT, 1, FAINT) for stage in Stage]


def _line(debrief: Debrief, lane: tuple[str, str], axis: _Axis, top: float, colour: str) -> Iterator[Box]:
    """An idea of a child as steps: level until the turn that shows it elsewhere."""
    child, idea = lane
    end = float(WIDTH - RIGHT)
    seen = [
        (end if each.seen is None else axis.left(each.seen) + axis.step / 2, each.after)
        for each in debrief.shifts
        if each.idea == idea and each.child in ("", child)
    ]
    x, before = float(LEFT), debrief.began_with.get((child, idea), Stage.HOLDS)
    for at, stage in [*seen, (end, seen[-1][1] if seen else before)]:
        y = _level(before, top)
        yield Box(x, y - LINE / 2, at - x, LINE, colour)
        low, high = sorted((y, _level(stage, top)))
        yield Box(at - LINE / 2, low - LINE / 2, LINE, high - low + LINE, colour)
        x, before = at, stage


def _alt(debrief: Debrief) -> str:
    """The picture in words."""
    words = ", ".join(f"{name} {sum(turn.words for turn in said)}" for name, said in _sides(debrief))
    moves = [
        f"{each.idea.replace('-', ' ')}: {each.child or debrief.child} {SITS[each.after]}"
        + (f" from turn {each.seen}" if each.seen else " at the end")
        for each in debrief.shifts
        if each.before is not each.after
    ]
    told = f"Words in each of {len(debrief.turns)} turns; together {words}."
    if not debrief.ideas:
        return told
    return f"{told} How firmly each wrong idea sat: {'; '.join(moves) or 'no idea moved'}."
