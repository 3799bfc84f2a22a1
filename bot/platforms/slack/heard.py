"""What people said in Slack: an event read as a message, the channel's history, and what was taken already.

It knows events and the Web API's pages; not what becomes of a message.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.platforms.slack.connection import asked

FRESH = frozenset({None, "file_share", "thread_broadcast", "me_message"})
"""Subtypes that are something a person says; all others are edits, joins and notes of Slack's own."""
_MENTION = re.compile(r"<@[^<>]*>")
REMEMBERED = 5_000
PAGE = 200
MOST_PAGES = 5


@dataclass(frozen=True, slots=True)
class Heard:
    """A fresh message of a person. `thread` is the time of the thread's first message, None outside."""

    channel: str
    time: str
    thread: str | None
    user: str
    text: str
    direct: bool

    @classmethod
    def of(cls, event: Mapping[str, Any], channel: str) -> Heard | None:
        """None for what bots, Slack itself, and people's edits and joins make."""
        user, when, thread = event.get("user"), event.get("ts"), event.get("thread_ts")
        if not user or not when or user == "USLACKBOT":
            return None
        if event.get("subtype") not in FRESH or event.get("bot_id") or event.get("hidden"):
            return None
        return cls(
            channel=channel,
            time=str(when),
            thread=None if thread in {None, when} else str(thread),
            user=str(user),
            text=str(event.get("text") or "") or _forwarded(event),
            direct=channel.startswith("D"),
        )


def _forwarded(event: Mapping[str, Any]) -> str:
    """The words of a message that is passed on without a word of one's own. Whom it mentions is not called by it."""
    shared = [each for each in event.get("attachments") or () if each.get("is_share")]
    return _MENTION.sub(" ", "\n".join(str(each.get("text") or "") for each in shared))


class Newest(OrderedDict[tuple[str, str], bool]):
    """What is known of the newest messages or threads; the oldest are forgotten."""

    def __setitem__(self, key: tuple[str, str], value: bool) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > REMEMBERED:
            self.popitem(last=False)


async def said_since(
    client: AsyncWebClient, channel: str, oldest: str, threads: Collection[str], *, all_of_it: bool
) -> list[Heard]:
    """What people said since then, in order: in those threads, and with `all_of_it` in the channel and in the threads
    that began there since; raise `PlatformError`."""
    found = await read(client, channel, oldest) if all_of_it else []
    begun = [str(each["ts"]) for each in found if float(each.get("latest_reply") or 0) > float(oldest)]
    for thread in dict.fromkeys([*threads, *begun]):
        found += await read(client, channel, oldest, thread=thread)
    once = {str(each.get("ts")): each for each in found}
    # A thread's first message comes with its replies, however old it is.
    fresh = sorted((each for each in once.values() if _time(each) > float(oldest)), key=_time)
    heard = (Heard.of(event, channel) for event in fresh)
    return [each for each in heard if each]


def _time(event: Mapping[str, Any]) -> float:
    try:
        return float(event.get("ts") or 0)
    except (TypeError, ValueError):  # one message that is none must not hide the others
        return 0.0


async def read(
    client: AsyncWebClient,
    channel: str,
    oldest: str,
    *,
    thread: str | None = None,
    metadata: bool = False,
) -> list[dict[str, Any]]:
    """Messages since `oldest`, of the channel or of one thread, with their `metadata`; a thousand at most."""
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    more: dict[str, Any] = {"include_all_metadata": True} if metadata else {}
    for _ in range(MOST_PAGES):
        page = await asked(
            client.conversations_history(channel=channel, oldest=oldest, limit=PAGE, cursor=cursor, **more)
            if thread is None
            else client.conversations_replies(
                channel=channel, ts=thread, oldest=oldest, limit=PAGE, cursor=cursor, **more
            )
        )
        found += page.get("messages") or []
        cursor = (page.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            break
    return found
