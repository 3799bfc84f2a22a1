"""Takes the one warning that importing discord.py brings on Python 3.11 and 3.12; all others are errors."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "'audioop' is deprecated", DeprecationWarning)
    import discord  # noqa: F401 - the import itself is the purpose
