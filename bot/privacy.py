"""/student privacy: a person's consent, what is kept of them, and the end of both.

It knows the store and the course's policy on silence.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bot.messages import CommandError, Shown
from bot.store.rows import Consent

if TYPE_CHECKING:
    from bot.config import Privacy
    from bot.store import Store


async def answer(store: Store, policy: Privacy, author_hash: str, wanted: str | None) -> Shown:
    """Do what was wanted ("on", "off", "export", "forget"), or say how it stands; raise `CommandError`."""
    match wanted:
        case None:
            state = await store.consent(author_hash)
            use = {None: "You have not been asked yet", Consent.ON: "Your turns may be used"}.get(
                state, "Your turns are not used"
            )
            return Shown(
                f"{use} for training.", hint="Change it with /student privacy on, off, export or forget."
            )
        case "on":
            await store.set_consent(author_hash, Consent.ON)
            return Shown("Your turns may be used for training from now on. Thank you.")
        case "off":
            await store.set_consent(author_hash, Consent.OFF)
            return Shown("None of your turns, old or new, will be used for training.")
        case "forget":
            report = await store.forget(author_hash)
            again = (
                "If you write again, your turns may be used until you say /student privacy off."
                if policy.consent == "opt_out"
                else ""
            )
            return Shown("Forgotten. Gone or blanked:", tuple(report.told()), again)
        case "export":
            return Shown(json.dumps(await store.export(author_hash), ensure_ascii=False, indent=1))
        case other:
            raise CommandError(f"privacy takes on, off, forget or export, not {other!r}")
