"""How much a word tells, by how few texts have it, and how alike two texts are by such words.

It knows sets of words only: what the texts are, and what follows from a likeness, is with who asks.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable


class Rarity:
    """The weights of the words of some texts; a word that none of them has weighs as if `unseen` had it."""

    def __init__(self, texts: Iterable[frozenset[str]], unseen: int = 0) -> None:
        texts = list(texts)
        seen = Counter(word for words in texts for word in words)
        self._weights = {word: math.log((len(texts) + 1) / (count + 0.5)) for word, count in seen.items()}
        self._unseen = math.log((len(texts) + 1) / (unseen + 0.5))

    def weight(self, words: Iterable[str]) -> float:
        """The sum of the words' weights."""
        return sum(self._weights.get(word, self._unseen) for word in words)

    def likeness(self, one: frozenset[str], other: frozenset[str]) -> float:
        """Cosine of the two sets, each word by its weight: from 0 (nothing shared) to 1."""
        shared = one & other
        if not shared:
            return 0.0
        return self._squares(shared) / math.sqrt(self._squares(one) * self._squares(other))

    def _squares(self, words: Iterable[str]) -> float:
        return sum(self._weights.get(word, self._unseen) ** 2 for word in words)
