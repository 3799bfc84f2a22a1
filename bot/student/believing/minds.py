"""The states of mind of all who sit in one conversation, and how long each of them has been silent.

It stores and loads. Of a child that sits alone it is that child's state and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.student.believing.state import MindError, MindState

_CLASS = "class"


@dataclass(frozen=True, slots=True)
class Minds:
    """One state for each child, in the order in which they sit. `silent` counts the answers that others gave since each
    last spoke: 0 for who spoke last, 1 for all at the beginning."""

    states: tuple[MindState, ...]
    silent: tuple[int, ...]

    @classmethod
    def begin(cls, states: Sequence[MindState]) -> Minds:
        """Nobody has spoken yet."""
        return cls(tuple(states), (1,) * len(states))

    def to_json(self, children: Sequence[str]) -> str:
        """For the store; `children` are their ids."""
        if len(self.states) == 1:
            return self.states[0].to_json()
        kept = zip(children, self.states, self.silent, strict=True)
        return json.dumps(
            {
                _CLASS: {
                    child: {"mind": json.loads(state.to_json()), "silent": silent}
                    for child, state, silent in kept
                }
            }
        )

    @classmethod
    def from_json(cls, text: str, children: Sequence[str]) -> Minds:
        """From the store, for the children of these ids; raise `MindError` when it is not theirs."""
        try:
            raw = json.loads(text)
            if _CLASS not in raw:
                (_,) = children
                return cls.begin([MindState.from_json(text)])
            kept = [raw[_CLASS][child] for child in children]
            states = tuple(MindState.from_json(json.dumps(each["mind"])) for each in kept)
            return cls(states, tuple(int(each["silent"]) for each in kept))
        except MindError:
            raise
        except (ValueError, KeyError, TypeError) as error:
            raise MindError(
                f"the stored minds cannot be read ({error}); /student new starts afresh"
            ) from None

    def next_day(self) -> Minds:
        """The same children the next day (see `MindState.next_day`)."""
        return Minds.begin([each.next_day() for each in self.states])

    def with_state(self, place: int, state: MindState) -> Minds:
        """The same with another state of the child that sits there."""
        return replace(self, states=(*self.states[:place], state, *self.states[place + 1 :]))

    def spoken(self, place: int, state: MindState) -> Minds:
        """After the child that sits there has spoken; `state` is its own since."""
        states = self.with_state(place, state).states
        silent = tuple(0 if each == place else since + 1 for each, since in enumerate(self.silent))
        return replace(self, states=states, silent=silent)
