"""Writes that are finished whatever happens to their caller: a cancelled one goes on behind its back.

It knows nothing of what is written.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from bot.store.database import Work


class Working(Protocol):
    """Whatever has its writes finished by a `Work`."""

    _work: Work


P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S", bound=Working)


def whole(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """Let a method finish what it began, as a whole."""

    @functools.wraps(method)
    async def finish(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._work.finish(method(self, *args, **kwargs))

    return finish
