"""The forms of Discord: the rubric in two parts, and what a second grader would have said instead.

A form's id says what it is about, so that an answer needs no memory of it: another process may have opened it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import discord

from bot.messages import CommandError, Place, Shown
from bot.opinions import RUBRIC
from bot.platforms import manners
from bot.platforms.discord.answer import message_id

if TYPE_CHECKING:
    from bot.platforms.discord.commands import Desk

MOST_IN_A_FORM = 5
FORM_SECONDS = 900.0
"""How long discord.py keeps an opened form: as long as Discord lets one answer it."""
RATING, BETTER = "pupil:form:rate:", "pupil:form:better:"
"""How the ids of forms begin. Behind it stands what a form is about, so that an answer needs no memory of it."""
SCORES = {1: "not at all", 2: "a little", 3: "partly", 4: "mostly", 5: "just like a second grader"}


class RatingForm(discord.ui.Modal):
    """The rubric as a form. Discord's forms hold five fields, so the nine scores and the comment take two:
    `given` holds the scores of the first."""

    def __init__(self, given: tuple[int, ...]) -> None:
        title = f"How was it? ({2 if given else 1} of 2)"
        super().__init__(title=title, timeout=FORM_SECONDS, custom_id=RATING + "".join(map(str, given)))
        for line in RUBRIC[len(given) :][:MOST_IN_A_FORM]:
            options = [
                discord.SelectOption(label=f"{value}: {SCORES[value]}", value=str(value)) for value in SCORES
            ]
            select: discord.ui.Select[Any] = discord.ui.Select(options=options, placeholder="1 to 5")
            self.add_item(discord.ui.Label(text=line.capitalize(), component=select))
        if given:
            comment: discord.ui.TextInput[Any] = discord.ui.TextInput(
                style=discord.TextStyle.paragraph, required=False, max_length=1000
            )
            self.add_item(discord.ui.Label(text="What else should be known?", component=comment))


async def _rate(desk: Desk, interaction: discord.Interaction[Any], given: str, filled: list[str]) -> None:
    """After the first form offer the second; after the second keep the rating."""
    scores = tuple(map(int, (*given, *filled[: len(RUBRIC) - len(given)])))
    if len(scores) < len(RUBRIC):
        view = discord.ui.View(timeout=None)
        view.add_item(GoOn(scores))
        text = f"{len(scores)} of {len(RUBRIC)} scores are in. Nothing is kept before the rest."
        await interaction.response.send_message(text, view=view, ephemeral=True)
        return
    rated = dict(zip(RUBRIC, scores, strict=True))
    comment = filled[-1].strip() or None
    await desk.serve(
        interaction, lambda place, author: desk.commands.opinions.rate(place, author, rated, comment), "rate"
    )


class GoOn(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"pupil:rate:(?P<scores>[1-5]{5})"):
    """Opens the second form. The button itself carries the first scores: a restart between loses nothing."""

    def __init__(self, scores: tuple[int, ...]) -> None:
        self._scores = scores
        custom_id = f"pupil:rate:{''.join(map(str, scores))}"
        super().__init__(
            discord.ui.Button(label="Go on", style=discord.ButtonStyle.primary, custom_id=custom_id)
        )

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], _item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> GoOn:
        """The button as it was made."""
        return cls(tuple(map(int, match["scores"])))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Open the second form."""
        desk: Desk = interaction.client.desk
        await desk.open(interaction, RatingForm(self._scores))


class BetterWords(discord.ui.Modal):
    """Asks what a second grader would have said instead."""

    def __init__(self, said: discord.Message) -> None:
        title, about = "This is not how a second grader talks", message_id(said.channel.id, said.id)
        super().__init__(title=title, timeout=FORM_SECONDS, custom_id=BETTER + about)
        words: discord.ui.TextInput[Any] = discord.ui.TextInput(
            style=discord.TextStyle.paragraph,
            max_length=500,
            placeholder=manners.cut(said.content.partition("\n-# ")[0], 100) or None,
        )
        self.add_item(discord.ui.Label(text="What would a second grader have said?", component=words))


async def _keep_better(desk: Desk, interaction: discord.Interaction[Any], said: str, words: str) -> None:
    """Keep the better words with the turn."""

    async def keep(_: Place, author: str) -> Shown:
        if not words:
            raise CommandError("please write the words a second grader would have said")
        if not await desk.commands.opinions.feedback(said, author, "suggestion", words):
            raise CommandError("this is not something the child said")
        return Shown("Thank you: your words are kept with what the child said.")

    await desk.serve(interaction, keep, "suggestion")


async def submitted(desk: Desk, interaction: discord.Interaction[Any]) -> None:
    """Take a form that was filled in, also one that another process opened. What is no form of ours is left alone."""
    if interaction.type is not discord.InteractionType.modal_submit:
        return
    data: Any = interaction.data
    form, filled = str(data["custom_id"]), [_filled(each["component"]) for each in data["components"]]
    if form.startswith(RATING):
        await _rate(desk, interaction, form.removeprefix(RATING), filled)
    elif form.startswith(BETTER):
        await _keep_better(desk, interaction, form.removeprefix(BETTER), filled[0].strip())


def _filled(component: dict[str, Any]) -> str:
    """What was chosen or written in one field."""
    return str(component["values"][0] if "values" in component else component["value"])
