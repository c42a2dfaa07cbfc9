"""N-gram language models: tables of counts, with no network and no gradient."""

from collections.abc import Sequence

import torch
from torch import Tensor

from charlm.data import WORDS_AT_ONCE, windows
from charlm.vocab import Vocabulary

MAX_DENSE = 2**20  # cells of a table that is worth keeping whole


def count_ngrams(
    words: Sequence[str], vocab: Vocabulary, order: int
) -> tuple[Tensor, Tensor]:
    """Return the n-grams that occur, (n, order), sorted, and how often each does, (n,).

    `NGram.fit` counts the same, faster and in less room.

    Parameters
    ----------
    words : of characters that vocab has
    vocab : numbers the characters
    order : n, how many characters are counted at once, 1 or more
    """
    X, Y = windows(words, vocab, block_size=order - 1)  # (N, order - 1), (N,)
    grams = torch.cat([X, Y[:, None]], dim=1)  # (N, order), an n-gram in each row
    return torch.unique(grams, dim=0, return_counts=True)


class NGram:
    """The probability of the next character, by counting n characters at a time.

    P(y | context) = (count(context, y) + smoothing) / (count(context) + smoothing V)

    where the context is the n - 1 characters before. A context that was never seen
    gives the uniform distribution, the limit of that formula for smoothing -> 0.

    Only n-grams that occur are stored, so the size grows with the data and not with
    V^n: a context gets a number, its node, character by character. A node and the next
    character make a key, whose place in its sorted level is the next node. A small
    table is kept whole as well, for speed. `key_counts`, (n,), int64, are the counts.

    Raises ValueError for an order below 1, and for a smoothing below 0 or infinite.

    Parameters
    ----------
    vocab : numbers the characters
    order : n, how many characters are counted at once, 1 or more
    smoothing : is added to each count, 0 or more

    Examples
    --------
    >>> words = ["emma", "ava"]
    >>> model = NGram(Vocabulary.from_words(words), order=2).fit(words)
    >>> model.probs("v").tolist()
    [0.0, 1.0, 0.0, 0.0, 0.0]
    """

    def __init__(self, vocab: Vocabulary, order: int, smoothing: float = 0.0) -> None:
        if order < 1:
            raise ValueError(f"the order of an n-gram must be at least 1, got {order}")
        if not 0 <= smoothing < float("inf"):
            raise ValueError(f"smoothing must be 0 or more and finite, got {smoothing}")
        self.vocab = vocab
        self.order = order
        self.block_size = order - 1
        self.smoothing = smoothing
        self.keys = torch.empty(0, dtype=torch.int64)
        self.levels: list[Tensor] = [self.keys] * self.block_size
        self.key_counts = torch.empty(0, dtype=torch.int64)
        self.table: Tensor | None = None

    def fit(self, words: Sequence[str]) -> "NGram":
        """Count all n-grams of the words, replacing earlier counts; return self."""
        (*self.levels, self.keys), self.key_counts = self._count(words)
        return self._with_table()

    def _count(self, words: Sequence[str]) -> tuple[list[Tensor], Tensor]:
        """Return the levels, the keys last, and the counts: in halves if need be."""
        if len(words) > WORDS_AT_ONCE:
            half = len(words) // 2
            return self._merge(self._count(words[:half]), self._count(words[half:]))
        X, Y = windows(words, self.vocab, self.block_size)
        node = torch.zeros_like(Y)
        levels = []
        for char in (*X.unbind(1), Y):
            level, node = _distinct(self._key(node, char))
            levels.append(level)
        return levels, node.bincount()

    def _merge(
        self, *parts: tuple[list[Tensor], Tensor]
    ) -> tuple[list[Tensor], Tensor]:
        """Return the counts of all parts, in which the nodes get new numbers."""
        V = len(self.vocab)
        nodes: Sequence[Tensor] = [torch.zeros(1, dtype=torch.int64)] * len(parts)
        merged = []
        for levels in zip(*(levels for levels, _ in parts)):
            keys = [self._key(n[old // V], old % V) for n, old in zip(nodes, levels)]
            level, at = _distinct(torch.cat(keys))
            merged.append(level)
            nodes = at.split([len(old) for old in levels])
        counts = torch.cat([counts for _, counts in parts])
        return merged, torch.zeros_like(level).index_add_(0, at, counts)

    def _with_table(self) -> "NGram":
        small = len(self.vocab) ** self.order <= MAX_DENSE
        self.table = self._log_probs(self.counts()) if small else None
        return self

    def state_dict(self) -> dict[str, Tensor]:
        """Return the counts as named tensors, like a network's parameters."""
        levels = {f"levels.{i}": level for i, level in enumerate(self.levels)}
        return levels | {"keys": self.keys, "key_counts": self.key_counts}

    def load_state_dict(self, state: dict[str, Tensor]) -> "NGram":
        """Take over the counts of a model of this order, or raise ValueError."""
        names = [f"levels.{i}" for i in range(self.block_size)]
        if state.keys() != {*names, "keys", "key_counts"}:
            raise ValueError(f"these are not the counts of a {self.order}-gram")
        *levels, keys = ordered = [state[name] for name in (*names, "keys")]
        counts = state["key_counts"]
        if not (
            all(t.dtype == torch.int64 and t.ndim == 1 for t in (*ordered, counts))
            and all((t.diff() > 0).all() and (t >= 0).all() for t in ordered)
            and len(keys) == len(counts)
            and (counts > 0).all()
        ):
            raise ValueError("the counts are damaged")
        self.levels, self.keys, self.key_counts = levels, keys, counts
        return self._with_table()

    def _key(self, node: Tensor, char: Tensor) -> Tensor:
        return node * len(self.vocab) + char

    def _counts(self, X: Tensor) -> Tensor:
        """Return how often each character followed each context: (B, T) -> (B, V)."""
        node = torch.zeros(len(X), dtype=torch.int64)
        seen = torch.ones(len(X), dtype=torch.bool)
        for level, char in zip(self.levels, X.unbind(1), strict=True):
            node, found = _find(level, self._key(node, char))
            seen &= found
        keys = self._key(node[:, None], torch.arange(len(self.vocab)))  # (B, V)
        at, found = _find(self.keys, keys)
        if len(self.key_counts) == 0:
            return torch.zeros_like(keys)
        return self.key_counts[at] * (found & seen[:, None])

    def grams(self) -> Tensor:
        """Return the n-grams that occur, (n, order), int64, sorted."""
        V, node, columns = len(self.vocab), self.keys, []
        for level in reversed(self.levels):
            columns.append(node % V)
            node = level[node // V]
        return torch.stack([*columns, node % V][::-1], dim=1)

    def counts(self) -> Tensor:
        """Return the dense table of counts, (V,) * order, int64: for small orders."""
        V = len(self.vocab)
        X = torch.ones((V,) * self.block_size).nonzero()  # every context, in order
        return self._counts(X).view((V,) * self.order)

    def __call__(self, idx: Tensor) -> Tensor:
        """Return log P(next character | context) as logits: (B, T) -> (B, V).

        Impossible characters have -inf; no warning comes from the arithmetic.
        Raises ValueError where T is not order - 1.
        """
        B, T = idx.shape
        if self.block_size != T:
            raise ValueError(
                f"a {self.order}-gram needs contexts of {self.block_size}, got {T}"
            )
        if self.table is not None:
            return self.table[idx.unbind(1)].expand(B, -1)
        return self._log_probs(self._counts(idx))

    def _log_probs(self, counts: Tensor) -> Tensor:
        smoothed = counts.double() + self.smoothing
        totals = smoothed.sum(-1, keepdim=True)
        uniform = 1 / len(self.vocab)
        return torch.where(totals > 0, smoothed / totals, uniform).log()

    def probs(self, prefix: str) -> Tensor:
        """Return P(next character | the word starts with prefix), (V,), float64."""
        padded = [0] * self.block_size + self.vocab.encode(prefix)
        context = padded[len(padded) - self.block_size :]
        idx = torch.tensor([context], dtype=torch.int64).view(1, self.block_size)
        return self(idx).exp().squeeze(0)

    def log_likelihood(self, word: str) -> float:
        """Return log P(word), its end included, in nats; -inf where impossible."""
        X, Y = windows([word], self.vocab, self.block_size)
        return self(X).gather(1, Y[:, None]).sum().item()


def _distinct(keys: Tensor) -> tuple[Tensor, Tensor]:
    """Return the different keys, sorted, and the place of each key among them."""
    if len(keys) == 0 or keys.max() >= MAX_DENSE:
        return torch.unique(keys, return_inverse=True)
    there = torch.zeros(int(keys.max()) + 1, dtype=torch.int64)
    there.scatter_(0, keys, 1)
    return there.nonzero().squeeze(1), there.cumsum(0)[keys] - 1


def _find(sorted_keys: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
    """Return the place of each key in sorted_keys, and whether it is there."""
    if len(sorted_keys) == 0:
        return torch.zeros_like(keys), torch.zeros_like(keys, dtype=torch.bool)
    at = torch.searchsorted(sorted_keys, keys).clamp_max(len(sorted_keys) - 1)
    return at, sorted_keys[at] == keys
