"""Discord as a platform: which messages are for the child, in which conversation, and what was missed.

It hands messages to the classroom; how answers look is in `answer`, /student in `commands`, the wire in `connection`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import discord
import structlog
from discord import app_commands

from bot.health import start
from bot.messages import Message, Outgoing, Place, clean_text
from bot.platforms.base import PlatformError
from bot.platforms.discord import DiscordSettings, welcome
from bot.platforms.discord.answer import (
    FAILURES,
    DiscordResponder,
    Webhooks,
    attempt,
    message_id,
    one_try,
    place_of,
    why,
)
from bot.platforms.discord.commands import Desk, register
from bot.platforms.discord.connection import connected
from bot.platforms.discord.forms import submitted
from bot.platforms.discord.heard import is_bare, is_said, plain, thumb
from bot.platforms.discord.missed import direct_channels, said_since
from bot.platforms.discord.shards import Shard, shards
from bot.platforms.manners import RateLimits
from bot.proxies import proxy_for

if TYPE_CHECKING:
    from bot.classroom import Classroom
    from bot.commands import Commands
    from bot.config import Settings

log = structlog.get_logger(__name__)

INTENTS = discord.Intents(
    guilds=True,
    guild_messages=True,
    dm_messages=True,
    message_content=True,
    guild_reactions=True,
    dm_reactions=True,
)
IDENTIFY_SECONDS = 5.0
PRESENCE = "Second grade, simulated. /student help"
"""What stands under the bot's name."""
GUILDS_WITHIN_SECONDS = 1.0
"""A server that says nothing for so long while the bot connects has told all of its channels."""

_Readable = discord.TextChannel | discord.VoiceChannel | discord.Thread

SAY_SOMETHING = "Please write what you would say to a second grader, after the mention."
ONLY_TEXT = "I can only read text, no pictures, voices, polls or stickers: please write what you want to say."

DIRECT_WITHIN = timedelta(days=1)
"""Direct messages are looked through after a start where the child spoke within this time."""


class DiscordPlatform:
    """The connection to Discord."""

    name = "discord"

    def __init__(self, settings: Settings, classroom: Classroom, commands: Commands) -> None:
        self._token = settings.key("DISCORD_TOKEN")
        self._discord = settings.section(DiscordSettings)
        mine: tuple[Shard | None, ...] = shards(self._discord.shards) or (None,)
        self._clients = [_Client(settings, classroom, commands, each, self._responder_for) for each in mine]

    async def serve(self) -> None:
        """Hand messages to the classroom until cancelled; raise `PlatformError` when it cannot connect."""
        serving = [asyncio.create_task(self._serve(each)) for each in self._clients]
        try:
            await asyncio.wait(serving, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in serving:
                task.cancel()
            ended = await asyncio.gather(*serving, return_exceptions=True)
        for each in ended:
            if isinstance(each, Exception):
                raise each

    async def _serve(self, client: _Client) -> None:
        token, base = (
            self._token.get_secret_value() if self._token else "",
            self._discord.api_base.rstrip("/"),
        )
        async with client:
            try:
                await connected(client, token, base, client.begin_at_once)
            finally:
                await client.desk.finish()

    def _responder_for(self, key: str) -> DiscordResponder | None:
        """Of the connection that knows the channel. Where none does, as of another process's, the bot speaks under its
        own name."""
        channel = int(key.split(":")[1])
        knows = next((each for each in self._clients if each.get_channel(channel)), self._clients[0])
        return knows.responder_for(key)

    async def announce(self, channel: str, text: str) -> None:
        """Say `text` in the channel of that id; raise `PlatformError`."""
        try:
            found = await self._clients[0].fetch_channel(int(channel))
            if not isinstance(found, discord.abc.Messageable):
                raise PlatformError(f"Discord's channel {channel} takes no messages")
            await found.send(text)
        except (*FAILURES, ValueError) as error:
            raise PlatformError(f"Discord's channel {channel}: {why(error)}") from None


class _Client(discord.Client):
    """discord.py's events, translated."""

    def __init__(
        self,
        settings: Settings,
        classroom: Classroom,
        commands: Commands,
        shard: Shard | None,
        responder_for: Callable[[str], DiscordResponder | None],
    ) -> None:
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
        super().__init__(
            intents=INTENTS,
            allowed_mentions=discord.AllowedMentions.none(),
            activity=discord.CustomActivity(PRESENCE),
            max_messages=None,  # nothing here looks at old messages: the store does
            member_cache_flags=discord.MemberCacheFlags.none(),
            guild_ready_timeout=GUILDS_WITHIN_SECONDS,
            proxy=proxy_for(settings.section(DiscordSettings).api_base),
            http_trace=one_try(),
            shard_id=shard.id if shard else None,
            shard_count=shard.count if shard else None,
        )
        self._shard = shard
        self._at_once = 1
        self._responder_for = responder_for
        self._settings = settings.section(DiscordSettings)
        self._classroom = classroom
        self._commands = commands
        self._practice = frozenset(self._settings.practice_channels)
        self._limits = RateLimits(settings.limits)
        self._webhooks = Webhooks()
        self._session = 0
        self._recovered = asyncio.Event()
        self._in_order = asyncio.Lock()
        self._joined: set[int] = set()
        self._begun: set[Place] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.desk = Desk(settings, classroom, commands)
        self._tree = app_commands.CommandTree(self)
        register(self._tree, self, self.desk)

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        """Tell of nothing any more once closed: discord.py itself would stumble over it."""
        if not self.is_closed():
            super().dispatch(event, *args, **kwargs)

    def begin_at_once(self, count: int) -> None:
        """So many shards may begin a session at once."""
        self._at_once = count

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Discord takes one new session in five seconds from shards with the same remainder, in whatever process."""
        if shard_id is None:
            await super().before_identify_hook(shard_id, initial=initial)
        else:
            await self._classroom.spaced(f"discord session {shard_id % self._at_once}", IDENTIFY_SECONDS)

    async def setup_hook(self) -> None:
        """Logged in, not yet connected: say how to invite the bot, and declare the commands."""
        if self._shard is not None and self._shard.id:
            return  # said and declared by shard 0
        welcome.invite(self)
        try:
            await self._tree.sync()
        except (discord.HTTPException, app_commands.AppCommandError) as error:
            log.warning("/student not declared", reason=why(error))

    async def on_connect(self) -> None:
        """A new session, not a resumed one: what was said meanwhile comes before what is said now."""
        self._session += 1
        self._recovered.clear()

    async def on_ready(self) -> None:
        """Connected anew: first what a crash left behind, then what was said meanwhile."""
        session = self._session
        log.info("connected", name=str(self.user), servers=len(self.guilds))
        try:
            spoken_in = await self._classroom.places("discord")
            self._joined |= {int(each.thread) for each in spoken_in if each.thread is not None}
            await self._classroom.take_up("discord", lambda left: self._responder_for(left.key))
            await self._catch_up()
            welcome.warn(self, self._practice, self._is_practice, whole=self._shard is None)
        except Exception:
            log.exception("not all that was missed could be answered")
        finally:
            # Another session may have begun meanwhile: then it is for that one to say so.
            if session == self._session:
                self._recovered.set()

    # What people say.

    async def on_message(self, message: discord.Message) -> None:
        """A new message: answer it if it is for the child."""
        # What was left behind or missed comes first; those who wait here go on in the order they came.
        await self._recovered.wait()
        if self._is_for_us(message):
            await self._hear(message)

    def _is_for_us(self, message: discord.Message) -> bool:
        if not is_said(message):
            return False
        channel = message.channel
        if message.guild is None or self._is_practice(channel) or self._is_joined(channel):
            return True
        return self._is_addressed(message)

    def _is_practice(self, channel: object) -> bool:
        home = channel.parent if isinstance(channel, discord.Thread) else channel
        ids = (getattr(channel, "id", None), getattr(home, "id", None), getattr(home, "category_id", None))
        return not self._practice.isdisjoint(map(str, ids))

    def _is_joined(self, channel: object) -> bool:
        """A thread the child was spoken to in: the store knows over restarts, also where Discord does not say so."""
        return isinstance(channel, discord.Thread) and (channel.me is not None or channel.id in self._joined)

    def _is_addressed(self, message: discord.Message) -> bool:
        """Mentioned (by name or by its role), or answered with Discord's reply."""
        own_role = message.guild.self_role if message.guild else None
        if self.user in message.mentions or (own_role is not None and own_role in message.role_mentions):
            return True
        answered = message.reference.resolved if message.reference else None
        return isinstance(answered, discord.Message) and self.is_own(answered)

    def is_own(self, message: discord.Message) -> bool:
        """Whether we sent it: as the bot, or as the child through our webhook."""
        return message.author == self.user or (
            message.webhook_id is not None and message.application_id == self.application_id
        )

    async def _hear(self, message: discord.Message, *, missed: bool = False) -> None:
        place = place_of(message.channel, message.channel.id)
        responder = self._responder(message.channel, message.channel.id, message.id, message.author)
        key = message_id(message.channel.id, message.id)
        text = clean_text(plain(message, self.user))
        if not missed:
            # People who could not know that nobody listened are not told to slow down.
            admission = self._limits.admit(str(message.author.id), f"{place.channel}/{place.thread}", key)
            notice = admission.notice
            if admission.admitted and not text:
                notice = SAY_SOMETHING if is_bare(message) else ONLY_TEXT
            if notice:
                await attempt(responder.send(Outgoing(notice, None)))
            if not admission.admitted:
                return
        if not text:
            return
        async with self._in_order:
            await self._begin(place)
        self._join(message.channel)
        # Nothing is awaited up to the classroom's queue: the order stays.
        await self._classroom.take(
            Message(
                key=key,
                platform=place.platform,
                channel=place.channel,
                thread=place.thread,
                author=str(message.author.id),
                text=text,
                sent_at=message.created_at,
            ),
            responder,
            missed=missed,
        )

    def _join(self, channel: object) -> None:
        """Stay in a thread the child was spoken to in."""
        listens = self._is_practice(channel) or self._is_joined(channel)
        if isinstance(channel, discord.Thread) and not listens:
            self._joined.add(channel.id)
            self._spawn(attempt(channel.join()))

    async def _begin(self, place: Place) -> None:
        if place.thread is None or place in self._begun:
            return
        try:
            await self._commands.follow_channel(place)
        except Exception as error:  # noqa: BLE001 - the store is down: the classroom will say so
            log.warning("thread does not follow its channel", reason=str(error))
        self._begun.add(place)

    def _responder(
        self,
        channel: discord.abc.Messageable,
        channel_id: int,
        asked: int,
        asker: discord.User | discord.Member | None = None,
    ) -> DiscordResponder:
        pace = self._settings.pace
        return DiscordResponder(
            channel, channel_id, asked, self._webhooks, self.is_own, asker=asker, pace=pace
        )

    # What was missed.

    def responder_for(self, key: str) -> DiscordResponder | None:
        """Answers the message of that key."""
        _, channel_id, asked = key.split(":")
        channel = self.get_channel(int(channel_id)) or self.get_partial_messageable(int(channel_id))
        if not isinstance(channel, discord.abc.Messageable):
            return None
        if isinstance(channel, discord.Thread):
            self._joined.add(channel.id)
        return self._responder(channel, int(channel_id), int(asked))

    async def _catch_up(self) -> None:
        """Hear what was said while nobody listened; claims keep it from being answered twice."""
        minutes = self._settings.catch_up_minutes
        oldest = discord.utils.time_snowflake(datetime.now(UTC) - timedelta(minutes=minutes))
        channels = [each for each in self._listened_to() if (each.last_message_id or 0) >= oldest]
        for channel in (*channels, *await self._direct()) if minutes else ():
            try:
                said = await said_since(self, channel, oldest)
            except FAILURES as error:
                log.warning("history not read", channel=channel.id, reason=why(error))
                continue
            missed = {message_id(channel.id, each.id): each for each in said if self._is_for_us(each)}
            unknown = await self._classroom.unknown(list(missed))
            for key, message in missed.items():
                if key in unknown:
                    await self._hear(message, missed=True)

    async def _direct(self) -> list[discord.PartialMessageable]:
        """Where people lately wrote to the child alone. No event tells of these channels, but the store knows them."""
        if self._shard is not None and self._shard.id:
            return []
        lately = await self._classroom.places("discord", within=DIRECT_WITHIN)
        direct = [int(each.channel) for each in lately if each.thread is None]
        return await direct_channels(self, direct, alone=self._shard is None)

    def _listened_to(self) -> Iterator[_Readable]:
        for guild in self.guilds:
            channels: list[_Readable] = [*guild.text_channels, *guild.voice_channels, *guild.threads]
            for channel in channels:
                if self._is_practice(channel) or self._is_joined(channel):
                    yield channel

    # What people think of it.

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """A form that was filled in; commands and buttons find their own way."""
        await submitted(self.desk, interaction)

    async def on_raw_message_delete(self, deleted: discord.RawMessageDeleteEvent) -> None:
        """What is deleted here leaves the log, too."""
        await self._classroom.unsay(message_id(deleted.channel_id, deleted.message_id))

    async def on_raw_bulk_message_delete(self, deleted: discord.RawBulkMessageDeleteEvent) -> None:
        """As above, for many."""
        for each in sorted(deleted.message_ids):
            await self._classroom.unsay(message_id(deleted.channel_id, each))

    async def on_raw_reaction_add(self, reaction: discord.RawReactionActionEvent) -> None:
        """A thumb on one of the child's messages, however old."""
        by_bot = reaction.member.bot if reaction.member else self.user and reaction.user_id == self.user.id
        if by_bot or (kind := thumb(reaction)) is None:
            return
        if await self._commands.opinions.feedback(*self._judged(reaction), kind):
            log.info("feedback", kind=kind)

    async def on_raw_reaction_remove(self, reaction: discord.RawReactionActionEvent) -> None:
        """A thumb that is taken back counts no more."""
        kind = thumb(reaction)
        if kind is not None and await self._commands.opinions.take_back(*self._judged(reaction), kind):
            log.info("feedback taken back", kind=kind)

    def _judged(self, reaction: discord.RawReactionActionEvent) -> tuple[str, str]:
        """Which message a reaction is about, and whose it is."""
        author = self._commands.author_hash("discord", str(reaction.user_id))
        return message_id(reaction.channel_id, reaction.message_id), author

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = start(work, "work on Discord")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
