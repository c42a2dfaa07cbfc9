"""The examples of very many words: kept as one row, cut out batch by batch."""

import operator
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from charlm.data import WORDS_AT_ONCE, ids_in_a_row, own_word, soft_targets
from charlm.prefixes import in_a_row
from charlm.vocab import Vocabulary

#: Up to so many examples, each asks for all that followed its context.
SOFT_UP_TO = 2**20


# The numbers of examples: a tensor or an array, a list, a slice, or one alone.
Numbers: TypeAlias = Tensor | np.ndarray | Sequence[int] | slice | int


def _numbers(at: Any, n: int) -> tuple[Tensor, bool]:
    """Return numbers from 0 to n - 1 as a tensor (B,), and whether it was one alone.

    Negative ones count from the end. A tensor is taken as it is, unchecked: in each
    step of a training it comes from a generator.
    """
    if isinstance(at, slice):
        return torch.arange(*at.indices(n)), False
    if isinstance(at, np.ndarray) and at.ndim:
        at = torch.from_numpy(at)
    if isinstance(at, Tensor) and at.ndim:
        return at.nonzero().squeeze(1) if at.dtype == torch.bool else at, False
    is_one = not isinstance(at, Sequence)
    listed = [operator.index(number) for number in ([at] if is_one else at)]
    for number in listed:
        if not -n <= number < n:
            raise IndexError(f"there is no example {number}, only {n:,} of them")
    return torch.tensor(listed, dtype=torch.int64) % max(n, 1), is_one


class Windows:
    """Every context of the words and the id that follows it, cut out when asked for.

    A word of n characters gives n + 1 examples: one for each character, and one for
    the boundary that ends it. All ids are in one row, each word before its boundary,
    in the smallest integers that hold them, so that ten million words take 80 MB.

    Raises ValueError where block_size is negative.

    Parameters
    ----------
    words : of characters that vocab has
    vocab : numbers the characters
    block_size : T, the length of a context, 0 or more

    A tensor, a list or a slice of numbers gives that many examples at once, one number
    gives one: so it is a data set for ``torch.utils.data.DataLoader``.

    Examples
    --------
    >>> examples = Windows(["emma", "ava"], Vocabulary(("a", "e", "m", "v")), 3)
    >>> x, y = examples[torch.tensor([2, 6])]
    >>> x.tolist(), y.tolist()
    ([[0, 2, 3], [0, 0, 1]], [3, 4])
    """

    def __init__(
        self, words: Sequence[str], vocab: Vocabulary, block_size: int
    ) -> None:
        if block_size < 0:
            raise ValueError(f"block_size must not be negative, got {block_size}")
        self.block_size = block_size
        dtype = np.min_scalar_type(-len(vocab))  # signed, as torch has no uint16
        row = [np.zeros(block_size, dtype)]
        for start in range(0, len(words), WORDS_AT_ONCE):
            part = words[start : start + WORDS_AT_ONCE]
            row.append(ids_in_a_row(part, vocab).astype(dtype))
        self.row = torch.from_numpy(np.concatenate(row))  # (T + N,)

    def to(self, device: torch.device | str) -> "Windows":
        """Move the row of ids to a device: batches are then cut there. Return self."""
        self.row = self.row.to(device)
        return self

    def __len__(self) -> int:
        """The number of examples, N."""
        return len(self.row) - self.block_size

    def __getitem__(self, at: Numbers) -> tuple[Tensor, Tensor]:
        """Return x (B, T) and y (B,), int64, of the examples numbered at (B,).

        Of one number: x (T,) and y (). Raises IndexError where there is none such.
        """
        places, is_one = _numbers(at, len(self))
        x, y = self._cut(places)
        return (x[0], y[0]) if is_one else (x, y)

    def __getitems__(self, at: Sequence[int]) -> list[tuple[Tensor, Tensor]]:
        """Return the examples one by one, cut at once: a DataLoader asks for that."""
        return list(zip(*self[at], strict=True))

    def _cut(self, at: Tensor) -> tuple[Tensor, Tensor]:
        at = at.to(self.row.device)
        places = torch.arange(self.block_size + 1, device=at.device)
        ids = self.row[at[:, None] + places]  # (B, T + 1), still in small integers
        return own_word(ids[:, :-1]).long(), ids[:, -1].long()


class WholeWords(Windows):
    """The examples of whole words, for a model that reads a word from its start.

    Its items are words, not examples. Targets are shares, (M, V): of all that followed
    the context in these words, or of very many examples, of the one id that did.

    Parameters
    ----------
    words : as in `Windows`
    vocab : as in `Windows`
    block_size : as in `Windows`

    Examples
    --------
    >>> words = WholeWords(["ab", "aa", "b"], Vocabulary(("a", "b")), 2)
    >>> x, y = words[torch.tensor([0])]
    >>> x.tolist(), y.tolist()[1]
    ([[0, 0], [0, 1], [1, 2]], [0.0, 0.5, 0.5])
    """

    def __init__(
        self, words: Sequence[str], vocab: Vocabulary, block_size: int
    ) -> None:
        super().__init__(words, vocab, block_size)
        self.vocab_size = len(vocab)
        ids = self.row[block_size:]
        ends = (ids == 0).nonzero().squeeze(1)  # (W,)
        self.size = torch.diff(ends, prepend=ends.new_tensor([-1]))
        self.first = ends + 1 - self.size
        self.order: tuple[tuple[int, int], Tensor] | None = None  # of one pass
        self.shares: Tensor | None = None
        if len(ids) <= SOFT_UP_TO:
            examples = self._cut(torch.arange(len(ids)))
            self.shares = soft_targets(*examples, len(vocab))

    def to(self, device: torch.device | str) -> "WholeWords":
        """Move all to a device: batches are then cut there. Return self."""
        super().to(device)
        self.first, self.size = self.first.to(device), self.size.to(device)
        self.shares = None if self.shares is None else self.shares.to(device)
        return self

    def __len__(self) -> int:
        """The number of words, W."""
        return len(self.first)

    def __getitem__(self, at: Numbers) -> tuple[Tensor, Tensor]:
        """Return x (M, T) and y (M, V) of the words numbered at (B,), or of one word.

        Raises IndexError for a number that is not there.
        """
        at = _numbers(at, len(self))[0].to(self.row.device)
        places = in_a_row(self.first[at], self.size[at])
        x, y = self._cut(places)
        if self.shares is not None:
            return x, self.shares[places]
        return x, one_hot(y, self.vocab_size).float()

    def passes(self, seed: int, start: int, size: int) -> Tensor:
        """Return the numbers of words from a place on in an endless row: (size,).

        The row is made of passes. Each has all words once, in an order of its own, so
        that a training which was stopped finds its place again.

        Parameters
        ----------
        seed : of the orders
        start : the place in the row, 0 or more
        size : how many words
        """
        number, place = divmod(start, len(self))
        parts, found = [], 0
        while found < size:
            if self.order is None or self.order[0] != (seed, number):
                generator = torch.Generator().manual_seed((seed + number) % 2**63)
                order = torch.randperm(len(self), generator=generator)
                self.order = (seed, number), order
            parts.append(self.order[1][place : place + size - found])
            found += len(parts[-1])
            number, place = number + 1, 0
        return torch.cat(parts)

    def __getitems__(self, at: Sequence[int]) -> list[tuple[Tensor, Tensor]]:
        """Return the words one by one; `collate` makes a batch of them."""
        return [self[number] for number in at]

    @staticmethod
    def collate(words: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
        """Return one batch of words of any lengths: a DataLoader's ``collate_fn``."""
        x, y = zip(*words, strict=True)
        return torch.cat(x), torch.cat(y)

    def n_examples(self, at: Tensor) -> int:
        """Return how many examples the words numbered at (B,) have, M."""
        return int(self.size[at.to(self.size.device)].sum())
