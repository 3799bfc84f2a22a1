"""What people do on Slack besides talking: /student, thumbs, ratings and better lines.

It turns payloads into calls of `Commands` and shows the answers to that one person only, but for what changes a
conversation that others are in, too.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.async_app import AsyncAck, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from bot.choices import PICKS
from bot.commands import Commands
from bot.config import Settings
from bot.messages import Attachment, CommandError, Place, Shown, clean_text
from bot.opinions import RUBRIC
from bot.platforms.base import PlatformError
from bot.platforms.manners import COMMANDS, DENIED, PAID, RateLimits, cut, may_change, may_see_stage
from bot.platforms.slack import SlackSettings, blocks, pickers
from bot.platforms.slack.connection import PLATFORM, asked, message_id

log = structlog.get_logger(__name__)

THUMBS = {"+1": "up", "thumbsup": "up", "-1": "down", "thumbsdown": "down"}
GROUP_SECONDS = 300.0
"""How long the members of a user group are believed to stay the same."""

SUMMARY_CHARACTERS = 200
"""Of an answer, for notifications and screen readers; the blocks hold it all."""

LONGEST_ALT = 1000
"""Characters that Slack takes to describe a picture."""

KEPT = "pupil.json"
"""The name of the file with what is kept of a person."""
COMING = "You asked what is kept of you: it comes here as a file. Slack keeps that until you delete it."
HANDED_OVER = "It is a file in your direct messages with me: in Slack's list on the left, under Apps."
NO_FILE = "Slack took no file in a direct message, so here it is in words."

NOT_A_LINE = "That is not something the child said here, so there is nothing to better."
BROKEN = "Something went wrong; whoever runs this bot finds it in the log."


class SlackDesk:
    """The commands and forms of one workspace."""

    def __init__(self, settings: Settings, commands: Commands, client: AsyncWebClient) -> None:
        self._may = settings.permissions
        self._limits = RateLimits(settings.limits)
        self._practice = frozenset(settings.section(SlackSettings).practice_channels)
        self._commands = commands
        self._client = client
        self._groups: dict[str, tuple[frozenset[str], float]] = {}

    def listen(self, app: AsyncApp) -> None:
        """Take what is addressed here."""
        app.event("reaction_added")(self._on_reaction)
        app.event("reaction_removed")(self._on_reaction)
        app.command("/student")(self._on_command)
        app.message_shortcut(blocks.BETTER_LINE)(self._on_better_line)
        app.message_shortcut(blocks.RATE)(self._on_rate_shortcut)
        app.message_shortcut(blocks.DEBRIEF)(self._on_debrief_shortcut)
        app.view(blocks.BETTER_LINE)(self._on_better_line_sent)
        app.event("app_home_opened")(self._on_home)
        app.options(re.compile(f"{pickers.CHOSEN}.*"))(self._on_search)
        app.action(re.compile(f"({pickers.CHOSEN}|{pickers.PRESSED}).*"))(self._on_press)
        app.view(blocks.RATE)(self._on_rate_sent)

    async def whisper(self, channel: str, user: str, text: str, thread: str | None = None) -> None:
        """Tell one person something that nobody else sees; not being able to is logged."""
        text = blocks.fitted(text, blocks.MESSAGE_CHARACTERS)
        try:
            await asked(
                self._client.chat_postEphemeral(channel=channel, user=user, text=text, thread_ts=thread)
            )
        except PlatformError as error:
            log.warning("not whispered", reason=str(error))

    # /student.

    async def _on_command(self, ack: AsyncAck, command: dict[str, Any], respond: AsyncRespond) -> None:
        await ack()
        place = Place(PLATFORM, str(command["channel_id"]), None)
        user = str(command["user_id"])
        line = clean_text(blocks.plain(str(command.get("text") or "")))
        if line.lower() == "rate":
            await _answer(respond, self._open_rate(place, user, str(command["trigger_id"])))
        else:
            what = next((each for each in PICKS if each == line.lower()), None)
            more = [pickers.menu(what, self._commands.choices.of(what))] if what else []
            await _answer(respond, self._answer_command(line, place, user), more)

    # The App Home, and menus.

    async def _on_home(self, event: dict[str, Any]) -> None:
        if event.get("tab") == "home":
            await self._show_home(str(event["user"]), str(event["channel"]))

    async def _show_home(self, user: str, channel: str) -> None:
        place = Place(PLATFORM, channel, None)
        choices = {what: self._commands.choices.of(what) for what in PICKS if what not in pickers.SEARCHED}
        seen = may_see_stage(self._may, user, await self._groups_of(user))
        about, now = await self._commands.about(), await self._commands.status(place, show_mind=seen)
        view = pickers.home(about, now, choices, channel)
        try:
            await asked(self._client.views_publish(user_id=user, view=view))
        except PlatformError as error:
            log.warning("home not shown", reason=str(error))

    async def _on_search(self, ack: AsyncAck, payload: dict[str, Any]) -> None:
        """What a menu offers while somebody types into it."""
        name = str(payload["action_id"]).removeprefix(pickers.CHOSEN)
        typed = clean_text(str(payload.get("value") or ""))
        what = next(each for each in PICKS if each == name)
        await ack(options=pickers.options(self._commands.choices.of(what, typed)))

    async def _on_press(self, ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        """Do what was chosen or pressed: in the channel of the menu, or from the App Home in the direct messages."""
        await ack()
        (action, *_), user = body["actions"], str(body["user"]["id"])
        line = str(action["action_id"]).removeprefix(pickers.PRESSED)
        if "selected_option" in action:
            line = f"{line.removeprefix(pickers.CHOSEN)} {action['selected_option']['value']}"
        view = body.get("view")
        if view is None:
            place = Place(PLATFORM, str(body["channel"]["id"]), None)
            await _answer(respond, self._answer_command(line, place, user))
            return
        channel = str(blocks.about(view)["channel"])
        answer = await _outcome(self._answer_command(line, Place(PLATFORM, channel, None), user))
        shown = pickers.told(answer or Shown(BROKEN), line.partition(" ")[0].capitalize())
        try:
            await asked(self._client.views_open(trigger_id=str(body["trigger_id"]), view=shown))
        except PlatformError as error:
            log.warning("answer not shown", reason=str(error))
        await self._show_home(user, channel)

    # What a command does.

    async def _answer_command(self, line: str, place: Place, user: str) -> Shown:
        self._admit(user)
        name, _, rest = line.partition(" ")
        name, shared = name.lower(), not place.channel.startswith("D")
        if self._commands.pays(name, rest) and not may_change(self._may, user, await self._groups_of(user)):
            raise CommandError(DENIED if shared else PAID)
        chooses = self._commands.changes(name, rest.strip())
        changes = shared and chooses
        if changes and not may_change(self._may, user, await self._groups_of(user)):
            raise CommandError(DENIED)
        answer = await self._done(line, place, user)
        if changes:
            await self._tell_all(place.channel, answer.all_told or answer.text)
        if chooses and not answer.all_told:
            await self._lay_out(place.channel, answer.files)
        return await self._hand_over(user, answer) if answer.file else answer

    async def _done(self, line: str, place: Place, user: str) -> Shown:
        """What a command gives; what the child believes only where the person's role allows it."""
        name, _, rest = line.partition(" ")
        author = self._commands.author_hash(PLATFORM, user)
        if name.lower() not in {"status", "debrief", "done", "growth"}:
            return await self._commands.run(line, place, author)
        seen = may_see_stage(self._may, user, await self._groups_of(user))
        match name.lower():
            case "status":
                return await self._commands.status(place, show_mind=seen)
            case "growth":
                return await self._commands.growth(author, show_mind=seen)
            case "done":
                return await self._commands.done(place, author, show_mind=seen)
            case _:
                return await self._commands.debrief(place, author, rest.strip() or None, show_mind=seen)

    def _admit(self, user: str) -> None:
        if not self._limits.admit_command(user):
            raise CommandError(COMMANDS)

    async def _hand_over(self, user: str, answer: Shown) -> Shown:
        """What is to be kept as it is goes as a file into the person's own conversation with the bot: elsewhere Slack
        shows no file to one person alone. Where that cannot be, it is shown in words."""
        try:
            # A message to a person opens that conversation and names it, which no other method does without a scope.
            told = await asked(
                self._client.chat_postMessage(channel=user, text=COMING, mrkdwn=False, link_names=False)
            )
            await asked(
                self._client.files_upload_v2(
                    channel=str(told["channel"]), filename=KEPT, title=KEPT, content=answer.text.encode()
                )
            )
        except PlatformError as error:
            log.warning("file not handed over", reason=str(error))
            return replace(answer, hint=NO_FILE)
        return Shown(HANDED_OVER)

    async def _lay_out(self, channel: str, files: Iterable[Attachment]) -> None:
        """Show the page that lies on the table: in the channel, for Slack shows no file to one person alone."""
        for each in files:
            upload = self._client.files_upload_v2(
                channel=channel,
                filename=each.name,
                content=each.content,
                title=each.name,
                alt_txt=cut(each.alt, LONGEST_ALT),
            )
            try:
                await asked(upload)
            except PlatformError as error:
                log.warning("page not shown", reason=str(error))

    async def _tell_all(self, channel: str, text: str) -> None:
        """Who talks there must not wonder why the child has changed."""
        text = blocks.fitted(text, blocks.MESSAGE_CHARACTERS)
        try:
            await asked(
                self._client.chat_postMessage(channel=channel, text=text, mrkdwn=False, link_names=False)
            )
        except PlatformError as error:
            log.warning("change not told", reason=str(error))

    async def _groups_of(self, user: str) -> set[str]:
        """The configured user groups this person is in, known for some minutes."""
        now = time.monotonic()
        # Discord's roles stand in the same lists; Slack's user groups begin with S.
        for group in {each for each in (*self._may.roles, *self._may.stage_roles) if each.startswith("S")}:
            if now < self._groups.get(group, (frozenset(), 0.0))[1]:
                continue
            try:
                found = await asked(self._client.usergroups_users_list(usergroup=group))
            except PlatformError as error:
                log.warning("user group not read", group=group, reason=str(error))
                continue
            self._groups[group] = (frozenset(found.get("users") or ()), now + GROUP_SECONDS)
        return {group for group, (members, _) in self._groups.items() if user in members}

    # Ratings, thumbs and better lines.

    async def _open_rate(self, place: Place, user: str, trigger: str) -> None:
        self._admit(user)
        if await self._commands.is_new(place):
            raise CommandError("there is nothing to rate yet: talk with the child first")
        await asked(self._client.views_open(trigger_id=trigger, view=blocks.rate_view(place, RUBRIC)))

    async def _on_rate_shortcut(self, ack: AsyncAck, shortcut: dict[str, Any], respond: AsyncRespond) -> None:
        """Slash commands do not work in threads; this does."""
        await ack()
        place, user = self._place_of(shortcut), str(shortcut["user"]["id"])
        await _answer(respond, self._open_rate(place, user, str(shortcut["trigger_id"])))

    async def _on_debrief_shortcut(
        self, ack: AsyncAck, shortcut: dict[str, Any], respond: AsyncRespond
    ) -> None:
        """The same for a word on the practice."""
        await ack()
        user = str(shortcut["user"]["id"])
        await _answer(respond, self._answer_command("debrief", self._place_of(shortcut), user))

    def _place_of(self, shortcut: dict[str, Any]) -> Place:
        """The conversation that a message belongs to."""
        channel, message = str(shortcut["channel"]["id"]), shortcut["message"]
        thread = message.get("thread_ts")
        if channel.startswith("D") or channel in self._practice:
            thread = None if thread == message["ts"] else thread
        else:
            thread = thread or message["ts"]
        return Place(PLATFORM, channel, thread)

    async def _on_rate_sent(self, ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
        await ack()
        on, user = blocks.about(view), str(body["user"]["id"])
        place = Place(PLATFORM, str(on["channel"]), on["thread"])
        comment = clean_text(blocks.comment(view)) or None
        author = self._commands.author_hash(PLATFORM, user)
        try:
            said = (
                await self._commands.opinions.rate(place, author, blocks.scores(view, RUBRIC), comment)
            ).text
        except CommandError as error:
            said = str(error)
        except Exception:
            log.exception("rating not kept")
            said = f"Your rating could not be kept; please rate again. {BROKEN}"
        await self.whisper(place.channel, user, said, place.thread)

    async def _on_better_line(self, ack: AsyncAck, shortcut: dict[str, Any], respond: AsyncRespond) -> None:
        await ack()
        await _answer(respond, self._open_better_line(shortcut))

    async def _open_better_line(self, shortcut: dict[str, Any]) -> None:
        self._admit(str(shortcut["user"]["id"]))
        channel = str(shortcut["channel"]["id"])
        spoken = message_id(channel, str(shortcut["message"]["ts"]))
        line = await self._commands.opinions.line_in(spoken)
        if line is None:
            raise CommandError(NOT_A_LINE)
        view = blocks.better_line_view(channel, spoken, line)
        await asked(self._client.views_open(trigger_id=str(shortcut["trigger_id"]), view=view))

    async def _on_better_line_sent(self, ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
        better = clean_text(blocks.comment(view))
        if not better:
            errors = {blocks.COMMENT: "Please write what the child would say."}
            await ack(response_action="errors", errors=errors)
            return
        await ack()
        on, user = blocks.about(view), str(body["user"]["id"])
        author = self._commands.author_hash(PLATFORM, user)
        try:
            kept = await self._commands.opinions.feedback(str(on["message"]), author, "suggestion", better)
            said = "Thank you: your line is kept with what the child said." if kept else NOT_A_LINE
        except CommandError as error:
            said = str(error)
        except Exception:
            log.exception("better line not kept")
            said = f"Your line could not be kept; please send it again. {BROKEN}"
        await self.whisper(str(on["channel"]), user, said)

    async def _on_reaction(self, event: dict[str, Any]) -> None:
        kind = THUMBS.get(str(event.get("reaction")).partition("::")[0])
        item = event.get("item") or {}
        if kind is None or item.get("type") != "message":
            return
        author = self._commands.author_hash(PLATFORM, str(event.get("user")))
        opinions = self._commands.opinions
        keep = opinions.take_back if event["type"] == "reaction_removed" else opinions.feedback
        await keep(message_id(str(item["channel"]), str(item["ts"])), author, kind)


async def _answer(
    respond: AsyncRespond, work: Awaitable[Shown | None], more: Sequence[blocks.Block] = ()
) -> None:
    """Show what `work` gives, with `more` below it, or what went wrong in it: Slack was told that all is well, and says
    nothing itself."""
    if (answer := await _outcome(work)) is not None:
        await _respond(respond, answer, more)


async def _outcome(work: Awaitable[Shown | None]) -> Shown | None:
    """What `work` gives, or what went wrong in it."""
    try:
        return await work
    except (CommandError, PlatformError) as error:
        return Shown(str(error))
    except Exception:
        log.exception("command failed")
        return Shown(BROKEN)


async def _respond(respond: AsyncRespond, answer: Shown, more: Sequence[blocks.Block]) -> None:
    pages = blocks.shown(answer)
    pages[-1] += more
    for page in pages:
        sent = await respond(
            text=blocks.fitted(answer.text, SUMMARY_CHARACTERS),
            blocks=page,
            response_type="ephemeral",
            replace_original=False,
        )
        if sent.status_code != 200:  # noqa: PLR2004 - HTTP's own word
            log.warning("command's answer not shown", status=sent.status_code, reason=sent.body[:200])
            return
