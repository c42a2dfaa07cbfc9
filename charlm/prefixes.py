"""The distinct beginnings of words, for a net whose state depends on all before."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor


class Level(NamedTuple):
    """The distinct prefixes of one length n: the last id, (m,), and the one before.

    `parents` numbers the prefix without that id, (m,), among those of length n - 1.
    """

    ids: Tensor
    parents: Tensor


def distinct_prefixes(idx: Tensor, vocab_size: int) -> tuple[list[Level], Tensor]:
    """Return the prefixes of all contexts, shortest first, and where each context ends.

    A context (T,) ends a prefix: the boundary that begins its word, then the
    characters after it. Boundaries before that one only fill it up. The prefixes of a
    few hundred words begin alike, so that there are fewer of them than characters: a
    trie. The second is the number of each context's own prefix among all, in the
    order of the levels, (B,).
    Raises RuntimeError in `torch.export`: how many there are depends on the ids.

    Parameters
    ----------
    idx : contexts (B, T), T at least 1, as from `windows`
    vocab_size : V, the number of ids

    Examples
    --------
    >>> idx = torch.tensor([[0, 0, 0], [0, 0, 5], [0, 5, 2], [0, 5, 3]])
    >>> levels, at = distinct_prefixes(idx, 27)
    >>> [level.ids.tolist() for level in levels], at.tolist()
    ([[0], [5], [2, 3]], [0, 1, 2, 3])
    """
    if getattr(torch.compiler, "is_exporting", bool)():  # torch 2.6 lacks it
        raise RuntimeError(
            "the number of distinct prefixes depends on the ids, so this cannot be "
            "exported: export the model's all_places, which has fixed shapes"
        )
    B, T = idx.shape
    filling = ((idx == 0).cumprod(1).sum(1) - 1).clamp(min=0)  # (B,)
    place = torch.arange(T, device=idx.device) + filling[:, None]
    rows = idx.gather(1, place.clamp(max=T - 1))  # (B, T), begin at the left
    at = torch.zeros_like(filling)  # (B,), the prefix so far, in its level
    number = torch.zeros_like(filling)  # (B,), the same, among all
    going = torch.arange(B, device=idx.device)
    levels: list[Level] = []
    done = 0
    for t in range(T):
        going = going[t + filling[going] < T]
        if len(going) == 0:
            break
        code = at[going] * vocab_size + rows[going, t]
        distinct, inverse = torch.unique(code, return_inverse=True)
        levels.append(Level(distinct % vocab_size, distinct // vocab_size))
        at[going], number[going] = inverse, inverse + done
        done += len(distinct)
    return levels, number


def batches_of_words(
    X: Tensor,
    Y: Tensor,
    batch_size: int,
    *,
    generator: torch.Generator,
    steps: int,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield all examples of random words: x (M, T) and y, (M,) or (M, V), each time.

    Words are drawn with replacement. Where an example is drawn by itself, as
    `batches` does, few of a batch share a prefix.

    Parameters
    ----------
    X : contexts (N, T), as from `windows`, word after word
    Y : the ids that follow them, (N,), or shares (N, V), as from `soft_targets`
    batch_size : how many words
    generator : the source of randomness
    steps : how many batches
    """
    first, size = _words(X)
    for _ in range(steps):
        word = torch.randint(len(first), (batch_size,), generator=generator)
        at = in_a_row(first[word], size[word])
        yield X[at], Y[at]


def passes_of_words(
    X: Tensor,
    Y: Tensor,
    batch_size: int,
    *,
    generator: torch.Generator,
    steps: int,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield all examples of words, as `batches_of_words`, but each word once per pass.

    With replacement, chance shows some words twice as often as others. Here every pass
    shuffles the words and goes through them; a batch may end one pass and begin
    another. Its place in the pass is not in the generator, so that a training that was
    stopped cannot go on from there.

    Parameters
    ----------
    X : contexts (N, T), as from `windows`, word after word
    Y : the ids that follow them, (N,), or shares (N, V), as from `soft_targets`
    batch_size : how many words
    generator : the source of randomness
    steps : how many batches
    """
    first, size = _words(X)
    waiting = first.new_empty(0)
    for _ in range(steps):
        while len(waiting) < batch_size:
            again = torch.randperm(len(first), generator=generator)
            waiting = torch.cat([waiting, again])
        word, waiting = waiting[:batch_size], waiting[batch_size:]
        at = in_a_row(first[word], size[word])
        yield X[at], Y[at]


def _words(X: Tensor) -> tuple[Tensor, Tensor]:
    """Return where each word's examples begin, (W,), and how many it has, (W,)."""
    first = (X != 0).any(1).logical_not().nonzero().squeeze(1)  # (W,)
    return first, torch.diff(first, append=first.new_tensor([len(X)]))


def in_a_row(first: Tensor, size: Tensor) -> Tensor:
    """Return the numbers from each first on, size of them: (n,), (n,) -> (sum,).

    >>> in_a_row(torch.tensor([5, 0]), torch.tensor([3, 2])).tolist()
    [5, 6, 7, 0, 1]
    """
    ends = size.cumsum(0)
    shift = torch.repeat_interleave(first - ends + size, size)
    return shift + torch.arange(len(shift), device=shift.device)
