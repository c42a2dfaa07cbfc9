"""What happens inside a net, as numbers: activations, gradients, sizes of updates.

Everything here takes a net of `charlm.layers` or a torch.nn.Module, and leaves it as
it was: parameters, gradients, modes and running statistics.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class LayerTrace:
    """What one layer gave for a batch, and the loss's gradient with respect to it."""

    name: str
    kind: str
    output: Tensor
    grad: Tensor

    @property
    def label(self) -> str:
        """The layer's name and kind, as in "4 Tanh"."""
        return f"{self.name} {self.kind}"


def trace(model: Any, x: Tensor, y: Tensor) -> list[LayerTrace]:
    """Return the output (B, ..., C) of each innermost layer and its gradient.

    The batch passes once forwards, in the model's current mode, and once backwards.
    A layer with nothing to learn before it has a gradient of zeros.

    Parameters
    ----------
    model : maps x to logits, (B, V) or (B, T, V)
    x : ids (B, T)
    y : the ids that follow, (B,) or (B, T)
    """
    seen: list[tuple[str, str, Tensor]] = []
    with torch.enable_grad(), _buffers_restored(model):
        if isinstance(model, nn.Module):
            logits = _call_with_hooks(model, x, seen)
        else:
            logits = _walk(model, "", x, seen)
        loss = F.cross_entropy(logits.flatten(0, -2), y.flatten())
        outputs = [out for _, _, out in seen if out.requires_grad]
        grads = torch.autograd.grad(loss, outputs, allow_unused=True) if outputs else ()
    grad_of = {id(h): g for h, g in zip(outputs, grads, strict=True) if g is not None}
    return [
        LayerTrace(name, kind, h.detach(), grad_of.get(id(h), torch.zeros_like(h)))
        for name, kind, h in seen
    ]


@dataclass(frozen=True)
class LayerStats:
    """One layer's activations and gradients in a few numbers.

    saturated is the share of outputs beyond the threshold in size, and dead the number
    of units that pass no gradient on, as `dead_units` finds them.
    """

    name: str
    kind: str
    mean: float
    std: float
    saturated: float
    dead: int
    grad_mean: float
    grad_std: float


def layer_stats(traces: list[LayerTrace], threshold: float = 0.97) -> list[LayerStats]:
    """Return the numbers of each layer traced; a tanh above 0.97 passes on under 6%.

    1 - tanh^2 is the share of the gradient that gets through.
    """
    return [
        LayerStats(
            name=t.name,
            kind=t.kind,
            mean=t.output.mean().item(),
            std=t.output.std().item(),
            saturated=(t.output.abs() > threshold).double().mean().item(),
            dead=int(dead_units(t, threshold).sum()),
            grad_mean=t.grad.mean().item(),
            grad_std=t.grad.std().item(),
        )
        for t in traces
    ]


def dead_units(traced: LayerTrace, threshold: float = 0.97) -> Tensor:
    """Return which units pass no gradient on for any example: (B, ..., C) -> (C,).

    A unit of a tanh is dead when all its outputs are beyond the threshold in size, one
    of a ReLU when all are 0; other layers have none.
    """
    h = traced.output.flatten(0, -2)
    if traced.kind == "Tanh":
        return (h.abs() > threshold).all(0)
    if traced.kind == "ReLU":
        return (h == 0).all(0)
    return torch.zeros(h.shape[1], dtype=torch.bool)


@dataclass(frozen=True)
class ParameterStats:
    """One parameter's standard deviation, its gradient's, and their ratio."""

    name: str
    shape: tuple[int, ...]
    std: float
    grad_std: float

    @property
    def ratio(self) -> float:
        """grad_std over std; infinite for a parameter that is constant, as at zero."""
        return self.grad_std / self.std if self.std > 0 else float("inf")


def parameter_stats(model: Any) -> list[ParameterStats]:
    """Return the numbers of each weight matrix, from the gradients there now.

    Raises ValueError where a matrix has no gradient yet.
    """
    found = []
    for name, p in _matrices(model):
        if p.grad is None:
            raise ValueError(f"{name} has no gradient: call loss.backward() first")
        found.append(
            ParameterStats(
                name, tuple(p.shape), p.detach().std().item(), p.grad.std().item()
            )
        )
    return found


class UpdateRatios:
    """The size of each update of a weight matrix, in units of the matrix's own size.

    ratio = std(W_after - W_before) / std(W_after)

    Call `record` after every step. It looks at the change itself, so it holds for any
    optimizer. About 1e-3 is a good pace; far below, the matrix hardly learns.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.names = [name for name, _ in _matrices(model)]
        self.rows: list[list[float]] = []
        self.before = self._copy()

    def _copy(self) -> list[Tensor]:
        return [p.detach().clone() for _, p in _matrices(self.model)]

    def record(self) -> None:
        """Add one row: the ratios of what changed since the last call."""
        after = self._copy()
        self.rows.append(
            [
                ((new - old).std() / new.std()).item()
                for new, old in zip(after, self.before, strict=True)
            ]
        )
        self.before = after

    def table(self) -> Tensor:
        """Return all ratios so far, (steps, matrices)."""
        return torch.tensor(self.rows).view(-1, len(self.names))


def _matrices(model: Any) -> list[tuple[str, Tensor]]:
    return [(name, p) for name, p in model.named_parameters() if p.ndim > 1]


@contextmanager
def _buffers_restored(model: Any) -> Iterator[None]:
    """Restore the tensors that a pass may change although they are not learned."""
    learned = {name for name, _ in model.named_parameters()}
    buffers = [v for name, v in model.state_dict().items() if name not in learned]
    before = [buffer.clone() for buffer in buffers]
    try:
        yield
    finally:
        for buffer, value in zip(buffers, before, strict=True):
            buffer.copy_(value)


def _call_with_hooks(model: nn.Module, x: Tensor, seen: list[Any]) -> Tensor:
    """Append name, kind and output of each innermost module; return the output."""
    handles = []
    for name, module in model.named_modules():
        if next(module.children(), None) is None:

            def hook(module: nn.Module, _: Any, out: Tensor, name: str = name) -> None:
                seen.append((name, type(module).__name__, out))

            handles.append(module.register_forward_hook(hook))
    try:
        return model(x)
    finally:
        for handle in handles:
            handle.remove()


def _walk(layer: Any, name: str, x: Tensor, seen: list[Any]) -> Tensor:
    """The same for a net of `charlm.layers`, whose inner layers follow each other."""
    children = layer.named_children()
    for child_name, child in children:
        x = _walk(child, f"{name}.{child_name}".lstrip("."), x, seen)
    if not children:
        x = layer(x)
        seen.append((name, type(layer).__name__, x))
    return x
