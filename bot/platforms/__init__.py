"""The edges: each turns a platform's events into messages for the classroom, and its answers into posts.

A platform is a folder here that makes a `PlatformSpec`, and its line in `PLATFORMS`; nothing else names it.
Beside them lies the terminal, which the command `chat` opens itself.
"""

from bot.platforms.discord import DISCORD
from bot.platforms.slack import SLACK
from bot.platforms.spec import PlatformSpec
from bot.platforms.web import WEB

PLATFORMS: tuple[PlatformSpec, ...] = (DISCORD, SLACK, WEB)
"""All that `run` can serve, in the order in which they are shown."""
