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
    Characters of one word are not independent, so it is computed by word; it is nan
    for a single word. characters counts the ends of words too.
    """

    loss: float
    standard_error: float
    characters: int

    @property
    def bits_per_char(self) -> float:
        """The loss in bits: nats / log 2."""
        return self.loss / math.log(2)

    def __str__(self) -> str:
        return f"{self.loss:.4f} ± {self.standard_error:.4f}"


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
    if not words:
        raise ValueError("there are no words to evaluate on")
    return _by_word(_losses_of(model, words, vocab), words)


def paired(
    model: Model, other: Model, words: Sequence[str], vocab: Vocabulary
) -> Evaluation:
    """Return by how much the loss of model exceeds that of other on the same words.

    The standard error is that of the difference. It is much smaller than either
    model's own, as a word that is hard for the one is mostly hard for the other.

    Parameters
    ----------
    model, other
        Two models of the same characters; their contexts may differ in length.
    words, vocab
        What both are measured on, and the numbering of its characters.

    Raises ValueError where there are no words.
    """
    if not words:
        raise ValueError("there are no words to evaluate on")
    difference = _losses_of(model, words, vocab) - _losses_of(other, words, vocab)
    return _by_word(difference, words)


def _losses_of(model: Model, words: Sequence[str], vocab: Vocabulary) -> Tensor:
    examples = Windows(words, vocab, model.block_size)
    parts = torch.arange(len(examples)).split(2**16)
    return torch.cat([losses(model, *examples[at]) for at in parts]).double()


def _by_word(loss: Tensor, words: Sequence[str]) -> Evaluation:
    """Return the mean of one number a character, (N,), and its error by word."""
    W = len(words)
    n = torch.tensor([len(word) + 1 for word in words])
    owner = torch.repeat_interleave(torch.arange(W), n)
    L = torch.zeros(W, dtype=torch.float64).index_add_(0, owner, loss)

    mean = L.sum() / n.sum()
    if W == 1 or not mean.isfinite():
        return Evaluation(mean.item(), math.nan, len(loss))
    residual = L - mean * n
    error = (W / (W - 1) * residual.square().sum()).sqrt() / n.sum()
    return Evaluation(mean.item(), error.item(), len(loss))
