"""`web`: the web classroom alone, on this machine's port, with a link for whoever started it."""

from __future__ import annotations

from pathlib import Path

import typer

from bot import app
from bot.config import Settings
from bot.platforms.web import WEB, WebSettings


async def serve(settings: Settings, config: Path | None, *, show_link: bool) -> None:
    """Serve it until it is stopped. Where no address is set, it is the one on this machine."""
    web = settings.section(WebSettings)
    if not web.address:
        host = f"[{web.host}]" if ":" in web.host else web.host
        web = web.model_copy(update={"address": f"http://{host}:{web.port}"})
        settings = settings.model_copy(update={WEB.name: web})

    def greet(parts: app.App) -> None:
        links = parts.commands.links
        if show_link and links is not None:
            link = links.link(parts.classroom.author_hash("console", "terminal"))
            typer.echo(f"The web classroom is open. Your way in, once, within ten minutes:\n{link}")

    if show_link:
        typer.echo(
            "Opening: the model is loaded and tried first, which may take a minute. Then your link is here."
        )
    await app.run(settings, config, (WEB,), greet)
