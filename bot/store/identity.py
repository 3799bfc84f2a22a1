"""Who said it, without saying who: a keyed hash of a platform's user id.

The only form in which a person is stored. Without the secret nobody can go back to the account, nor
try out all ids; with it, `forget` finds the same person again.
"""

from __future__ import annotations

import hashlib
import hmac

LENGTH = 32
"""Hex characters kept: 128 bits, far beyond chance collisions."""


def fingerprint(secret: bytes) -> str:
    """What tells one secret from another without telling either."""
    return hmac.new(secret, b"fingerprint of the secret itself", hashlib.sha256).hexdigest()[:LENGTH]


def hash_user(platform: str, user_id: str, secret: bytes) -> str:
    """The stored name of a user: HMAC-SHA256 under `secret`, cut to 32 hex characters.

    Raises `ValueError` for an empty secret, which would make the hash guessable.
    """
    if not secret:
        raise ValueError("the hash secret is empty: set PUPIL_HASH_SECRET to a long random text")
    # The zero byte keeps ("ab", "c") and ("a", "bc") apart: neither part can hold it.
    return hmac.new(secret, f"{platform}\0{user_id}".encode(), hashlib.sha256).hexdigest()[:LENGTH]
