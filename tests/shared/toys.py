"""Models whose probabilities are known."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from charlm.vocab import Vocabulary

AB = Vocabulary(("a", "b"))


@dataclass(frozen=True)
class Toy:
    """A function from contexts to logits, as a model."""

    function: Callable[[Tensor], Tensor]
    block_size: int

    def __call__(self, idx: Tensor) -> Tensor:
        return self.function(idx)


def toy(block_size):
    """Make a model of the function below."""
    return lambda function: Toy(function, block_size)


@toy(block_size=1)
def likes_a(idx):
    """Whatever comes before: the end with 0.1, a with 0.65, b with 0.25."""
    return torch.tensor([0.1, 0.65, 0.25]).log().expand(len(idx), -1)
