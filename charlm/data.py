"""Words in, examples out: reading, splitting, and cutting into windows."""

import itertools
import random
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from importlib.resources import files
from os import PathLike
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from charlm.vocab import InputError, Vocabulary

WORDS_AT_ONCE = 2**17


class WordsError(InputError):
    """A file of words that cannot be used; the message names the file."""


def load_words(path: str | PathLike[str] | None = None) -> list[str]:
    """Return the words of a UTF-8 text file, one a line, in the file's order.

    Without a path: the 32,257 names that come with the package. Spaces around a word
    and blank lines are dropped; spaces and dots inside a word are characters like any
    other. Raises WordsError with one sentence that names the file and the line.
    """
    if path is None:
        raw, name = files("charlm").joinpath("names.txt").read_bytes(), "names.txt"
    elif not isinstance(path, str | PathLike):
        kind = type(path).__name__
        raise WordsError(f"words are read from a file: got a {kind}, not its path")
    else:
        name = str(path)
        try:
            raw = Path(path).read_bytes()
        except FileNotFoundError:
            raise WordsError(f"{name}: there is no such file") from None
        except IsADirectoryError:
            raise WordsError(f"{name} is a folder, not a file of words") from None
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise WordsError(f"{name} cannot be read: {reason}") from None
    # Not str.splitlines: it also breaks at form feeds and other rare characters.
    raw = raw.removeprefix(BOM_UTF8).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        lines = raw.decode().split("\n")
    except UnicodeDecodeError as error:
        line_number = raw.count(b"\n", 0, error.start) + 1
        raise WordsError(
            f"{name}, line {line_number}: this is not UTF-8 text"
        ) from None
    words = [word for line in lines if (word := line.strip())]
    if not words:
        raise WordsError(f"{name} contains no words")
    return words


def split_words(
    words: Sequence[str], seed: int = 42
) -> tuple[list[str], list[str], list[str]]:
    """Return train, dev and test: 80, 10 and 10 per cent of the shuffled words.

    A copy is shuffled by Python's own generator, so that seed 42 gives the split of
    the makemore lectures on the lecture's list.
    """
    shuffled = list(words)
    random.Random(seed).shuffle(shuffled)
    n1, n2 = int(0.8 * len(shuffled)), int(0.9 * len(shuffled))
    dev, test = shuffled[n1:n2], shuffled[n2:]
    del shuffled[n1:]
    return shuffled, dev, test


class Windows:
    """Every context of the words and the id that follows it, cut out when asked for.

    A word of n characters gives n + 1 examples: one for each character, and one for
    the boundary that ends it. All ids stand in one row, each word before its boundary,
    in the smallest integers that hold them, so that ten million words take 80 MB.
    Raises ValueError for a negative block_size.

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
            row.append(_with_boundaries(part, vocab).astype(dtype))
        self.row = torch.from_numpy(np.concatenate(row))  # (T + N,)

    def to(self, device: torch.device | str) -> "Windows":
        """Move the row of ids to a device: batches are then cut there. Return self."""
        self.row = self.row.to(device)
        return self

    def __len__(self) -> int:
        """The number of examples, N."""
        return len(self.row) - self.block_size

    def __getitem__(self, at: Tensor) -> tuple[Tensor, Tensor]:
        """Return x (B, T) and y (B,), int64, of the examples numbered at (B,).

        What stands before the last boundary of a context belongs to another word, and
        is overwritten with boundaries.
        """
        at = at.to(self.row.device)
        places = torch.arange(self.block_size + 1, device=at.device)
        ids = self.row[at[:, None] + places]  # (B, T + 1), still in small integers
        x, y = ids[:, :-1], ids[:, -1]
        inside = (x != 0).flip(1).cumprod(1, dtype=x.dtype).flip(1)
        return (x * inside).long(), y.long()


def _with_boundaries(words: Sequence[str], vocab: Vocabulary) -> np.ndarray:
    """Return the ids of all words in a row, each word before the 0 that ends it."""
    lengths = np.fromiter(map(len, words), np.int64, len(words))
    row = np.zeros(lengths.sum() + len(words), np.int64)
    is_char = np.ones(len(row), bool)
    is_char[np.cumsum(lengths + 1) - 1] = False
    row[is_char] = vocab.encode_all(words)
    return row


def windows(
    words: Sequence[str], vocab: Vocabulary, block_size: int
) -> tuple[Tensor, Tensor]:
    """Return every context and the id that follows it: X (N, T) and Y (N,), int64.

    T is block_size. A word of n characters gives n + 1 examples: one for each
    character, and one for the boundary that ends it. A context that reaches back
    beyond the start of its word is filled up with boundaries.
    """
    examples = Windows(words, vocab, block_size)
    return examples[torch.arange(len(examples))]


def followers(X: Tensor, Y: Tensor, vocab_size: int) -> Tensor:
    """Return the shares of what follows the context of each example: (N, V).

    X (N, T) and Y (N,) are as from `windows`. The shares are targets like Y, and ask
    for the same: over all examples, the loss and its gradient are equal. But a batch
    of them says more, as the luck of which follower was drawn is gone.

    >>> X = torch.tensor([[0, 1], [0, 1], [1, 2]])
    >>> followers(X, torch.tensor([2, 0, 0]), 3).tolist()
    [[0.5, 0.0, 0.5], [0.5, 0.0, 0.5], [1.0, 0.0, 0.0]]
    """
    row = torch.zeros(len(X), dtype=torch.int64)  # equal contexts have equal numbers
    for ids in X.T:
        row = torch.unique(row * vocab_size + ids, return_inverse=True)[1]
    cells = (int(row.max()) + 1) * vocab_size
    counts = torch.bincount(row * vocab_size + Y, minlength=cells).view(-1, vocab_size)
    return (counts / counts.sum(1, keepdim=True))[row]


def batches(
    X: Tensor,
    Y: Tensor,
    batch_size: int | tuple[int, int],
    *,
    generator: torch.Generator,
    steps: int | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield random minibatches x (B, T) and y (B,), steps of them or without end.

    Examples are drawn with replacement, so every batch is independent of the others.

    Parameters
    ----------
    X, Y
        All contexts (N, T), and the ids that follow them (N,).
    batch_size
        B, the number of examples in each batch; or (S, B), for S nets that are trained
        side by side: x is then (S, B, T) and y (S, B).
    generator
        The source of randomness; its state says all about the batches to come.
    steps
        How many batches; None for no end.

    Raises
    ------
    ValueError
        At the first batch, where X and Y differ in length or a batch would be empty.
    """
    if len(X) != len(Y):
        raise ValueError(f"there are {len(X)} contexts but {len(Y)} targets")
    shape = (batch_size,) if isinstance(batch_size, int) else batch_size
    if len(X) == 0 or min(shape) < 1:
        raise ValueError(f"cannot draw {batch_size} of {len(X)} examples")
    for _ in itertools.count() if steps is None else range(steps):
        at = torch.randint(len(X), shape, generator=generator)
        yield X[at], Y[at]
