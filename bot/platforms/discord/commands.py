"""/student and the message command in Discord: how they are declared, filled in, guarded and shown.

What they do is in `bot.commands`. Everything is shown to the person who asked, and to nobody else but for what changes
a conversation that others are in, too.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal

import discord
import structlog
from discord import app_commands

from bot.commands import Commands
from bot.messages import CommandError, Place, Shown
from bot.platforms import manners
from bot.platforms.discord.answer import FAILURES, LONGEST, place_of, why
from bot.platforms.discord.forms import BetterWords, GoOn, RatingForm
from bot.subcommands import SUBCOMMANDS, Subcommand

if TYPE_CHECKING:
    from bot.classroom import Classroom
    from bot.config import Settings

log = structlog.get_logger(__name__)

MESSAGE_COMMAND = "Not how a second grader talks"
"""In a message's menu; Discord takes at most 32 characters here, the whole sentence is in the form."""
RATE, LOOK_BACK = "Rate this practice", "A word on my practice"
"""In the same menu: what is also there as /student rate and debrief."""
MOST_CHOICES = 25
LONGEST_ALT = 1024
"""Characters that Discord takes to describe a file."""
FINISH_SECONDS = 5.0
BROKEN = "That did not work just now. Whoever runs this bot finds the reason in the log."

_DOES = {each.name: each.does for each in SUBCOMMANDS}
_Choices = list[app_commands.Choice[str]]
_Work = Callable[[Place, str], Awaitable[Shown]]


class Desk:
    """Where commands are taken: asks the permission, says "one moment", does the work, shows the result."""

    def __init__(self, settings: Settings, classroom: Classroom, commands: Commands) -> None:
        self._permissions = settings.permissions
        self._limits = manners.RateLimits(settings.limits)
        self.classroom = classroom
        self.commands = commands
        self._in_hand: set[asyncio.Task[Any]] = set()

    async def finish(self) -> None:
        """Wait a little for commands in hand: a person looks at a form that says "thinking"."""
        if self._in_hand:
            await asyncio.wait(self._in_hand, timeout=FINISH_SECONDS)

    async def serve(
        self, interaction: discord.Interaction[Any], work: _Work, name: str = "", argument: str | None = None
    ) -> None:
        """Answer the command `name` with what `work` gives, privately."""
        if (task := asyncio.current_task()) is not None:
            self._in_hand.add(task)
            task.add_done_callback(self._in_hand.discard)
        # A direct message is a person's own: there is nobody else whom a change would concern.
        shared = interaction.guild_id is not None and self.commands.changes(name, argument)
        try:
            if shared and not manners.may_change(self._permissions, *_who(interaction)):
                await self.tell(interaction, manners.DENIED)
                return
            if self.commands.pays(name, argument) and not manners.may_change(
                self._permissions, *_who(interaction)
            ):
                await self.tell(interaction, manners.PAID)
                return
            if not self._limits.admit_command(str(interaction.user.id)):
                await self.tell(interaction, manners.COMMANDS)
                return
            await interaction.response.defer(ephemeral=True, thinking=True)
        except FAILURES as error:
            log.warning("command not answered", command=name, reason=why(error))
            return
        place = place_of(interaction.channel, interaction.channel_id or 0)
        author = self.commands.author_hash("discord", str(interaction.user.id))
        try:
            if place.thread is not None:
                await self.commands.follow_channel(place)
            shown = await work(place, author)
        except CommandError as error:
            shown, shared = Shown(f"{str(error)[:1].upper()}{str(error)[1:]}"), False
        except Exception:
            log.exception("command failed", command=name)
            shown, shared = Shown(BROKEN), False
        try:
            await _show(interaction, shown)
        except FAILURES as error:
            log.warning("command not answered", command=name, reason=why(error))
        if shared:
            await _tell_all(interaction, shown)

    async def open(self, interaction: discord.Interaction[Any], form: discord.ui.Modal) -> None:
        """Open a form. It must be the first answer: whether it makes sense is checked when it comes back."""
        try:
            await interaction.response.send_modal(form)
        except FAILURES as error:
            log.warning("form not opened", reason=why(error))

    async def tell(self, interaction: discord.Interaction[Any], text: str) -> None:
        """Answer at once, privately."""
        none = discord.AllowedMentions.none()
        await interaction.response.send_message(text, ephemeral=True, allowed_mentions=none)

    async def status(self, interaction: discord.Interaction[Any]) -> None:
        """What the child believes is shown only to those who may see it."""
        show_mind = manners.may_see_stage(self._permissions, *_who(interaction))
        await self.serve(interaction, lambda place, _: self.commands.status(place, show_mind=show_mind))

    async def debrief(self, interaction: discord.Interaction[Any], line: str | None) -> None:
        """As with the status."""
        mind = manners.may_see_stage(self._permissions, *_who(interaction))

        async def look_back(place: Place, author: str) -> Shown:
            return await self.commands.debrief(place, author, line, show_mind=mind)

        await self.serve(interaction, look_back, "debrief", line)

    async def done(self, interaction: discord.Interaction[Any]) -> None:
        """As with the status."""
        mind = manners.may_see_stage(self._permissions, *_who(interaction))

        async def end(place: Place, author: str) -> Shown:
            return await self.commands.done(place, author, show_mind=mind)

        await self.serve(interaction, end, "done")

    async def growth(self, interaction: discord.Interaction[Any]) -> None:
        """As with the status."""
        mind = manners.may_see_stage(self._permissions, *_who(interaction))
        await self.serve(interaction, lambda _, author: self.commands.growth(author, show_mind=mind))


def _who(interaction: discord.Interaction[Any]) -> tuple[str, list[str]]:
    user = interaction.user
    roles = user.roles if isinstance(user, discord.Member) else []
    return str(user.id), [str(role.id) for role in roles]


async def _show(interaction: discord.Interaction[Any], shown: Shown) -> None:
    none = discord.AllowedMentions.none()
    if shown.files:
        files = _files(shown)
        await interaction.followup.send(page(shown), files=files, ephemeral=True, allowed_mentions=none)
    elif shown.file or len(shown.text) > LONGEST:
        file = discord.File(io.BytesIO(shown.text.encode()), filename="pupil.json")
        await interaction.followup.send("Here it is.", file=file, ephemeral=True, allowed_mentions=none)
    else:
        await interaction.followup.send(page(shown), ephemeral=True, allowed_mentions=none)


def _files(shown: Shown) -> list[discord.File]:
    return [
        discord.File(
            io.BytesIO(each.content), filename=each.name, description=manners.cut(each.alt, LONGEST_ALT)
        )
        for each in shown.files
    ]


async def _tell_all(interaction: discord.Interaction[Any], shown: Shown) -> None:
    """Who talks there must not wonder why the child has changed, and sees the page that lies on the table."""
    channel = interaction.channel
    if isinstance(channel, discord.abc.Messageable):
        told, files = shown.all_told or shown.text, [] if shown.all_told else _files(shown)
        text, none = f"-# {discord.utils.escape_markdown(told)}", discord.AllowedMentions.none()
        try:
            try:
                await channel.send(text, files=files, allowed_mentions=none)
            except discord.Forbidden:
                if not files:
                    raise
                # A server that has not given the bot leave to attach files.
                await channel.send(text, allowed_mentions=none)
        except FAILURES as error:
            log.warning("change not told", reason=why(error))


def page(shown: Shown) -> str:
    """What is shown as Discord's markdown, with as many rows as there is room for."""
    escape = discord.utils.escape_markdown
    head = f"**{escape(shown.text)}**" if shown.rows else escape(shown.text)
    rows = "".join(f"\n**{escape(name)}**  {escape(value)}" for name, value in shown.rows)
    hint = (f"\n<{shown.link}>" if shown.link else "") + (f"\n-# {escape(shown.hint)}" if shown.hint else "")
    return manners.cut(head + rows, LONGEST - len(hint)) + hint


class StudentCommands(app_commands.Group):
    """/student …: declared here is what has completions, choices or a form; the rest comes from the list."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(
            name="student",
            description="The simulated second grader",
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True),
            allowed_installs=app_commands.AppInstallationType(guild=True),
        )
        self._desk = desk
        self._do = desk.commands
        declared = {command.name for command in self.commands}
        for each in SUBCOMMANDS:
            if each.name not in declared:
                self.add_command(_plain(desk, each))

    @app_commands.command(description=_DOES["model"])
    @app_commands.describe(name="the model to switch to; leave it out to see all")
    async def model(self, interaction: discord.Interaction[Any], name: str | None = None) -> None:
        """Show or switch the model."""
        await self._desk.serve(interaction, lambda place, _: self._do.model(place, name), "model", name)

    @model.autocomplete("name")
    async def _complete_model(self, _: discord.Interaction[Any], typed: str) -> _Choices:
        return _choices("", self._do.choices.of("model", typed))

    @app_commands.command(description=_DOES["child"])
    @app_commands.describe(name="who sits here from now on, one or up to five; leave it out to see all")
    async def child(self, interaction: discord.Interaction[Any], name: str | None = None) -> None:
        """Show or choose the child."""
        await self._desk.serve(interaction, lambda place, _: self._do.child(place, name), "child", name)

    @child.autocomplete("name")
    async def _complete_child(self, _: discord.Interaction[Any], typed: str) -> _Choices:
        return _choices("", self._do.choices.of("child", typed))

    @app_commands.command(description=_DOES["lesson"])
    @app_commands.describe(lesson="a lesson, or any words to search by; leave it out to see what there is")
    async def lesson(self, interaction: discord.Interaction[Any], lesson: str | None = None) -> None:
        """Show, search or choose the lesson."""
        await self._desk.serve(interaction, lambda place, _: self._do.lesson(place, lesson), "lesson", lesson)

    @lesson.autocomplete("lesson")
    async def _complete_lesson(self, _: discord.Interaction[Any], typed: str) -> _Choices:
        return _choices("", self._do.choices.of("lesson", typed))

    @app_commands.command(description=_DOES["scenario"])
    @app_commands.describe(
        scenario="a scenario, or any words to search by; leave it out to see what is practised"
    )
    async def scenario(self, interaction: discord.Interaction[Any], scenario: str | None = None) -> None:
        """Show, search, choose or assign a scenario."""
        work = self._do.practice.scenario
        await self._desk.serve(interaction, lambda place, _: work(place, scenario), "scenario", scenario)

    @scenario.autocomplete("scenario")
    async def _complete_scenario(self, _: discord.Interaction[Any], typed: str) -> _Choices:
        return _choices("", self._do.choices.of("scenario", typed))

    @app_commands.command(description=_DOES["status"])
    async def status(self, interaction: discord.Interaction[Any]) -> None:
        """Show settings and figures."""
        await self._desk.status(interaction)

    @app_commands.command(description=_DOES["debrief"])
    @app_commands.describe(
        turn="to put a turn of yours right: its number", move="what that turn really did; both or neither"
    )
    async def debrief(
        self, interaction: discord.Interaction[Any], turn: int | None = None, move: str | None = None
    ) -> None:
        """A word on this person's practice."""
        line = None if turn is None and move is None else f"move {turn or ''} {move or ''}"
        await self._desk.debrief(interaction, line)

    @debrief.autocomplete("move")
    async def _complete_move(self, _: discord.Interaction[Any], typed: str) -> _Choices:
        return _choices(typed, ((name.replace("_", " "), name) for name in self._do.move_names))

    @app_commands.command(description=_DOES["done"])
    async def done(self, interaction: discord.Interaction[Any]) -> None:
        """End the practice with a word on it."""
        await self._desk.done(interaction)

    @app_commands.command(description=_DOES["growth"])
    async def growth(self, interaction: discord.Interaction[Any]) -> None:
        """This person's practices over weeks."""
        await self._desk.growth(interaction)

    @app_commands.command(description=_DOES["privacy"])
    @app_commands.describe(choice="on or off: may your turns be used? export or forget: everything of yours")
    async def privacy(
        self,
        interaction: discord.Interaction[Any],
        choice: Literal["on", "off", "export", "forget"] | None = None,
    ) -> None:
        """Show or change what is kept of a person."""
        await self._desk.serve(interaction, lambda _, author: self._do.privacy(author, choice), "privacy")

    @app_commands.command(description=_DOES["rate"])
    async def rate(self, interaction: discord.Interaction[Any]) -> None:
        """Rate by the rubric, in two forms."""
        await self._desk.open(interaction, RatingForm(()))


def _plain(desk: Desk, each: Subcommand) -> app_commands.Command[Any, Any, Any]:
    """A subcommand that needs no completion and no form here; what it takes is a line of text."""

    async def bare(interaction: discord.Interaction[Any], text: str | None = None) -> None:
        await desk.serve(
            interaction, lambda place, author: each.run(desk.commands, place, author, text), each.name, text
        )

    async def alone(interaction: discord.Interaction[Any]) -> None:
        await bare(interaction)

    return app_commands.Command(
        name=each.name, description=each.does, callback=bare if each.argument else alone
    )


def _choices(typed: str, known: Iterable[tuple[str, str]]) -> _Choices:
    """Up to 25 completions that hold what was typed."""
    wanted = typed.lower()
    found = [
        app_commands.Choice(name=manners.cut(shown, 100), value=value)
        for shown, value in known
        if wanted in shown.lower() or wanted in value.lower()
    ]
    return found[:MOST_CHOICES]


def register(tree: app_commands.CommandTree[Any], client: Any, desk: Desk) -> None:
    """Put all commands on the tree of `client`, a Client that has `is_own(message)` and `desk`."""

    async def better(interaction: discord.Interaction[Any], message: discord.Message) -> None:
        if client.is_own(message):
            await desk.open(interaction, BetterWords(message))
        else:
            await desk.tell(interaction, "This is not something the child said.")

    tree.add_command(StudentCommands(desk))

    async def rate(interaction: discord.Interaction[Any], _message: discord.Message) -> None:
        await desk.open(interaction, RatingForm(()))

    async def look_back(interaction: discord.Interaction[Any], _message: discord.Message) -> None:
        await desk.debrief(interaction, None)

    for name, callback in ((MESSAGE_COMMAND, better), (RATE, rate), (LOOK_BACK, look_back)):
        tree.add_command(app_commands.ContextMenu(name=name, callback=callback))
    client.add_dynamic_items(GoOn)
