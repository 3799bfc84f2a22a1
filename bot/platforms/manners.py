"""Manners every chat platform shares: how much one may say, who may change what all see, and at what pace.

It knows settings and plain ids; no platform, no classroom and no store.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from bot.sections import Limits, Permissions

MINUTE = 60.0
"""Seconds over which the limits count."""

USER_LIMIT = "One moment, please: that is a lot at once for a second grader. Please go on in {seconds} s."
CHANNEL_LIMIT = "One moment, please: many people are talking here at once. Please go on in {seconds} s."
DENIED = (
    "This changes what everybody here sees, so only the people named by whoever runs this bot may do it. "
    "You may look at it, and in a direct message you may choose for yourself."
)
PAID = (
    "This model costs money, so only the people named by whoever runs this bot may choose it. "
    "/student model shows which others there are."
)
COMMANDS = "One moment, please: that is a lot at once. Please try again in a minute."
LABEL = (
    "A simulated student, not a real child. Practice is logged. May it be used for training? /student privacy. "
    "More: /student about"
)
"""Stands under the first message of every conversation."""

WAIT_SECONDS = 0.8
SECONDS_PER_WORD = 0.35
LONGEST_SECONDS = 6.0


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether a message may be answered; if not, `notice` is what to say, or None to stay silent."""

    admitted: bool
    notice: str | None = None


@dataclass(slots=True)
class _Window:
    """What one person or channel said within the last minute, and whether they were told to wait."""

    said: deque[tuple[float, str]] = field(default_factory=deque)
    told: float = -MINUTE


class RateLimits:
    """Sliding minutes per user and per channel. Whoever is over is told once a minute, not every time."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._users: dict[str, _Window] = {}
        self._channels: dict[str, _Window] = {}
        self._swept = clock()

    def admit(self, user: str, channel: str, key: str) -> Admission:
        """Count the message `key` of `user` in `channel`; platforms deliver twice, so a key counts once."""
        now = self._clock()
        self._sweep(now)
        by_user = self._users.setdefault(user, _Window())
        by_channel = self._channels.setdefault(channel, _Window())
        for window, most, notice in (
            (by_user, self._limits.per_user_minute, USER_LIMIT),
            (by_channel, self._limits.per_channel_minute, CHANNEL_LIMIT),
        ):
            _forget_old(window, now)
            if any(key == each for _, each in window.said):
                return Admission(True)
            if len(window.said) >= most:
                if now - window.told < MINUTE:
                    return Admission(False)
                window.told = now
                seconds = max(1, round(window.said[0][0] + MINUTE - now))
                return Admission(False, notice.format(seconds=seconds))
        by_user.said.append((now, key))
        by_channel.said.append((now, key))
        return Admission(True)

    def admit_command(self, user: str) -> bool:
        """Count a command of `user`; whether it may be done."""
        now = self._clock()
        self._sweep(now)
        window = self._users.setdefault(user, _Window())
        _forget_old(window, now)
        if len(window.said) >= self._limits.commands_minute:
            return False
        window.said.append((now, ""))
        return True

    @property
    def remembered(self) -> int:
        """How many people and channels take memory."""
        return len(self._users) + len(self._channels)

    def _sweep(self, now: float) -> None:
        """Let go of everybody who fell silent, so that memory does not grow with the people ever seen."""
        if now - self._swept < MINUTE:
            return
        self._swept = now
        for windows in (self._users, self._channels):
            for name, window in list(windows.items()):
                _forget_old(window, now)
                if not window.said and now - window.told >= MINUTE:
                    del windows[name]


def _forget_old(window: _Window, now: float) -> None:
    while window.said and now - window.said[0][0] >= MINUTE:
        window.said.popleft()


def may_change(permissions: Permissions, user: str, roles: Collection[str]) -> bool:
    """Whether this person may change what a whole channel sees. With nobody named, everybody may."""
    if not permissions.users and not permissions.roles:
        return True
    return user in permissions.users or not set(permissions.roles).isdisjoint(roles)


def may_see_stage(permissions: Permissions, user: str, roles: Collection[str]) -> bool:
    """Whether this person is shown what the child believes. With no `stage_roles`, everybody is."""
    if not permissions.stage_roles:
        return True
    return user in permissions.users or not set(permissions.stage_roles).isdisjoint(roles)


def speaking_seconds(text: str) -> float:
    """Seconds a child takes to say `text`, with a moment to think; chosen by feel, never above 6."""
    return min(WAIT_SECONDS + SECONDS_PER_WORD * len(text.split()), LONGEST_SECONDS)


def cut(text: str, limit: int) -> str:
    """`text` in at most `limit` characters, cut between two words and marked with an ellipsis."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    inside_a_word = not head[-1:].isspace() and not text[limit - 1].isspace()
    # A single endless word has no place to cut but its middle.
    if inside_a_word and len(head.split()) > 1:
        head = head.rsplit(None, 1)[0]
    return head.rstrip() + "…"
