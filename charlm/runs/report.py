"""A loss with all that belongs to it: how sure it is, leaks, copies, calibration."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from charlm.calibration import Calibration, calibration
from charlm.evaluate import (
    Evaluation,
    Model,
    bootstrap,
    evaluate,
    interval,
    n_characters,
    word_losses,
)
from charlm.memory import by_seen, share_in
from charlm.sample import sample_words
from charlm.vocab import Vocabulary


@dataclass(frozen=True)
class Report:
    """A loss with all that belongs to it; losses are in nats per character.

    interval contains 95 % of the losses on redrawn words. share_seen is the share of
    the words that occur in train; copied is the same share of the n_samples words drawn
    from the model, or None if there are none.
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
    model : contexts (B, model.block_size) give logits (B, V)
    words : at least one, of characters that vocab has
    train : the words that the model learned from
    vocab : numbers the characters
    n_samples : how many words to draw from the model
    seed : of all that is drawn

    Raises
    ------
    ValueError : where there are no words
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
