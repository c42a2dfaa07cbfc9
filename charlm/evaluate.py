"""How good a model is: its loss on words, with a standard error."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from charlm.data import Windows
from charlm.vocab import Vocabulary


class Model(Protocol):
    """Anything that maps contexts (B, block_size) to logits (B, V)."""

    @property
    def block_size(self) -> int: ...

    def __call__(self, idx: Tensor, /) -> Tensor: ...


@dataclass(frozen=True)
class Evaluation:
    """The mean loss of a model on some words, in nats a character.

    The standard error treats the words as drawn at random and the model as given.
    Characters of one word are not independent, so it is computed by word. It is None
    for a single word, and where the loss is not finite. characters counts the ends of
    words too.

    >>> print(f"{Evaluation(2.45441, 0.0018, 10)}; {Evaluation(2.45441, None, 4):.2f}")
    2.4544 ± 0.0018; 2.45
    """

    loss: float
    standard_error: float | None
    characters: int

    @property
    def bits_per_char(self) -> float:
        """The loss in bits, which is nats / log 2."""
        return self.loss / math.log(2)

    def __format__(self, spec: str) -> str:
        known = (self.loss, self.standard_error)
        return " ± ".join(format(x, spec or ".4f") for x in known if x is not None)

    def __str__(self) -> str:
        return format(self)


@contextmanager
def eval_mode(model: Any) -> Iterator[None]:
    """Put a model that has modes into eval mode, and each part back afterwards."""
    parts = list(model.modules()) if hasattr(model, "modules") else []
    modes = [part.training for part in parts]
    if parts:
        model.eval()
    try:
        yield
    finally:
        for part, mode in zip(parts, modes, strict=True):
            part.training = mode


@torch.no_grad()
def losses(
    model: Callable[[Tensor], Tensor], X: Tensor, Y: Tensor, batch_size: int = 8192
) -> Tensor:
    """Return -log P(y | x) of each example, in nats: (N, T), (N,) -> (N,).

    An impossible example has an infinite loss. The model is measured in eval mode.

    Parameters
    ----------
    model
        Maps contexts (B, T) to logits (B, V).
    X, Y
        Contexts (N, T), and the ids that follow them (N,).
    batch_size
        How many examples the model gets at once: a bound on memory.
    """
    with eval_mode(model):
        parts = [
            F.cross_entropy(model(x), y, reduction="none")
            for x, y in zip(X.split(batch_size), Y.split(batch_size), strict=True)
        ]
    return torch.cat(parts)


def evaluate(model: Model, words: Sequence[str], vocab: Vocabulary) -> Evaluation:
    """Return the loss of a model on words: the mean over characters and word ends.

    With L_i the summed loss and n_i the characters of word i and its end, the loss is
    L = sum L_i / sum n_i, and its standard error that of a ratio of two sums:
    sqrt(W / (W - 1) sum (L_i - L n_i)^2) / sum n_i for W words (Cochran 1977, 6.3).

    Raises ValueError where there are no words.
    """
    return _mean(word_losses(model, words, vocab), words)


def paired(
    model: Model, other: Model, words: Sequence[str], vocab: Vocabulary
) -> Evaluation:
    """Return by how much the loss of model exceeds that of other on the same words.

    The standard error is that of the difference. It is much smaller than either
    model's own, as a word that is hard for the one is mostly hard for the other. Of
    two infinite losses the difference is nan.

    Parameters
    ----------
    model, other
        Two models of the same characters; their contexts may differ in length.
    words, vocab
        What both are measured on, and the numbering of its characters.

    Raises
    ------
    ValueError
        Where there are no words.
    """
    first, second = (word_losses(m, words, vocab) for m in (model, other))
    return _mean(first - second, words)


def word_losses(model: Model, words: Sequence[str], vocab: Vocabulary) -> Tensor:
    """Return -log P(word), its end included, of each word, in nats: (W,), float64.

    Raises ValueError where there are no words.
    """
    if not words:
        raise ValueError("there are no words to evaluate on")
    examples = Windows(words, vocab, model.block_size)
    parts = torch.arange(len(examples)).split(2**16)
    by_character = torch.cat([losses(model, *examples[at]) for at in parts]).double()
    owner = torch.repeat_interleave(torch.arange(len(words)), n_characters(words))
    L = torch.zeros(len(words), dtype=torch.float64)
    return L.index_add_(0, owner, by_character)


def n_characters(words: Sequence[str]) -> Tensor:
    """Return how many characters each word has, its end included: (W,), int64."""
    return torch.tensor([len(word) + 1 for word in words])


def _mean(L: Tensor, words: Sequence[str]) -> Evaluation:
    """Return the mean a character of a number a word, (W,), and its error by word."""
    W, n = len(words), n_characters(words)
    mean, characters = L.sum() / n.sum(), int(n.sum())
    if W == 1 or not mean.isfinite():
        return Evaluation(mean.item(), None, characters)
    residual = L - mean * n
    error = (W / (W - 1) * residual.square().sum()).sqrt() / n.sum()
    return Evaluation(mean.item(), error.item(), characters)
