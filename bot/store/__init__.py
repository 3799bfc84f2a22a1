"""The log of every practice: what was claimed, said, thought, rated and consented to.

Imports `bot.student` for what a turn is and nothing else of the project.
"""

from bot.store.database import StoreError
from bot.store.identity import hash_user
from bot.store.revisions import migrate
from bot.store.store import Store

__all__ = ["Store", "StoreError", "hash_user", "migrate"]
