"""Several seeds at once: nets of one shape, side by side, as one net."""

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from charlm.models import MLP, WaveNet
from charlm.train import Examples, Schedule, training_steps


class _StackedEmbedding(nn.Module):
    """A table of rows for each of S nets: (S, ...) -> (S, ..., C)."""

    def __init__(self, layers: Sequence[nn.Embedding]) -> None:
        super().__init__()
        self.weight = nn.Parameter(_stack(layer.weight for layer in layers))

    def forward(self, idx: Tensor) -> Tensor:
        S, V, _ = self.weight.shape
        first_row = V * torch.arange(S).view(S, *[1] * (idx.ndim - 1))
        return F.embedding(first_row + idx, self.weight.flatten(0, 1))


class _StackedLinear(nn.Module):
    """x W + b for each of S nets: (S, ..., in) -> (S, ..., out)."""

    def __init__(self, layers: Sequence[nn.Linear]) -> None:
        super().__init__()
        self.weight = nn.Parameter(_stack(layer.weight for layer in layers))
        has_bias = layers[0].bias is not None
        self.bias = (
            nn.Parameter(_stack(layer.bias for layer in layers)) if has_bias else None
        )

    def forward(self, x: Tensor) -> Tensor:
        rows = x.flatten(1, -2)  # (S, N, in)
        W = self.weight.mT  # (S, in, out)
        if self.bias is None:
            y = torch.bmm(rows, W)
        else:
            y = torch.baddbmm(self.bias.unsqueeze(1), rows, W)
        return y.view(*x.shape[:-1], -1)


class _StackedBatchNorm1d(nn.Module):
    """Batch normalization with statistics of its own for each of S nets.

    (S, ..., C) -> the same: S nets of C channels are one layer of S * C channels.
    """

    def __init__(self, layers: Sequence[nn.BatchNorm1d]) -> None:
        super().__init__()
        self.eps, self.momentum = layers[0].eps, layers[0].momentum
        self.weight = nn.Parameter(_stack(layer.weight for layer in layers))
        self.bias = nn.Parameter(_stack(layer.bias for layer in layers))
        for name in ("running_mean", "running_var", "num_batches_tracked"):
            buffers = [layer.get_buffer(name) for layer in layers]
            self.register_buffer(name, _stack(buffers))

    def forward(self, x: Tensor) -> Tensor:
        S, C = len(x), x.shape[-1]
        if self.training:
            self.get_buffer("num_batches_tracked").add_(1)
        rows = x.reshape(S, -1, C).transpose(0, 1)  # (N, S, C)
        y = F.batch_norm(
            rows.reshape(-1, S * C),
            self.get_buffer("running_mean").view(-1),
            self.get_buffer("running_var").view(-1),
            self.weight.view(-1),
            self.bias.view(-1),
            self.training,
            self.momentum or 0.0,
            self.eps,
        )
        return y.view(-1, S, C).transpose(0, 1).reshape(x.shape)


class _EachOnItsOwn(nn.Module):
    """A layer without parameters, applied to each of S nets: (S, B, ...)."""

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        super().__init__()
        self.layer = layers[0]

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x.flatten(0, 1)).unflatten(0, x.shape[:2])


class Stacked(nn.Module):
    """Nets of one shape as one net: (S, B, T) -> (S, B, V), one row of ids each.

    Every parameter gets one more dimension in front. What the nets compute stays the
    same, to rounding: nothing flows from one to another.

    Raises TypeError for other nets, which do more than call their layers in a row.

    Parameters
    ----------
    nets : S nets, all `MLP` or all `WaveNet`, of equal sizes
    """

    stacked_dims = 1  # that each parameter has in front of its own, see `adamw`

    def __init__(self, nets: Sequence[MLP] | Sequence[WaveNet]) -> None:
        super().__init__()
        if type(nets[0]) not in (MLP, WaveNet):
            raise TypeError(f"cannot stack a {type(nets[0]).__name__}")
        self.net = nn.Sequential(*map(_stacked, zip(*[net.net for net in nets])))
        self.nets: tuple[Any, ...] = tuple(nets)  # not parts of it: no nn.ModuleList

    def forward(self, idx: Tensor) -> Tensor:
        return self.net(idx)

    @torch.no_grad()
    def each(self) -> list[Any]:
        """Return the S nets, with the parameters that the stack has now."""
        for s, net in enumerate(self.nets):
            own = net.net.state_dict()
            for name, value in self.net.state_dict().items():
                own[name].copy_(value[s])
        return list(self.nets)


def _stack(tensors: Iterable[Tensor]) -> Tensor:
    return torch.stack([tensor.detach() for tensor in tensors])


def _stacked(layers: Sequence[Any]) -> nn.Module:
    match layers[0]:
        case nn.Embedding():
            return _StackedEmbedding(layers)
        case nn.Linear():
            return _StackedLinear(layers)
        case nn.BatchNorm1d():
            return _StackedBatchNorm1d(layers)
    return _EachOnItsOwn(layers)


def train_seeds(
    model: Callable[[Tensor], Tensor],
    optimizer: torch.optim.Optimizer,
    batches: Iterable[Examples],
    schedule: Schedule | None = None,
) -> Tensor:
    """Train S nets side by side; return each batch's loss in nats, (steps, S).

    The gradient of the *sum* of the S losses, with respect to the parameters of one
    net, is that of its own loss: the others do not depend on them.

    Raises NonFiniteLossError before the update that would have spoiled the parameters.

    Parameters
    ----------
    model : maps x (S, B, T) to logits (S, B, V): a `Stacked`, or any function like it
    optimizer : holds the parameters to train, of all S nets
    batches : pairs x (S, B, T), y (S, B), one step each: `batches(X, Y, (S, B), ...)`
    schedule : the learning rate of each step by its number; None keeps the optimizer's
        own
    """
    history = []

    def sum_of_losses(logits: Tensor, y: Tensor) -> Tensor:
        rows = logits.flatten(0, 1)  # (S * B, V)
        by_example = F.cross_entropy(rows, y.flatten(), reduction="none")
        losses = by_example.view(y.shape).mean(1)  # (S,)
        history.append(losses.detach())
        return losses.sum()

    for _ in training_steps(model, optimizer, batches, schedule, loss_of=sum_of_losses):
        pass
    return torch.stack(history)


@dataclass(frozen=True)
class OverSeeds:
    """What several seeds gave: the mean, their standard deviation, how many.

    Another seed will land about one std from the mean. The mean over other seeds would
    land about one standard_error away.
    """

    mean: float
    std: float
    n: int

    @property
    def standard_error(self) -> float:
        """The standard error of the mean, std / sqrt(n)."""
        return self.std / self.n**0.5

    def __str__(self) -> str:
        return f"{self.mean:.4f} ± {self.standard_error:.4f} ({self.n} seeds)"


def over_seeds(values: Iterable[float]) -> OverSeeds:
    """Return the mean and the standard deviation of one number for each seed.

    To compare two trainings, give it the *differences*, one for each seed. Raises
    ValueError for fewer than two numbers: one draw has no spread.
    """
    values = [float(value) for value in values]
    if len(values) < 2:
        raise ValueError("one seed has no spread: give at least two numbers")
    return OverSeeds(statistics.fmean(values), statistics.stdev(values), len(values))
