"""The book's networks, on torch.nn. Called on contexts (B, T), they return logits.

Their weights start so that the first loss is about log(vocab_size), and that what
goes into each tanh has a standard deviation of about 1, at any depth.
"""

import torch
from torch import Tensor, nn
from torch.nn.utils import skip_init  # leaves the global generator alone

#: Brings a tanh of standard normal input, whose output has 0.63, back to 1.
TANH_GAIN = 5 / 3
#: Keeps the logits near zero, so that all characters are about equally likely.
OUTPUT_GAIN = 0.1


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
    in_features : the channels C of an input (..., C)
    out_features : the channels H of the output (..., H)
    gain : what a standard deviation of 1 becomes, for inputs that are independent
    bias : whether there is one, (H,)
    generator : the source of the weights; None for torch's global one
    """
    here = torch.get_default_device()
    layer = skip_init(nn.Linear, in_features, out_features, bias, device=here)
    nn.init.normal_(layer.weight, std=gain / in_features**0.5, generator=generator)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer


def embedding(
    vocab_size: int,
    n_embd: int,
    *,
    gain: float = 1.0,
    generator: torch.Generator | None = None,
) -> nn.Embedding:
    """Return an nn.Embedding of normal rows: a character's vector is its row.

    Parameters
    ----------
    vocab_size : V, the number of rows
    n_embd : C, the numbers in each row
    gain : their standard deviation
    generator : the source of the rows; None for torch's global one
    """
    here = torch.get_default_device()
    table = skip_init(nn.Embedding, vocab_size, n_embd, device=here)
    nn.init.normal_(table.weight, std=gain, generator=generator)
    return table


def tree_levels(block_size: int) -> int:
    """Return how many times block_size characters can be joined in pairs, log2 of it.

    Raises ValueError unless block_size is a power of two from 2 up.
    """
    levels = block_size.bit_length() - 1
    if block_size < 2 or block_size != 2**levels:
        given = f"got {block_size}"
        raise ValueError(f"block_size must be a power of two from 2 up, {given}")
    return levels


class BatchNorm1d(nn.BatchNorm1d):
    """nn.BatchNorm1d with the channels last: (B, C) or (B, T, C) -> the same."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.flatten(0, -2)).view(x.shape)


class Tanh(nn.Tanh):
    """nn.Tanh as 2 sigmoid(2 x) - 1, faster on wide vectors: (..., C) -> the same."""

    def forward(self, x: Tensor) -> Tensor:
        return 2 * torch.sigmoid(2 * x) - 1


class FlattenConsecutive(nn.Module):
    """n neighbors in time as one: (B, T, C) -> (B, T / n, n * C), or (B, n * C)."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.n = n

    def forward(self, x: Tensor) -> Tensor:
        x = x.unflatten(1, (-1, self.n)).flatten(2)
        return x.squeeze(1) if x.shape[1] == 1 else x


class DilatedPair(nn.Module):
    """Two places, d apart, side by side: (B, T, C) -> (B, T - d, 2 * C)."""

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
        V = vocab_size
        self.table = embedding(V, V, gain=OUTPUT_GAIN, generator=generator)

    def forward(self, idx: Tensor) -> Tensor:
        return self.table(idx).squeeze(1)


class MLP(nn.Module):
    """Embeddings side by side, then n_layer hidden layers of tanh: (B, T) -> (B, V).

    After Bengio et al. (2003); normalized as by Ioffe and Szegedy (2015).

    Parameters
    ----------
    vocab_size : V, the number of ids
    block_size : T, the length of a context
    n_embd : numbers that stand for a character
    n_hidden : units of each hidden layer
    n_layer : hidden layers
    batch_norm : normalize each hidden layer before its tanh; it then has no bias
    generator : the source of the first weights; None for torch's global one
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

    After van den Oord et al. (2016), with batch normalization, without gates and skips.
    `levels` has the layers of each level: linear, normalization, tanh.

    Parameters
    ----------
    vocab_size : V, the number of ids
    block_size : T, a power of two from 2 up, or ValueError: there are log2 T levels
    n_embd : numbers that stand for a character
    n_hidden : units of each level
    generator : the source of the first weights; None for torch's global one
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
        parts: list[nn.Module] = [embedding(vocab_size, n_embd, generator=generator)]
        self.levels: list[nn.Sequential] = []
        width, gain = n_embd, 1.0
        for level in range(tree_levels(block_size)):
            hidden = _hidden(2 * width, n_hidden, gain, True, generator)
            parts += [self.pair(level), *hidden]
            self.levels.append(nn.Sequential(*hidden))
            width, gain = n_hidden, TANH_GAIN
        parts += [linear(width, vocab_size, gain=OUTPUT_GAIN, generator=generator)]
        self.net = nn.Sequential(*parts)

    def pair(self, level: int) -> nn.Module:
        """Return the layer that joins two neighbors at a level of the tree."""
        return FlattenConsecutive(2)

    def forward(self, idx: Tensor) -> Tensor:
        return self.net(idx)


class CausalConv(WaveNet):
    """The tree at every place, by convolutions: (B, T) -> (B, V), and T may be longer.

    They have two taps, dilated by 1, 2, 4, ... Parameters, and in eval mode the logits,
    are those of `WaveNet`; in training other places enter the statistics.
    """

    def pair(self, level: int) -> nn.Module:
        return DilatedPair(2**level)

    def all_places(self, idx: Tensor) -> Tensor:
        """Return the logits after each full context: (B, T) -> (B, T - T0 + 1, V).

        T0 is block_size. What neighboring contexts share is computed once.
        """
        return self.net(idx)

    def forward(self, idx: Tensor) -> Tensor:
        return self.all_places(idx)[:, -1]


def _hidden(
    fan_in: int,
    n_hidden: int,
    gain: float,
    batch_norm: bool,
    generator: torch.Generator | None,
) -> list[nn.Module]:
    sizes = fan_in, n_hidden
    layer = linear(*sizes, gain=gain, bias=not batch_norm, generator=generator)
    norm = [BatchNorm1d(n_hidden)] if batch_norm else []
    return [layer, *norm, Tanh()]
