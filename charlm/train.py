"""Training: one loop, written as a generator, and a rate that changes over it."""

import copy
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from charlm.data import batches
from charlm.evaluate import losses

#: The learning rate of each step, by its number.
Schedule: TypeAlias = Callable[[int], float]
#: Contexts X, (N, T), and the ids that follow them Y, (N,).
Examples: TypeAlias = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Step:
    """What happened in one step: its number, the batch's loss (nats), the rate."""

    index: int
    loss: float
    lr: float


class NonFiniteLossError(ArithmeticError):
    """The loss is infinite or not a number: training cannot go on."""


def cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """Return the mean of -log p(y), in nats: (B, V), (B,) -> ().

    Both may have one more dimension T, of places. y may also hold the share of each id,
    (..., V), as from `soft_targets`.
    """
    rows = logits.flatten(0, -2)  # (B, V) or (B * T, V)
    return F.cross_entropy(rows, y.flatten(0, logits.ndim - 2))


def training_steps(
    model: Callable[[Tensor], Tensor],
    optimizer: torch.optim.Optimizer,
    batches: Iterable[Examples],
    schedule: Schedule | None = None,
    start: int = 0,
    loss_of: Callable[[Tensor, Tensor], Tensor] = cross_entropy,
) -> Iterator[Step]:
    """Train on each batch in turn, and yield after each update.

    The gradients are still there then, so the body of the caller's loop can look at
    them.
    Raises NonFiniteLossError before the update that would have spoiled the parameters.

    Parameters
    ----------
    model : maps x to logits, (B, V) or (B, T, V)
    optimizer : holds the parameters to train
    batches : pairs x, y, one step each; y is (B,) or (B, T), or probabilities (..., V)
    schedule : the rate of each step by its number; None keeps the optimizer's own
    start : the number of the first step
    loss_of : maps logits and y to the loss () that is minimized
    """
    for index, (x, y) in enumerate(batches, start):
        if schedule is not None:
            for group in optimizer.param_groups:
                group["lr"] = schedule(index)
        loss = loss_of(model(x), y)
        step = Step(index, loss.item(), optimizer.param_groups[0]["lr"])
        _require_finite(step)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield step


def _require_finite(step: Step) -> None:
    if not math.isfinite(step.loss):
        raise NonFiniteLossError(
            f"the loss is {step.loss} at step {step.index}: "
            f"try a lower learning rate than {step.lr:.3g}, or smaller initial weights"
        )


def adamw(model: Any, rate: float, decay: float = 0.01) -> torch.optim.AdamW:
    """Return Adam for the model, with weight decay on its matrices only.

    Biases and the scales of a normalization are left alone: they are few, and zero is
    no neutral value for a scale (Loshchilov and Hutter 2019).

    Parameters
    ----------
    model : has the parameters, in float
    rate : the learning rate
    decay : each step takes the share rate * decay off every weight; 0.01 is torch's
    """
    parameters = list(model.parameters())
    matrix = 2 + getattr(model, "stacked_dims", 0)  # 3 for several nets side by side
    groups = [
        {"params": [p for p in parameters if p.ndim >= matrix], "weight_decay": decay},
        {"params": [p for p in parameters if p.ndim < matrix], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.99), fused=True)


def cosine(rate: float, steps: int, warmup: int = 0, final: float = 0.0) -> Schedule:
    """Return the schedule that rises to rate in a line, then falls along a cosine.

    A large first update, on weights that know nothing yet, is avoided (Loshchilov and
    Hutter 2017 for the cosine).
    Raises ValueError where the warm-up leaves no step for the fall.

    Parameters
    ----------
    rate : the highest rate, at the end of the warm-up
    steps : how many in all, the warm-up included; later ones keep to final
    warmup : how many steps the rise takes; 0 starts at rate
    final : the rate after all steps; 0 lets the noise of the batches average out
    """
    if not 0 <= warmup < steps:
        raise ValueError(f"a warm-up of {warmup} does not fit into {steps} steps")

    def schedule(step: int) -> float:
        if step < warmup:
            return rate * (step + 1) / warmup
        done = min((step - warmup) / (steps - warmup), 1.0)
        return final + (rate - final) * (1 + math.cos(math.pi * done)) / 2

    return schedule


def learning_rate_search(
    model: Any,
    optimizer: torch.optim.Optimizer,
    batches: Iterable[Examples],
    exponents: Sequence[float],
) -> tuple[Tensor, Tensor]:
    """Return the rates 10^exponent and the batch's loss at each, one step each.

    The model learns on the way, so a loss mixes the rate with the progress so far.
    Stops early where the loss is no longer finite.

    Parameters
    ----------
    model : is put back into the state it was in
    optimizer : is put back, too
    batches : pairs x (B, T), y (B,), at least one for each exponent
    exponents : powers of ten, in rising order: what breaks the training comes last
    """
    rates = [10.0**exponent for exponent in exponents]
    before = copy.deepcopy((model.state_dict(), optimizer.state_dict()))
    found, drawn = [], islice(batches, len(rates))
    try:
        for step in training_steps(model, optimizer, drawn, rates.__getitem__):
            found.append(step.loss)
    except NonFiniteLossError:
        pass
    finally:
        model.load_state_dict(before[0])
        optimizer.load_state_dict(before[1])
    return torch.tensor(rates[: len(found)]), torch.tensor(found)


@dataclass
class History:
    """What `fit` saw: every batch's loss, the dev loss now and then, and the best."""

    losses: list[float] = field(default_factory=list)
    dev_steps: list[int] = field(default_factory=list)
    dev_losses: list[float] = field(default_factory=list)

    @property
    def best(self) -> float:
        """The lowest dev loss, that of the parameters which were kept."""
        return min(self.dev_losses)

    @property
    def best_step(self) -> int:
        """The number of updates after which it was measured."""
        return self.dev_steps[self.dev_losses.index(self.best)]


def fit(
    model: Any,
    train: Examples,
    dev: Examples,
    *,
    optimizer: torch.optim.Optimizer,
    steps: int,
    batch_size: int,
    generator: torch.Generator,
    schedule: Schedule | None = None,
    eval_every: int = 1000,
) -> History:
    """Train for some steps, and leave the model with the best parameters by dev loss.

    Raises ValueError where steps, batch_size or eval_every is below 1. Raises
    NonFiniteLossError where the training breaks down.

    Parameters
    ----------
    model : A torch.nn.Module or a net of `charlm.layers`, giving logits (B, V)
    train : the pair X (N, T), Y (N,), as from `windows`
    dev : the same of other words
    optimizer : holds the parameters to train
    steps : how many updates
    batch_size : B, how many examples for each
    generator : draws the batches: the same state gives bitwise the same run
    schedule : the rate of each step; without it, the optimizer's own
    eval_every : how many steps lie between two measurements on dev. The last step is
        always followed by one, the start never.
    """
    if steps < 1 or eval_every < 1:
        raise ValueError("steps and eval_every must be at least 1")
    history = History()
    best: dict[str, Tensor] = {}
    drawn = batches(*train, batch_size, generator=generator, steps=steps)
    for step in training_steps(model, optimizer, drawn, schedule):
        history.losses.append(step.loss)
        done = step.index + 1
        if done % eval_every == 0 or done == steps:
            history.dev_steps.append(done)
            history.dev_losses.append(losses(model, *dev).mean().item())
            if history.best_step == done:
                best = {k: v.clone() for k, v in model.state_dict().items()}
    model.load_state_dict(best)
    return history
