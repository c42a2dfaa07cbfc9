"""How good a model is: its loss on words, and how sure that is."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from charlm.data import windows_in_parts
from charlm.vocab import Vocabulary, check_list


class Model(Protocol):
    """Anything that maps contexts (B, block_size) to logits (B, V)."""

    @property
    def block_size(self) -> int: ...

    def __call__(self, idx: Tensor, /) -> Tensor: ...


@dataclass(frozen=True)
class Evaluation:
    """The mean loss of a model on some words, in nats per character.

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


def n_parameters(model: Any) -> int:
    """Return how many numbers a model has learned: its parameters, or its counts."""
    if hasattr(model, "parameters"):
        return sum(p.numel() for p in model.parameters())
    return len(model.key_counts)


@torch.no_grad()
def losses(
    model: Callable[[Tensor], Tensor], X: Tensor, Y: Tensor, batch_size: int = 8192
) -> Tensor:
    """Return -log P(y | x) of each example, in nats: (N, T), (N,) -> (N,).

    An impossible example has an infinite loss. The model is measured in eval mode.

    Parameters
    ----------
    model : maps contexts (B, T) to logits (B, V)
    X : contexts (N, T)
    Y : the ids that follow them, (N,)
    batch_size : how many examples the model gets at once: a bound on memory
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

    Parameters
    ----------
    model : contexts (B, model.block_size) give logits (B, V)
    words : at least one, of characters that vocab has
    vocab : numbers the characters
    """
    return _mean(word_losses(model, words, vocab), words)


def paired(
    model: Model, other: Model, words: Sequence[str], vocab: Vocabulary
) -> Evaluation:
    """Return by how much the loss of model exceeds that of other on the same words.

    The standard error is that of the difference. It is much smaller than either
    model's own, as a word that is hard for the one is mostly hard for the other. Of
    two infinite losses the difference is nan.

    Raises ValueError where there are no words.

    Parameters
    ----------
    model : contexts (B, model.block_size) give logits (B, V)
    other : the same; its contexts may differ in length
    words : at least one, of characters that vocab has
    vocab : numbers the characters, of both models
    """
    first, second = (word_losses(m, words, vocab) for m in (model, other))
    return _mean(first - second, words)


def word_losses(model: Model, words: Sequence[str], vocab: Vocabulary) -> Tensor:
    """Return -log P(word), its end included, of each word, in nats: (W,), float64.

    Raises ValueError where there are no words.

    Parameters
    ----------
    model : contexts (B, model.block_size) give logits (B, V)
    words : at least one, of characters that vocab has
    vocab : numbers the characters
    """
    if not words:
        raise ValueError("there are no words to evaluate on")
    parts = windows_in_parts(words, vocab, model.block_size)
    by_character = torch.cat([losses(model, *part) for part in parts]).double()
    owner = torch.repeat_interleave(torch.arange(len(words)), n_characters(words))
    L = torch.zeros(len(words), dtype=torch.float64)
    return L.index_add_(0, owner, by_character)


def n_characters(words: Sequence[str]) -> Tensor:
    """Return how many characters each word has, its end included: (W,), int64."""
    check_list(words)
    return torch.tensor([len(word) + 1 for word in words])


def bootstrap(
    L: Tensor, n: Tensor, draws: int = 1000, *, generator: torch.Generator
) -> Tensor:
    """Return the loss on words drawn anew from the same words, each time: (draws,).

    As many words are drawn as there are, with replacement (Efron 1979). Differences of
    two models' losses can take the place of L.

    Parameters
    ----------
    L : the loss of each word, (W,), in nats, as from `word_losses`
    n : the characters of each word, (W,), as from `n_characters`
    draws : how often; with 1,000 the ends of an interval of 95 % hardly move
    generator : the source of randomness
    """
    W = len(L)
    drawn = (torch.randint(W, (W,), generator=generator) for _ in range(draws))
    return torch.stack([L[at].sum() / n[at].sum() for at in drawn])


def interval(losses: Tensor, share: float = 0.95) -> tuple[float, float]:
    """Return the ends between which the middle share of the losses, (draws,), lies."""
    tail = (1 - share) / 2
    ends = losses.new_tensor([tail, 1 - tail])
    low, high = losses.quantile(ends, interpolation="nearest").tolist()
    return low, high


def _mean(L: Tensor, words: Sequence[str]) -> Evaluation:
    """Return the mean per character of one number per word, (W,), and its error."""
    W, n = len(words), n_characters(words)
    mean, characters = L.sum() / n.sum(), int(n.sum())
    if W == 1 or not mean.isfinite():
        return Evaluation(mean.item(), None, characters)
    residual = L - mean * n
    error = (W / (W - 1) * residual.square().sum()).sqrt() / n.sum()
    return Evaluation(mean.item(), error.item(), characters)
