"""/student privacy: a person's consent, what is kept of them, and the end of both.

It knows the store and the course's policy on silence.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bot.messages import CommandError, Shown
from bot.store.rows import Consent

if TYPE_CHECKING:
    from bot.sections import Privacy
    from bot.store import Store

AFTERWARDS = (
    "What you delete here while the bot runs leaves its log, too; an edit never reaches it, and neither does what is "
    "deleted while it is down."
)


async def answer(store: Store, policy: Privacy, author_hash: str, wanted: str | None) -> Shown:
    """Do what was wanted ("on", "off", "export", "forget"), or say how it stands; raise `CommandError`."""
    match wanted:
        case None:
            use = _use(policy, await store.consent(author_hash))
            return Shown(
                use, hint=f"Answer or change it with /student privacy on, off, export or forget. {AFTERWARDS}"
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
            kept = json.dumps(await store.export(author_hash), ensure_ascii=False, indent=1)
            return Shown(kept, file=True)
        case other:
            raise CommandError(f"privacy takes on, off, forget or export, not {other!r}")


def _use(policy: Privacy, state: Consent | None) -> str:
    """What a person's turns are used for, and the question where they have not answered it."""
    if policy.consent == "off":
        return "Nobody's turns are used for training here."
    if state is None:
        if policy.consent == "opt_out":
            return "Your turns may be used for training, since you have not said no. May they?"
        return "May your turns be used for training? Without your yes they are not."
    return (
        "Your turns may be used for training."
        if state is Consent.ON
        else "Your turns are not used for training."
    )
