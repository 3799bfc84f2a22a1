"""Authored lines for what the child means: one that fits the length, more where the turn is long, and reasons.

Lines come from the lesson and the child; none is said twice in a conversation while others are left. What the child
means is `mind`.
"""

from __future__ import annotations

import random

from bot.student.believing.answers import lines_of
from bot.student.records.curriculum import Scene
from bot.student.records.dialogue import Stage

LONG = 14
"""Words from which one line of authored text is not enough."""


class Wording:
    """The lines of one turn of about `words` words. `used` were said before, `lines` are taken in this turn."""

    def __init__(self, scene: Scene, used: tuple[str, ...], words: int, rng: random.Random) -> None:
        self.scene, self.used, self.words, self.rng = scene, used, words, rng
        self.lines: list[str] = []

    def stage_line(self, misconception: str | None, stage: Stage) -> str:
        """What a child says about that idea at that stage."""
        lesson = self.scene.curriculum.lesson_of(misconception) if misconception else None
        return self.line(lines_of(lesson, misconception, stage) or self.scene.child.says["unsure"])

    def at_length(self, text: str, misconception: str | None, stage: Stage | None) -> str:
        """`text`, with more of the same idea, then a bit of life, where the turn is meant to be long."""
        for more in range(3):
            if self.words < LONG or len(text.split()) >= 0.7 * self.words:
                break
            if more > 1 or misconception is None or stage is None:
                line = self.line(self.scene.child.says["chats"])
            else:
                line = self.stage_line(misconception, stage)
            # A question mark needs no other mark after it.
            joint = " " if text[-1] in "?!." else self.rng.choice((". ", ", and ", ". And "))
            text = f"{text}{joint}{line}"
        return text

    def reasons(self, steps: tuple[str, ...], room: int, wrong: bool, *, always: bool = False) -> str | None:
        """As many reasoning steps as fit into `room` words; None when there is no room for one."""
        if not steps or (room < 4 and not always):  # noqa: PLR2004 - no reason has fewer words
            return None
        if always and room < len(steps[0].split()):
            return "because " + steps[0] if self.rng.random() < 0.3 else steps[0]  # noqa: PLR2004
        taken = [steps[0]]
        for step in steps[1:]:
            if sum(len(each.split()) + 2 for each in (*taken, step)) > room + 2:
                break
            taken.append(step)
        text = " and then ".join(taken) if wrong else ". ".join(taken)
        return "because " + text if self.rng.random() < 0.35 else text  # noqa: PLR2004

    def line(self, lines: tuple[str, ...], *, repeat: bool = False) -> str:
        """An authored line near the target length that was not said before in this conversation."""
        fresh = [each for each in lines if repeat or (each not in self.used and each not in self.lines)]
        if not fresh:
            says = self.scene.child.says
            rest = [each for name in ("unsure", "asks", "agrees", "chats", "wanders") for each in says[name]]
            fresh = [each for each in rest if each not in self.used and each not in self.lines] or rest
        fresh.sort(key=lambda each: (abs(len(each.split()) - self.words), each))
        chosen = self.rng.choice(fresh[:3])
        self.lines.append(chosen)
        return chosen
