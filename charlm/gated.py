"""The block of van den Oord et al. (2016): each level has a gate and a skip."""

import torch
from torch import Tensor, nn

from charlm.models import OUTPUT_GAIN, embedding, linear, tree_levels


class GatedLevel(nn.Module):
    """Two neighbors in time as one: (B, T, C) -> (B, T / 2, C), and (B, C) to skip.

    z = tanh(x W_f + b_f) * sigmoid(x W_g + b_g), for x the two side by side; the later
    of the two, plus z W_r, goes on, and the last place's z W_s goes straight to the
    output.
    """

    def __init__(
        self, n_hidden: int, *, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        self.both = linear(2 * n_hidden, 2 * n_hidden, gain=1.0, generator=generator)
        self.residual = linear(n_hidden, n_hidden, gain=1.0, generator=generator)
        self.skip = linear(n_hidden, n_hidden, gain=1.0, generator=generator)

    def forward(self, h: Tensor) -> tuple[Tensor, Tensor]:
        B, T, C = h.shape
        filter, gate = self.both(h.view(B, T // 2, 2 * C)).chunk(2, dim=2)
        z = filter.tanh() * gate.sigmoid()  # (B, T / 2, C)
        return h[:, 1::2] + self.residual(z), self.skip(z[:, -1])


class GatedWaveNet(nn.Module):
    """The tree with gates, residuals and skips, not normalized: (B, T) -> (B, V).

    The skips of all levels are added; ReLUs and linear layers turn the sum to logits.
    `levels` has a `GatedLevel` for each, the one that joins characters first.

    Parameters
    ----------
    vocab_size : V, the number of ids
    block_size : T, a power of two from 2 up, or ValueError: there are log2 T levels
    n_hidden : the channels of each level, and of the embedding
    generator : draws the initial weights; None for torch's global one
    """

    def __init__(
        self,
        vocab_size: int,
        block_size: int = 8,
        n_hidden: int = 32,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.block_size = block_size
        self.embedding = embedding(vocab_size, n_hidden, generator=generator)
        self.levels = nn.ModuleList(
            GatedLevel(n_hidden, generator=generator)
            for _ in range(tree_levels(block_size))
        )
        self.head = nn.Sequential(
            nn.ReLU(),
            linear(n_hidden, n_hidden, gain=2**0.5, generator=generator),
            nn.ReLU(),
            linear(n_hidden, vocab_size, gain=OUTPUT_GAIN, generator=generator),
        )

    def forward(self, idx: Tensor) -> Tensor:
        h = self.embedding(idx)  # (B, T, C)
        skips = []
        for level in self.levels:
            h, skip = level(h)  # (B, T / 2, C), (B, C)
            skips.append(skip)
        return self.head(torch.stack(skips).sum(0))
