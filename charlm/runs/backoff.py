"""An n-gram that falls back to shorter contexts where it has seen little."""

from collections.abc import Sequence

import torch
from torch import Tensor

from charlm.counts import MAX_DENSE, NGram, _distinct
from charlm.vocab import Vocabulary


class FallbackNGram(NGram):
    """Tables of all orders, interpolated: each leans on the next shorter one.

    P(y | context) = (count(context, y) + w P(y | shorter)) / (count(context) + w)

    where shorter is the context without its first character, w = fallback * (d + 1),
    and d is how many characters followed the context: where there were many different
    ones, a new one is likely (Witten and Bell 1991, whose w is d). At the end of the
    chain all characters are equally likely. A context that reaches back beyond the
    start of its word says no more than the one that ends there, and is left out. Only
    the longest n-grams are kept: each of them ends in the shorter ones.

    Raises ValueError for an order below 1, for a fallback that is not above 0, for
    damaged counts, and for contexts that are not of order - 1 characters.

    Parameters
    ----------
    vocab : numbers the characters
    order : n, how many characters are counted at once, 1 or more
    fallback : the weight of shorter contexts, above 0

    Examples
    --------
    >>> words = ["emma", "ava"]
    >>> model = FallbackNGram(Vocabulary.from_words(words), 2, 1.0).fit(words)
    >>> [round(p, 3) for p in model.probs("v").tolist()]
    [0.142, 0.52, 0.098, 0.142, 0.098]
    """

    def __init__(self, vocab: Vocabulary, order: int, fallback: float) -> None:
        super().__init__(vocab, order)
        if not 0 < fallback < float("inf"):
            raise ValueError(f"fallback must be above 0 and finite, got {fallback}")
        self.fallback = fallback
        self.tables: Sequence[NGram] = ()

    def _with_table(self) -> "FallbackNGram":
        """Make the tables of all orders, and keep a small result whole."""
        self.table, self.tables = None, [*self._shorter(), self]
        V = len(self.vocab)
        if V**self.order <= MAX_DENSE:
            contexts = torch.ones((V,) * self.block_size).nonzero()  # in order
            self.table = self(contexts).view((V,) * self.order)
        return self

    def _shorter(self) -> list[NGram]:
        """Return the tables of orders 1 to n - 1, counted from the longest n-grams."""
        places = [1, *map(len, self.levels)]
        for keys, n in zip((*self.levels, self.keys), places):
            if len(keys) and keys[-1] >= n * len(self.vocab):
                raise ValueError("the counts are damaged")
        shorter = []
        grams = self.grams()  # (m, n)
        for order in range(1, self.order):
            table = NGram(self.vocab, order)
            node = torch.zeros(len(grams), dtype=torch.int64)
            levels = []
            for char in grams[:, self.order - order :].unbind(1):
                level, node = _distinct(table._key(node, char))
                levels.append(level)
            *table.levels, table.keys = levels
            table.key_counts = torch.zeros_like(table.keys).index_add_(
                0, node, self.key_counts
            )
            shorter.append(table)
        return shorter

    def __call__(self, idx: Tensor) -> Tensor:
        """Return log P(next character | context) as logits: (B, T) -> (B, V)."""
        B, T = idx.shape
        if self.table is not None or self.block_size != T:
            return super().__call__(idx)
        P = torch.full((B, 1), 1 / len(self.vocab), dtype=torch.float64)
        for table in self.tables:
            n = table.block_size
            C = table._counts(idx[:, T - n :])  # (B, V)
            if n >= 2:
                C = C * (idx[:, T - n + 1, None] != 0)  # the word had begun already
            weight = self.fallback * ((C > 0).sum(1, keepdim=True) + 1)
            P = (C + weight * P) / (C.sum(1, keepdim=True) + weight)
        return P.log()
