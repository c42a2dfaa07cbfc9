"""Words in, examples out: reading, splitting, and cutting into windows."""

import itertools
import random
import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor

from charlm._formats import no_text, not_utf_8
from charlm.vocab import InputError, Vocabulary, check_list

WORDS_AT_ONCE = 2**17
BYTES_AT_ONCE = 2**20


class WordsError(InputError):
    """A file of words that cannot be used; the message names the file."""


def load_words(path: str | PathLike[str] | BinaryIO | None = None) -> list[str]:
    """Return the words of a UTF-8 text file, one per line, in the file's order.

    Without a path: the 32,257 names that come with the package. An open file, such as
    `sys.stdin.buffer`, is read to its end. Spaces around a word, byte-order marks
    before it and blank lines are dropped; spaces and dots inside a word are characters
    like any other. Raises WordsError with one sentence that names the file and, where
    it can, the line.
    """
    return read_words(path)[0]


def read_words(
    path: str | PathLike[str] | BinaryIO | None,
) -> tuple[list[str], bytes]:
    """Return the words as `load_words` does, WordsErrors too, and the content read."""
    parts, content = read_in_parts(path)
    return list(itertools.chain.from_iterable(parts)), content


def read_in_parts(
    path: str | PathLike[str] | BinaryIO | None,
) -> tuple[Iterator[list[str]], bytes]:
    """Return what `read_words` does, but the words in parts, made when asked for.

    A part that cannot be used raises WordsError when it is met.
    """
    name: Any = "names.txt" if path is None else path
    try:
        if path is None:
            content = files("charlm").joinpath(name).read_bytes()
        elif hasattr(path, "read"):
            name, content = name.name, name.read()
        else:
            content = Path(path).read_bytes()
    except TypeError:
        kind = type(path).__name__
        raise WordsError(
            f"words are read from a file: got a {kind}, not its path"
        ) from None
    except FileNotFoundError:
        raise WordsError(f"{name}: there is no such file") from None
    except IsADirectoryError:
        raise WordsError(f"{name} is a folder, not a file of words") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise WordsError(f"{name} cannot be read: {reason}") from None
    if what := no_text(content):
        raise WordsError(f"{name} {what}")
    # Not str.splitlines: it also breaks at form feeds and other rare characters.
    text = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if BOM_UTF8 in text:  # of several files in a row, each may begin with one
        text = re.sub(b"^(?:%s)+" % BOM_UTF8, b"", text, flags=re.M)
    return _stripped_lines(text, name), content


def _stripped_lines(text: bytes, name: str) -> Iterator[list[str]]:
    """Yield the words of a text in parts, which end where lines do."""
    start, is_empty = 0, True
    while start < len(text):
        end = text.find(b"\n", start + BYTES_AT_ONCE) + 1 or len(text)
        try:
            lines = text[start:end].decode().split("\n")
        except UnicodeDecodeError as error:
            where = not_utf_8(text, start + error.start)
            raise WordsError(f"{name}{where}") from None
        words = [word for line in lines if (word := line.strip())]
        is_empty = is_empty and not words
        yield words
        start = end
    if is_empty:
        raise WordsError(f"{name} contains no words")


def split_words(
    words: Sequence[str], seed: int = 42
) -> tuple[list[str], list[str], list[str]]:
    """Return train, dev and test: 80, 10 and 10 percent of the shuffled words.

    Parameters
    ----------
    words : any number of them; a copy is shuffled
    seed : of Python's own generator; 42 gives the lectures' split of their list
    """
    check_list(words)
    shuffled = list(words)
    random.Random(seed).shuffle(shuffled)
    n1, n2 = int(0.8 * len(shuffled)), int(0.9 * len(shuffled))
    dev, test = shuffled[n1:n2], shuffled[n2:]
    del shuffled[n1:]
    return shuffled, dev, test


def windows(
    words: Sequence[str], vocab: Vocabulary, block_size: int
) -> tuple[Tensor, Tensor]:
    """Return every context and the id that follows it: X (N, T) and Y (N,), int64.

    A word of n characters gives n + 1 examples: one for each character, and one for
    the boundary that ends it. A context that reaches back beyond the start of its word
    is filled up with boundaries.

    Parameters
    ----------
    words : of characters that vocab has
    vocab : numbers the characters
    block_size : T, the length of a context, 0 or more
    """
    X, Y = zip(*windows_in_parts(words, vocab, block_size))
    return torch.cat(X), torch.cat(Y)


def windows_in_parts(
    words: Sequence[str], vocab: Vocabulary, block_size: int, size: int = 2**16
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield what `windows` returns in parts, x (B, T) and y (B,), to bound memory.

    Raises ValueError where block_size is negative.

    Parameters
    ----------
    words : as in `windows`
    vocab : as in `windows`
    block_size : as in `windows`
    size : the highest B
    """
    if block_size < 0:
        raise ValueError(f"block_size must not be negative, got {block_size}")
    row = torch.from_numpy(ids_in_a_row(words, vocab))  # (N,)
    padded = torch.cat([row.new_zeros(block_size), row])  # (T + N,)
    contexts = padded.unfold(0, block_size, 1)[: len(row)]  # (N, T), a view
    for x, y in zip(contexts.split(size), row.split(size), strict=True):
        yield own_word(x), y


def own_word(X: Tensor) -> Tensor:
    """Return contexts (N, T) with boundaries in place of other words' characters."""
    inside = (X != 0).flip(1).cumprod(1, dtype=X.dtype).flip(1)
    return X * inside


def ids_in_a_row(words: Sequence[str], vocab: Vocabulary) -> np.ndarray:
    """Return the ids of all words in a row, each word before its boundary, (N,)."""
    ids = vocab.encode_all(words)
    lengths = np.fromiter(map(len, words), np.int64, len(words))
    row = np.zeros(lengths.sum() + len(words), np.int64)
    is_char = np.ones(len(row), bool)
    is_char[np.cumsum(lengths + 1) - 1] = False
    row[is_char] = ids
    return row


def soft_targets(X: Tensor, Y: Tensor, vocab_size: int) -> Tensor:
    """Return the share of each id among all that follow an example's context: (N, V).

    The shares are targets like Y, and ask for the same: over all examples, the loss and
    its gradient are equal. But a batch of them is less noisy: which follower
    was drawn no longer matters.

    Parameters
    ----------
    X : contexts (N, T), as from `windows`
    Y : the ids that follow them, (N,)
    vocab_size : V, the number of ids

    Examples
    --------
    >>> X = torch.tensor([[0, 1], [0, 1], [1, 2]])
    >>> soft_targets(X, torch.tensor([2, 0, 0]), 3).tolist()
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
    Raises ValueError at the first batch, where X and Y differ in length or a batch
    would be empty.

    Parameters
    ----------
    X : all contexts (N, T)
    Y : the ids that follow them, (N,)
    batch_size : B, the number of examples in each batch; or (S, B), for S nets that are
        trained side by side: x is then (S, B, T) and y (S, B)
    generator : the source of randomness; its state determines all batches to come
    steps : how many batches; None for no end
    """
    if len(X) != len(Y):
        raise ValueError(f"there are {len(X)} contexts but {len(Y)} targets")
    shape = (batch_size,) if isinstance(batch_size, int) else batch_size
    if len(X) == 0 or min(shape) < 1:
        raise ValueError(f"cannot draw {batch_size} of {len(X)} examples")
    for _ in itertools.count() if steps is None else range(steps):
        at = torch.randint(len(X), shape, generator=generator)
        yield X[at], Y[at]
