"""The book's networks, on torch.nn. Called on contexts (B, T), they return logits.

Their weights start so that the first loss is about log(vocab_size), and that what
goes into each tanh has a deviation of about 1, at any depth.
"""

from typing import Any, cast

import torch
from torch import Tensor, nn

#: Brings a tanh of deviation-1 input, which has 0.63, back to 1.
TANH_GAIN = 5 / 3
#: Keeps the logits near zero, so that all characters are about equally likely.
OUTPUT_GAIN = 0.1


def _normal(
    rows: int, columns: int, std: float, generator: torch.Generator | None
) -> Tensor:
    """Return normal numbers; on the meta device a tensor's shape alone."""
    table = torch.empty(rows, columns)
    return table if table.is_meta else table.normal_(std=std, generator=generator)


def linear(
    in_features: int,
    out_features: int,
    *,
    gain: float,
    bias: bool = True,
    generator: torch.Generator | None = None,
) -> nn.Linear:
    """Return an nn.Linear of normal weights, gain / sqrt(in_features), zero bias.

    Parameters
    ----------
    in_features, out_features, bias
        As in nn.Linear.
    gain, generator
        The scale of the weights and their source; None for torch's global generator.
    """
    layer = nn.Linear(in_features, out_features, bias, device="meta")
    std = gain / in_features**0.5
    layer.weight = nn.Parameter(_normal(out_features, in_features, std, generator))
    if bias:
        layer.bias = nn.Parameter(torch.zeros(out_features))
    return layer


def embedding(
    vocab_size: int, n_embd: int, *, generator: torch.Generator | None = None
) -> nn.Embedding:
    """Return an nn.Embedding of standard normal rows."""
    table = _normal(vocab_size, n_embd, 1.0, generator)
    return nn.Embedding.from_pretrained(table, freeze=False)


class BatchNorm1d(nn.BatchNorm1d):
    """nn.BatchNorm1d with the channels last: (B, C) or (B, T, C) -> the same."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.flatten(0, -2)).view(x.shape)


class FlattenConsecutive(nn.Module):
    """n neighbours in time as one: (B, T, C) -> (B, T / n, n * C), or (B, n * C)."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.n = n

    def forward(self, x: Tensor) -> Tensor:
        B, T, C = x.shape
        x = x.view(B, T // self.n, self.n * C)
        return x.squeeze(1) if x.shape[1] == 1 else x


class PairApart(nn.Module):
    """Each place beside the one d later: (B, T, C) -> (B, T - d, 2 * C)."""

    def __init__(self, d: int) -> None:
        super().__init__()
        self.d = d

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x[:, : -self.d], x[:, self.d :]], dim=2)


class NeuralBigram(nn.Module):
    """A table of logits, one row for the character before: (B, 1) -> (B, V).

    Looking a row up is the same as multiplying a one-hot vector by the table.
    """

    block_size = 1

    def __init__(
        self, vocab_size: int, *, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        table = _normal(vocab_size, vocab_size, OUTPUT_GAIN, generator)
        self.table = nn.Embedding.from_pretrained(table, freeze=False)

    def forward(self, idx: Tensor) -> Tensor:
        return self.table(idx).squeeze(1)


class MLP(nn.Module):
    """Embeddings side by side, then n_layer hidden layers of tanh: (B, T) -> (B, V).

    After Bengio et al. (2003); normalised as by Ioffe and Szegedy (2015).

    Parameters
    ----------
    vocab_size, block_size, n_embd, n_hidden, n_layer
        V, T, numbers a character, units of a hidden layer, number of hidden layers.
    batch_norm
        Normalise each hidden layer before its tanh; it then has no bias of its own.
    generator
        As in `linear`.
    """

    def __init__(
        self,
        vocab_size: int,
        block_size: int = 3,
        n_embd: int = 10,
        n_hidden: int = 200,
        n_layer: int = 1,
        batch_norm: bool = False,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.block_size = block_size
        parts = [embedding(vocab_size, n_embd, generator=generator), nn.Flatten()]
        width, gain = block_size * n_embd, 1.0
        for _ in range(n_layer):
            parts += _hidden(width, n_hidden, gain, batch_norm, generator)
            width, gain = n_hidden, TANH_GAIN
        parts += [linear(width, vocab_size, gain=OUTPUT_GAIN, generator=generator)]
        self.net = nn.Sequential(*parts)

    def forward(self, idx: Tensor) -> Tensor:
        return self.net(idx)


class WaveNet(nn.Module):
    """Characters joined in pairs, pairs of pairs, ... up a tree: (B, T) -> (B, V).

    After van den Oord et al. (2016), with batch normalisation, without gates and skips.
    Raises ValueError unless block_size is a power of two from 2 up.

    Parameters
    ----------
    vocab_size, block_size, n_embd, n_hidden
        V, T (log2 T levels), numbers a character, units of a level.
    generator
        As in `linear`.
    """

    def __init__(
        self,
        vocab_size: int,
        block_size: int = 8,
        n_embd: int = 24,
        n_hidden: int = 128,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.block_size = block_size
        levels = block_size.bit_length() - 1
        if block_size < 2 or block_size != 2**levels:
            raise ValueError(
                f"block_size must be a power of two from 2 up, got {block_size}"
            )
        parts: list[nn.Module] = [embedding(vocab_size, n_embd, generator=generator)]
        width, gain = n_embd, 1.0
        for level in range(levels):
            parts += [self.pair(level)]
            parts += _hidden(2 * width, n_hidden, gain, True, generator)
            width, gain = n_hidden, TANH_GAIN
        parts += [linear(width, vocab_size, gain=OUTPUT_GAIN, generator=generator)]
        self.net = nn.Sequential(*parts)

    def pair(self, level: int) -> nn.Module:
        """Return the layer that joins two neighbours at a level of the tree."""
        return FlattenConsecutive(2)

    def forward(self, idx: Tensor) -> Tensor:
        return self.net(idx)

    def each_once(self, idx: Tensor) -> Tensor:
        """Return the logits in eval mode, as `SharedTree` does: (B, T) -> (B, V)."""
        return SharedTree.forward(cast("SharedTree", self), idx)


class CausalConv(WaveNet):
    """The tree at every place, by convolutions: (B, T) -> (B, V), and T may be longer.

    They have two taps, dilated by 1, 2, 4, ...

    Its parameters are those of `WaveNet`, with the same names; so are its logits in
    eval mode. In training they differ, as other places enter the batch's statistics.
    """

    def pair(self, level: int) -> nn.Module:
        return PairApart(2**level)

    def all_places(self, idx: Tensor) -> Tensor:
        """Return the logits after each full context: (B, T) -> (B, T - T0 + 1, V).

        T0 is block_size. What neighbouring contexts share is computed once.
        """
        return self.net(idx)

    def forward(self, idx: Tensor) -> Tensor:
        return self.all_places(idx)[:, -1]


class SharedTree(WaveNet):
    """The tree, with each distinct piece computed once: (B, T) -> (B, V).

    The names in a batch begin and go on alike: of the pairs, fours and eights of
    characters in it many are the same. Each gets a number, as the characters have, and
    a row. The parameters, and in eval mode the logits, are those of `WaveNet`; in
    training, each distinct piece counts once for the batch's statistics.
    """

    def forward(self, idx: Tensor) -> Tensor:
        parts: list[Any] = list(self.net)
        h, at = parts[0].weight, idx  # (V, C), (B, T): row at[b, t] stands at b, t
        for linear, norm, tanh in zip(parts[2::4], parts[3::4], parts[4::4]):
            n = len(h)
            pairs = at[:, ::2] * n + at[:, 1::2]  # (B, T / 2): a number for each pair
            pairs, at = torch.unique(pairs, return_inverse=True)  # (m,), (B, T / 2)
            h = torch.cat([h[pairs // n], h[pairs % n]], dim=1)  # (m, 2 * C)
            h = tanh(norm(linear(h)))  # (m, H)
        return parts[-1](h)[at.squeeze(1)]


def _hidden(
    fan_in: int,
    n_hidden: int,
    gain: float,
    batch_norm: bool,
    generator: torch.Generator | None,
) -> list[nn.Module]:
    layer = linear(
        fan_in, n_hidden, gain=gain, bias=not batch_norm, generator=generator
    )
    norm = [BatchNorm1d(n_hidden)] if batch_norm else []
    return [layer, *norm, nn.Tanh()]


#: The networks by the names that the command line and a run have for them.
MODELS: dict[str, type[nn.Module]] = {
    "bigram": NeuralBigram,
    "mlp": MLP,
    "wavenet": WaveNet,
    "conv": CausalConv,
    "shared": SharedTree,
}
