"""What people said in Discord, as text: markup made plain, what is forwarded read, what has no words told apart.

It knows messages; not whom they are for, nor what becomes of them.
"""

from __future__ import annotations

import re

import discord

SAID = frozenset({discord.MessageType.default, discord.MessageType.reply})
"""The types of message that people write; all others are notes of Discord's own."""
MARKUP = (
    (re.compile(r"<@!?\d+>"), "a friend"),
    (re.compile(r"<@&\d+>|(?<![\w.+\\-])@(?:everyone|here)\b"), "everyone"),
    (re.compile(r"<#\d+>"), "the channel"),
    (re.compile(r"<a?(:\w+:)\d+>"), r"\1"),
)
"""Discord's own signs in a text, and what a child may hear instead. Who was mentioned is stored nowhere. A sign inside
a word is none: an address like lee@hereford.edu must reach redaction as it was written."""

THUMBS = {"\N{THUMBS UP SIGN}": "up", "\N{THUMBS DOWN SIGN}": "down"}


def is_said(message: discord.Message) -> bool:
    """Whether a person wrote it: no bot, no webhook, no note of Discord's own."""
    return not message.author.bot and message.webhook_id is None and message.type in SAID


def plain(message: discord.Message, me: discord.ClientUser | None) -> str:
    """The words, without a mention of `me` and without the names of other people; of what is forwarded, its words."""
    own = [f"<@{me.id}>", f"<@!{me.id}>"] if me else []
    if message.guild is not None and message.guild.self_role is not None:
        own.append(message.guild.self_role.mention)
    text = message.content or "\n".join(each.content for each in message.message_snapshots)
    for mention in own:
        text = text.replace(mention, " ")
    for markup, words in MARKUP:
        text = markup.sub(words, text)
    return text


def is_bare(message: discord.Message) -> bool:
    """Whether there is nothing in it but a mention: no picture, no voice, nothing that a child could not read."""
    unread = (
        message.attachments,
        message.stickers,
        message.embeds,
        message.poll,
        message.message_snapshots,
    )
    return not any(unread)


def thumb(reaction: discord.RawReactionActionEvent) -> str | None:
    """What a reaction says of the child's words: "up", "down", or nothing."""
    # The first character is the thumb, the second one may be a skin tone.
    return THUMBS.get((reaction.emoji.name or "")[:1])
