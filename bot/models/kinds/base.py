"""What a kind of published version is: one frozen value each.

It knows the shape of a kind, and none of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from bot.models.manifest import Manifest

if TYPE_CHECKING:
    from bot.models.opening import Opener


class Opened(Protocol):
    """What a version becomes when it is taken up. `aclose` is called once, when nobody has it in hand any more."""

    async def aclose(self) -> None:
        """Release what it holds."""
        ...


T = TypeVar("T", bound=Opened)


@dataclass(frozen=True, slots=True)
class ArtifactKind(Generic[T]):
    """One kind of version: what it consists of, and how it becomes a `T`."""

    name: str
    """In the manifest, and in the list of models."""
    files: frozenset[str]
    """The files it consists of: these and no others."""
    examine: Callable[[Opener, Manifest, Path], None]
    """Raise `ArtifactError` unless its files in the folder can be served here; loads nothing."""
    open: Callable[[Opener, Manifest, Path], Awaitable[T]]
    """Open it from files that were found good, and see it work once, so that whoever comes next can rely on it.
    Raise `ArtifactError`, `EngineError`, `ModelUnavailable` or `ModelRefused`."""
    speaks: bool = True
    """Whether `T` is a `StudentModel`. Else no conversation can choose it, and who needs it asks for this kind."""
