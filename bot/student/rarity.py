"""How much a word tells, by how few texts have it, and how alike two texts are by such words.

It knows sets of words only: what the texts are, and what follows from a likeness, is with who asks.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping


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
        return self.squares(shared) / math.sqrt(self.squares(one) * self.squares(other))

    def squares(self, words: Iterable[str]) -> float:
        """The sum of the words' squared weights: of the words of a text, its length squared."""
        return sum(self._weights.get(word, self._unseen) ** 2 for word in words)


class Groups:
    """Groups of texts, to find how like a text is to the likest one of each; looks only at texts that share a word."""

    def __init__(self, rarity: Rarity, groups: Mapping[str, Iterable[frozenset[str]]]) -> None:
        self._rarity = rarity
        self._texts: list[tuple[str, float]] = []
        self._having: defaultdict[str, list[int]] = defaultdict(list)
        for group, texts in groups.items():
            for words in texts:
                for word in words:
                    self._having[word].append(len(self._texts))
                self._texts.append((group, rarity.squares(words)))

    def likeness(self, words: frozenset[str]) -> dict[str, float]:
        """By group, the likeness (see `Rarity.likeness`) of `words` to its likest text; none shares a word: absent."""
        shared: defaultdict[int, float] = defaultdict(float)
        for word in words & self._having.keys():
            square = self._rarity.squares((word,))
            for place in self._having[word]:
                shared[place] += square
        own, found = self._rarity.squares(words), dict[str, float]()
        for place, both in shared.items():
            group, other = self._texts[place]
            found[group] = max(found.get(group, 0.0), both / math.sqrt(own * other))
        return found
