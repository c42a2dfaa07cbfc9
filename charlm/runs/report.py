"""A loss with all that belongs to it: how sure it is, leaks, memory, calibration."""

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

    interval has 95 % of the losses on redrawn words. share_seen is the share of the
    words that occur in train. copied is the same share of n_samples words drawn from
    the model, and None if none were drawn. hit_ratio is how often they hit a word of
    train for each hit of an unseen word, both per distinct word: 1 for a model that
    cannot tell them apart. It is None where no unseen word was hit.
    """

    score: Evaluation
    interval: tuple[float, float]
    share_seen: float
    seen: Evaluation | None
    unseen: Evaluation | None
    calibration: Calibration
    n_samples: int
    copied: float | None
    hit_ratio: float | None
    hit_ratio_error: float | None

    def sentences(self) -> list[str]:
        """Return what goes beyond the loss, a sentence each."""
        low, high = self.interval
        c = self.calibration
        side = "sure" if c.overconfidence > 0 else "timid"
        return [
            f"On words drawn anew from these, 95 % of the losses lie from "
            f"{low:.4f} to {high:.4f}.",
            f"{self.share_seen:.1%} of the words occur in train: their loss is "
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
            "occur in train.",
            self._memory(),
        ]

    def _memory(self) -> str:
        if self.hit_ratio is None:
            return "Too few of them hit a word that it had not seen to speak of memory."
        return (
            f"Per word, they hit train {self.hit_ratio:.1f} ± "
            f"{self.hit_ratio_error:.1f} times as often as the words here that it had "
            "not seen (near 1 without memory)."
        )

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
            "hit_ratio": self.hit_ratio,
            "hit_ratio_standard_error": self.hit_ratio_error,
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


def _hits(
    drawn: Sequence[str], train: Collection[str], words: Sequence[str]
) -> tuple[float | None, float | None]:
    """Return hits per word of train over hits per unseen word, and its error.

    A count of hits k varies by its square root, so the ratio of two counts by the share
    sqrt(1 / a + 1 / b).
    """
    known = set(train)
    fresh = set(words) - known
    a, b = (sum(word in part for word in drawn) for part in (known, fresh))
    if b == 0:
        return None, None
    ratio = (a / len(known)) / (b / len(fresh)) if known else 0.0
    return ratio, ratio * math.sqrt((1 / a if a else 0.0) + 1 / b)


def report(
    model: Model,
    words: Sequence[str],
    train: Collection[str],
    vocab: Vocabulary,
    *,
    n_samples: int = 4000,
    seed: int = 1,
    max_length: int = 100,
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
    max_length : where a drawn word that has not ended is cut off

    Raises
    ------
    ValueError : where there are no words
    """
    generator = torch.Generator().manual_seed(seed)
    seen, unseen = by_seen(model, words, train, vocab)
    L = word_losses(model, words, vocab)
    drawn = sample_words(
        model, vocab, n_samples, generator=generator, max_length=max_length
    )
    ratio, error = _hits(drawn, train, words)
    return Report(
        score=evaluate(model, words, vocab),
        interval=interval(bootstrap(L, n_characters(words), generator=generator)),
        share_seen=share_in(words, train),
        seen=seen,
        unseen=unseen,
        calibration=calibration(model, words, vocab),
        n_samples=n_samples,
        copied=share_in(drawn, train) if drawn else None,
        hit_ratio=ratio,
        hit_ratio_error=error,
    )
