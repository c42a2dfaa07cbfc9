"""Whether a model's probabilities can be taken at their word."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from charlm.data import windows_in_parts
from charlm.evaluate import Model, eval_mode
from charlm.vocab import Vocabulary


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
        """Return the mean over examples of one number per bin, (bins,), or nan."""
        total = (gap.nan_to_num() * self.count).sum()
        return total.item() / self.count.sum().item()


@torch.no_grad()
def calibration(
    model: Model, words: Sequence[str], vocab: Vocabulary, bins: int = 10
) -> Calibration:
    """Return how far the model's probabilities can be taken at their word.

    After Guo et al. (2017).

    Raises ValueError where there are no words.

    Parameters
    ----------
    model : contexts (B, model.block_size) give logits (B, V)
    words : at least one, of characters that vocab has
    vocab : numbers the characters
    bins : into how many equal parts the probabilities from 0 to 1 are cut
    """
    if not words:
        raise ValueError("there are no words to evaluate on")
    totals = torch.zeros(3, bins, dtype=torch.float64)
    with eval_mode(model):
        for x, y in windows_in_parts(words, vocab, model.block_size, 8192):
            sure, likeliest = model(x).double().softmax(1).max(1)  # (B,), (B,)
            right = (likeliest == y).double()
            numbers = torch.stack([torch.ones_like(sure), sure, right])  # (3, B)
            totals.index_add_(1, (sure * bins).long().clamp_max(bins - 1), numbers)
    count, probability, came = totals
    return Calibration(count.long(), probability / count, came / count)
