"""What /student scenario shows fits into one message, uncut, on every platform."""

from __future__ import annotations

import json
from pathlib import Path

from bot.messages import Place
from bot.platforms.discord.answer import LONGEST
from bot.platforms.discord.commands import page
from bot.platforms.slack import blocks
from tests.fakes.students import ScriptedModel, room


async def test_every_card_fits(tmp_path: Path) -> None:
    here = Place("discord", "room", None)
    able = ScriptedModel()
    able.capable = True
    async with room(tmp_path / "pupil.db", able) as app:
        await app.commands.run("model base", here, "")
        lines = ["list", *(f"{name}" for name in app.classroom.curriculum.scenarios)]
        for line in lines:
            for asked in (f"scenario {line}", "scenario"):
                shown = await app.commands.run(asked, here, "")
                assert len(page(shown)) <= LONGEST
                assert "…" not in page(shown)
                (only,) = blocks.shown(shown)
                assert "…" not in json.dumps(only, ensure_ascii=False)
