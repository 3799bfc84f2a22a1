"""What is signed for the web classroom: sign-in links that work once, sessions, and the tokens of forms.

There are no passwords. Who asks with /student web is known from their platform; the link carries only the keyed hash.
It knows the store of used links; no page and no platform.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from itsdangerous import BadData, URLSafeTimedSerializer

if TYPE_CHECKING:
    from bot.store import Store

LINK_SECONDS = 600
"""How long a sign-in link is good."""
BACK_SECONDS = 14 * 24 * 60 * 60
"""How long a link is good by which somebody who is in comes back later, or on another device."""
SESSION_SECONDS = 12 * 60 * 60
LONGEST = 500
"""Characters of anything signed; ours have about half."""
_NONCE_BYTES = 16


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in, as the store knows them, and the id of this one session."""

    who: str
    id: str


class Links:
    """All that one secret signs. `address` is where people find the web classroom, "" where there is none."""

    def __init__(self, store: Store, secret: bytes, address: str) -> None:
        self._store = store
        self.address = address.rstrip("/")
        # A key of its own: nothing that is signed here says anything of the hashes.
        self._key = hmac.new(secret, b"what the web classroom signs", hashlib.sha256).digest()
        self._links = URLSafeTimedSerializer(self._key, salt="sign-in")
        self._back = URLSafeTimedSerializer(self._key, salt="come back")
        self._sessions = URLSafeTimedSerializer(self._key, salt="session")

    def link(self, author_hash: str, *, back: bool = False) -> str:
        """A link by which that person signs in, once, soon; or comes `back` within two weeks."""
        signer = self._back if back else self._links
        signed = signer.dumps([author_hash, secrets.token_urlsafe(_NONCE_BYTES)])
        return f"{self.address}/in?t={signed}"

    def good(self, token: str) -> bool:
        """Whether a link's token is ours and not too old; it may have been used. Looking does not use it."""
        return self._read(token) is not None

    async def use(self, token: str) -> str | None:
        """Whom a link signs in, as a hash; None where it is not ours, too old, or was used before."""
        read = self._read(token)
        if read is None:
            return None
        who, nonce = read
        expires = datetime.now(UTC) + timedelta(seconds=BACK_SECONDS)  # no link is good for longer
        return who if await self._store.links.use(nonce, expires) else None

    def session(self, author_hash: str) -> str:
        """A new session of that person, signed, for a cookie."""
        return self._sessions.dumps([author_hash, secrets.token_urlsafe(_NONCE_BYTES)])

    def who(self, cookie: str) -> Session | None:
        """The session that a cookie names; None where it is not ours or too old."""
        read = _pair(self._sessions, cookie, SESSION_SECONDS)
        return None if read is None else Session(*read)

    def token(self, about: str) -> str:
        """What a form carries to show that we made it, for one session or visit."""
        return hmac.new(self._key, f"form {about}".encode(), hashlib.sha256).hexdigest()

    def is_token(self, about: str, token: str) -> bool:
        """Whether a form carries it."""
        return hmac.compare_digest(self.token(about).encode(), token.encode())

    def _read(self, token: str) -> tuple[str, str] | None:
        return _pair(self._links, token, LINK_SECONDS) or _pair(self._back, token, BACK_SECONDS)


def _pair(signer: URLSafeTimedSerializer, signed: str, seconds: int) -> tuple[str, str] | None:
    """The two texts that were signed no longer ago."""
    if len(signed) > LONGEST:
        return None
    try:
        found: Any = signer.loads(signed, max_age=seconds)
    except BadData:
        return None
    first, second = found  # we signed it, so it has this form
    return str(first), str(second)
