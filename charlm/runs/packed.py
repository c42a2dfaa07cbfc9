"""Very many words in little room: in one row of bytes, cut out when asked for."""

import operator
import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from math import isqrt
from typing import overload

import numpy as np
import torch

from charlm.data import WORDS_AT_ONCE
from charlm.prefixes import in_a_row
from charlm.vocab import InputError, check_list

# So many words are shown for all of them.
SHOWN = 6


class PackedWords(Sequence[str]):
    """Words as a list has them, but packed: ten million take 120 MB instead of 720.

    All are in one row of UTF-8, each before a line end. One word comes out as a string,
    a slice as packed words on the same row. They equal a list of the same words, but
    cannot be changed: `list` makes a list of them.

    Parameters
    ----------
    row : UTF-8 with a line end after each word, uint8
    starts : where each word starts in the row, and where one more would, (n + 1,)

    Examples
    --------
    >>> words = PackedWords.of([["emma", "ava"], ["mia"]])
    >>> words[-1], words[:2], words == ["emma", "ava", "mia"]
    ('mia', ['emma', 'ava'], True)
    """

    def __init__(self, row: np.ndarray, starts: np.ndarray) -> None:
        self.row, self.starts = row, starts

    @classmethod
    def of(cls, parts: Iterable[Sequence[str]]) -> "PackedWords":
        """Return the words of some lists of them, in their order.

        Raises InputError for a string in place of a list, and at a line break in one.
        """
        return cls._of_rows(map(_row, parts))

    @classmethod
    def _of_rows(cls, rows: Iterable[bytes]) -> "PackedWords":
        row, starts = bytearray(), [np.zeros(1, np.uint8)]
        for part in rows:
            ends = np.flatnonzero(np.frombuffer(part, np.uint8) == ord("\n"))
            small = np.min_scalar_type(len(row) + len(part))
            starts.append((ends + len(row) + 1).astype(small))
            row += part
        return cls(np.frombuffer(row, np.uint8), np.concatenate(starts))

    def __len__(self) -> int:
        """The number of words."""
        return len(self.starts) - 1

    def __iter__(self) -> Iterator[str]:
        """Return the words one by one; few of them exist at a time."""
        return chain.from_iterable(text.split("\n") for text in self._texts())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, list | PackedWords):
            return NotImplemented
        return len(self) == len(other) and all(map(operator.eq, self, other))

    def __add__(self, other: "list[str] | PackedWords") -> list[str]:
        """Return these words and others, as a list."""
        return [*self, *other]

    def __radd__(self, other: list[str]) -> list[str]:
        return [*other, *self]

    def __repr__(self) -> str:
        if len(self) <= SHOWN:
            return repr(list(self))
        return f"<{len(self):,} words: {', '.join(map(repr, self[:SHOWN]))}, ...>"

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> "PackedWords": ...
    def __getitem__(self, at: int | slice) -> "str | PackedWords":
        """Return the word with a number, or those of a slice."""
        if not isinstance(at, slice):
            at = range(len(self))[at]
            return self._text(at, at + 1)
        start, stop, step = at.indices(len(self))
        if step != 1:
            return self.pick(np.arange(start, stop, step))
        return PackedWords(self.row, self.starts[start : max(start, stop) + 1])

    def pick(self, at: np.ndarray) -> "PackedWords":
        """Return the words with some numbers, (n,), in their order, on a row anew."""
        parts = range(0, len(at), WORDS_AT_ONCE)
        return self._of_rows(self._rows(at[i : i + WORDS_AT_ONCE]) for i in parts)

    def chars(self) -> set[str]:
        """Return the characters that occur in the words."""
        found: set[str] = set()
        for text in self._texts():
            found.update(text)
        return found - {"\n"}

    def longest(self) -> int:
        """Return how many characters the longest word has; there has to be one."""
        sizes = np.diff(self.starts)  # in bytes: no character has less than one
        some = len(self[int(sizes.argmax())])
        return max(map(len, self.pick(np.flatnonzero(sizes > some))))

    def _texts(self) -> Iterator[str]:
        """Yield the words in parts, with line ends in between."""
        for start in range(0, len(self), WORDS_AT_ONCE):
            yield self._text(start, min(start + WORDS_AT_ONCE, len(self)))

    def _text(self, start: int, stop: int) -> str:
        a, b = int(self.starts[start]), int(self.starts[stop])
        return self.row[a : b - 1].tobytes().decode()

    def _rows(self, at: np.ndarray) -> bytes:
        start, stop = (self.starts[i].astype(np.int64) for i in (at, at + 1))
        places = in_a_row(torch.from_numpy(start), torch.from_numpy(stop - start))
        return self.row[places.numpy()].tobytes()


def _row(words: Sequence[str]) -> bytes:
    check_list(words)
    text = "\n".join([*words, ""])
    if text.count("\n") != len(words):
        raise InputError("a word has no line break")
    return text.encode()


def split_packed(
    words: PackedWords, seed: int = 42
) -> tuple[PackedWords, PackedWords, PackedWords]:
    """Return train, dev and test as `charlm.data.split_words` does, packed.

    Parameters
    ----------
    words : any number of them
    seed : of Python's own generator, as in `split_words`
    """
    n1, n2 = int(0.8 * len(words)), int(0.9 * len(words))
    order = np.split(_shuffled(len(words), seed), [n1, n2])
    train, dev, test = map(words.pick, order)
    return train, dev, test


def _shuffled(n: int, seed: int) -> np.ndarray:
    """Return 0 to n - 1 as `random.Random(seed).shuffle` orders them, (n,), uint32.

    It swaps each place, from the last on, with a random one that is not after it. Here
    many places are swapped at once, unless two of these swaps share a place. That is
    rare among few swaps: of k at n places, about k^2 / n pairs do.

    Parameters
    ----------
    n : below 2^32
    seed : of Python's own generator
    """
    order = np.arange(n, dtype=np.uint32)
    for left, drawn in _draws(n, seed):
        few = isqrt(left) // 6 + 1
        for js in np.split(drawn, range(few, len(drawn), few)):
            top = order[left - len(js) : left][::-1]
            old, new = top.copy(), order[js]
            order[js] = old
            if js.max(initial=0) < left - len(js) and (order[js] == old).all():
                top[:] = new
            else:
                order[js] = new  # as they were
                for i, j in zip(range(left - 1, 0, -1), js):
                    order[i], order[j] = order[j], order[i]
            left -= len(js)
    return order


def _draws(n: int, seed: int) -> Iterator[tuple[int, np.ndarray]]:
    """Yield m, and the places that the shuffle draws for m - 1, m - 2, and so on.

    For one of m places Python takes as many bits as m has, again and again until they
    are below m. In a block of draws m falls by 1 with each that is taken: which ones
    are, is guessed and mended until nothing changes.
    """
    *key, pos = random.Random(seed).getstate()[1]
    bits = np.random.MT19937()  # Python's own generator
    bits.state = {"bit_generator": "MT19937", "state": {"key": key, "pos": pos}}
    raw = bits.random_raw(0)
    while n > 1:
        size = min(2**16, n // 8 + 1)
        raw = np.append(raw, bits.random_raw(max(size - len(raw), 0)))
        k = n.bit_length()
        drawn = (raw[:size] >> np.uint64(32 - k)).astype(np.int64)
        taken = drawn < n
        while ((mended := drawn < n - taken.cumsum() + taken) != taken).any():
            taken = mended
        most = n - 2 ** (k - 1) + 1  # after them n has a bit less
        at = taken.nonzero()[0][:most]
        raw = raw[at[-1] + 1 if len(at) == most else size :]
        yield n, drawn[at]
        n -= len(at)
