"""One wrong idea in one child: how firmly it sits, and what moves it.

The rules are those of the protocol in docs/child.md: telling does not move it, a bare "wrong" does not,
help that addresses it does, over several turns, through a partly right stage, with relapses.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

from bot.student.records.dialogue import Stage
from bot.student.records.lesson import Rates

NEEDED = ((1, 0.12), (2, 0.34), (3, 0.32), (4, 0.15), (5, 0.07))
"""How many helpful turns a middling child needs, as shares: 12 % at the first, 93 % by the fourth."""

BUG_SHARE = {Stage.HOLDS: 0.96, Stage.WAVERS: 0.82, Stage.REVISES: 0.17, Stage.SECURE: 0.0}
"""Share of new problems that are answered with the wrong idea, by stage. That of `revises` is the relapse."""
BUG_SHARE_NEXT_DAY = 0.3
RIGHTS_TO_SECURE = 3


@dataclass(frozen=True, slots=True)
class Belief:
    """`helped` counts aligned turns heard, `needed` those this child needs, `rights` right answers since
    it revised; `slept` says that a night has passed since. `shown` and `returns` are the idea's own `Rates`."""

    stage: Stage = Stage.HOLDS
    helped: int = 0
    needed: int = 3
    rights: int = 0
    slept: bool = False
    shown: float = BUG_SHARE[Stage.HOLDS]
    returns: float = BUG_SHARE[Stage.REVISES]

    @classmethod
    def new(cls, rng: random.Random, stubbornness: float, rates: Rates) -> Belief:
        """A belief that holds, with a need drawn for this child and this idea."""
        need = rng.choices([turns for turns, _ in NEEDED], [share for _, share in NEEDED])[0]
        shift = stubbornness - 0.5
        if rng.random() < abs(shift):
            need = max(1, need + (1 if shift > 0 else -1))
        return cls(needed=max(1, need + rates.more_helps), shown=rates.shows, returns=rates.returns)

    def hears_help(self) -> Belief:
        """After a turn that addresses it."""
        helped = self.helped + 1
        if self.stage in (Stage.REVISES, Stage.SECURE):
            return replace(self, helped=helped)
        return replace(self, helped=helped, stage=Stage.REVISES if helped >= self.needed else Stage.WAVERS)

    def hears_it_was_right(self) -> Belief:
        """A teacher confirmed the wrong answer: doubt goes, a revision stays."""
        return replace(self, stage=Stage.HOLDS, helped=0) if self.stage is Stage.WAVERS else self

    def shows(self, rng: random.Random) -> bool:
        """Whether the next problem is answered with the wrong idea."""
        share = BUG_SHARE_NEXT_DAY if self.slept and self.stage is Stage.REVISES else BUG_SHARE[self.stage]
        revised = self.stage is Stage.REVISES
        own = self.returns / BUG_SHARE[Stage.REVISES] if revised else self.shown / BUG_SHARE[Stage.HOLDS]
        return rng.random() < share * own

    def answered(self, *, right: bool) -> Belief:
        """After a problem: right ones make a revision secure."""
        if self.stage is not Stage.REVISES:
            return self
        rights = self.rights + 1 if right else 0
        return replace(
            self, rights=rights, stage=Stage.SECURE if rights >= RIGHTS_TO_SECURE else Stage.REVISES
        )

    def sleeps(self) -> Belief:
        """The next day: what was secure is a revision again, doubts are forgotten."""
        stage = {Stage.SECURE: Stage.REVISES, Stage.WAVERS: Stage.HOLDS}.get(self.stage, self.stage)
        helped = 0 if stage is Stage.HOLDS else self.helped
        return replace(self, stage=stage, helped=helped, rights=0, slept=True)

    def to_json(self) -> dict[str, Any]:
        """For the store."""
        return {
            "stage": self.stage.value,
            "helped": self.helped,
            "needed": self.needed,
            "rights": self.rights,
            "slept": self.slept,
            "shown": self.shown,
            "returns": self.returns,
        }

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Belief:
        """From the store."""
        return cls(**{**raw, "stage": Stage(raw["stage"])})
