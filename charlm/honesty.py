"""What a loss alone does not say: how sure it is, and what the model remembers."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from charlm.data import Windows
from charlm.evaluate import (
    Evaluation,
    Model,
    eval_mode,
    evaluate,
    n_characters,
    word_losses,
)
from charlm.sample import sample_words
from charlm.vocab import Vocabulary


def bootstrap(
    L: Tensor, n: Tensor, draws: int = 1000, *, generator: torch.Generator
) -> Tensor:
    """Return the loss on words drawn anew from the same words, each time: (draws,).

    As many words are drawn as there are, with replacement (Efron 1979). Differences of
    two models' losses can take the place of L.

    Parameters
    ----------
    L, n
        Each word's loss and its characters, (W,), as from `charlm.evaluate`.
    draws
        How often.
    generator
        The source of randomness.
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


def by_seen(
    model: Model, words: Sequence[str], train: Collection[str], vocab: Vocabulary
) -> tuple[Evaluation | None, Evaluation | None]:
    """Return the loss on the words that stand in train, and on the others.

    None stands for a loss on no words.

    Parameters
    ----------
    model, words, vocab
        As in `evaluate`.
    train
        The words that the model learned from.
    """
    known = set(train)
    parts = ([w for w in words if (w in known) is seen] for seen in (True, False))
    first, second = (evaluate(model, w, vocab) if w else None for w in parts)
    return first, second


def share_in(words: Sequence[str], known: Collection[str]) -> float:
    """Return the share of the words that stand among the known ones.

    Raises ValueError where there are no words.

    >>> share_in(["emma", "emmo", "ava", "emma"], ["emma", "mia"])
    0.5
    """
    if not words:
        raise ValueError("there are no words to look for")
    known = set(known)
    return sum(w in known for w in words) / len(words)


@dataclass(frozen=True)
class Calibration:
    """How sure a model was of its likeliest character, and how often that came.

    Examples are sorted into bins by how sure it was. Each field is (bins,): the number
    of examples, the mean probability, the share in which the character came. The
    latter two are nan in an empty bin.
    """

    count: Tensor
    predicted: Tensor
    observed: Tensor

    @property
    def error(self) -> float:
        """The expected calibration error, the mean gap of the two over examples."""
        return self._mean((self.predicted - self.observed).abs())

    @property
    def overconfidence(self) -> float:
        """Mean probability minus mean share, above 0 where it was too sure."""
        return self._mean(self.predicted - self.observed)

    def _mean(self, gap: Tensor) -> float:
        """Return the mean over examples of a number a bin, (bins,); nan where empty."""
        total = (gap.nan_to_num() * self.count).sum()
        return total.item() / self.count.sum().item()


@torch.no_grad()
def calibration(
    model: Model, words: Sequence[str], vocab: Vocabulary, bins: int = 10
) -> Calibration:
    """Return how far the model's probabilities can be taken at their word.

    After Guo et al. (2017).

    Parameters
    ----------
    model, words, vocab
        As in `evaluate`.
    bins
        Into how many equal parts the probabilities from 0 to 1 are cut.

    Raises
    ------
    ValueError
        Where there are no words.
    """
    if not words:
        raise ValueError("there are no words to evaluate on")
    examples = Windows(words, vocab, model.block_size)
    totals = torch.zeros(3, bins, dtype=torch.float64)
    with eval_mode(model):
        for at in torch.arange(len(examples)).split(8192):
            x, y = examples[at]
            sure, likeliest = model(x).double().softmax(1).max(1)  # (B,), (B,)
            right = (likeliest == y).double()
            numbers = torch.stack([torch.ones_like(sure), sure, right])  # (3, B)
            totals.index_add_(1, (sure * bins).long().clamp_max(bins - 1), numbers)
    count, probability, came = totals
    return Calibration(count.long(), probability / count, came / count)


@dataclass(frozen=True)
class Report:
    """A loss with all that belongs to it; losses are in nats a character.

    interval holds 95 % of the losses on redrawn words. share_seen is that of the words
    which stand in train; copied that of the words drawn from the model, n_samples, and
    None if none were.
    """

    score: Evaluation
    interval: tuple[float, float]
    share_seen: float
    seen: Evaluation | None
    unseen: Evaluation | None
    calibration: Calibration
    n_samples: int
    copied: float | None

    def sentences(self) -> list[str]:
        """Return what goes beyond the loss, a sentence each."""
        low, high = self.interval
        c = self.calibration
        side = "sure" if c.overconfidence > 0 else "timid"
        return [
            f"On words drawn anew from these, 95 % of the losses lie from "
            f"{low:.4f} to {high:.4f}.",
            f"{self.share_seen:.1%} of the words stand in train: their loss is "
            f"{self.seen or 'unknown'}, that of the others {self.unseen or 'unknown'}.",
            *self._copies(),
            f"Its probabilities are off by {c.error:.1%} on average (calibration "
            f"error); on the whole it is too {side} by {abs(c.overconfidence):.1%}.",
        ]

    def _copies(self) -> list[str]:
        p, n = self.copied, self.n_samples
        if p is None:
            return []
        error = math.sqrt(p * (1 - p) / n)
        return [
            f"Of {n:,} words that the model wrote, {p:.1%} ± {error:.1%} "
            "stand in train."
        ]

    def as_dict(self) -> dict[str, Any]:
        """Return the same as numbers, for JSON.

        None stands for what is unknown: a loss on no words, the error of a loss on one
        word, the shares of an empty bin.
        """
        c = self.calibration
        return {
            "interval": list(self.interval),
            "share_seen": self.share_seen,
            "seen": _pair(self.seen),
            "unseen": _pair(self.unseen),
            "n_samples": self.n_samples,
            "copied": self.copied,
            "calibration_error": c.error,
            "overconfidence": c.overconfidence,
            "calibration": {
                "count": c.count.tolist(),
                "predicted": _known(c.predicted),
                "observed": _known(c.observed),
            },
        }


def _known(shares: Tensor) -> list[float | None]:
    return [None if math.isnan(share) else share for share in shares.tolist()]


def _pair(score: Evaluation | None) -> dict[str, float | None] | None:
    if score is None:
        return None
    return {"loss": score.loss, "standard_error": score.standard_error}


def report(
    model: Model,
    words: Sequence[str],
    train: Collection[str],
    vocab: Vocabulary,
    *,
    n_samples: int = 1000,
    seed: int = 1,
) -> Report:
    """Return the model's loss on words, and all that belongs to it.

    Parameters
    ----------
    model, words, vocab
        As in `evaluate`.
    train
        The words that the model learned from.
    n_samples, seed
        How many words to draw from the model, and the seed of all that is drawn.

    Raises
    ------
    ValueError
        Where there are no words.
    """
    generator = torch.Generator().manual_seed(seed)
    seen, unseen = by_seen(model, words, train, vocab)
    L = word_losses(model, words, vocab)
    drawn = sample_words(model, vocab, n_samples, generator=generator)
    return Report(
        score=evaluate(model, words, vocab),
        interval=interval(bootstrap(L, n_characters(words), generator=generator)),
        share_seen=share_in(words, train),
        seen=seen,
        unseen=unseen,
        calibration=calibration(model, words, vocab),
        n_samples=n_samples,
        copied=share_in(drawn, train) if drawn else None,
    )
