"""What may be spent on paid models in a day, by all and by one person; who is over it is told so kindly.

It knows limits and what the store says was spent. What a model costs, and which one is paid, others know.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.sections import Budget as Limits
    from bot.store import Store

ALL_SPENT = (
    "{name} has talked as much today as the budget for this model allows. It goes on at midnight UTC; until then "
    "/student model {free} costs nothing."
)
ONE_SPENT = (
    "You have talked as much with this model today as one person's share of the budget allows. It goes on at midnight "
    "UTC; until then {name} can answer with /student model {free}, which costs nothing."
)
NO_PRICE = (
    "Nobody knows what this model costs, so the budget does not allow it. Please tell whoever runs this bot; until "
    "then {name} can answer with /student model {free}, which costs nothing."
)


class Budget:
    """A day's budget; `free` is the model that is offered instead."""

    def __init__(self, limits: Limits, store: Store, free: str) -> None:
        self._limits = limits
        self._store = store
        self._free = free

    @property
    def limited(self) -> bool:
        """Whether there is a limit at all."""
        return bool(self._limits.per_day or self._limits.per_person)

    @property
    def no_price(self) -> str:
        """What to tell who talks with a model that the budget cannot count."""
        return NO_PRICE.replace("{free}", self._free)

    async def spent(self, author_hash: str) -> str | None:
        """What to tell this person where the day's budget or their share of it is spent, with the child's `{name}`
        still to be put in; None where there is something left. Raises `StoreError`."""
        if not self.limited:
            return None
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        by_all, by_one = await self._store.spent(today, author_hash)
        if self._limits.per_day and by_all >= self._limits.per_day:
            return ALL_SPENT.replace("{free}", self._free)
        if self._limits.per_person and by_one >= self._limits.per_person:
            return ONE_SPENT.replace("{free}", self._free)
        return None
