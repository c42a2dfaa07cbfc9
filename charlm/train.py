"""Training: one loop, written as a generator, and rates that change over its steps."""

import copy
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from charlm.data import batches
from charlm.evaluate import losses

#: The rate of each step, by its number.
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


def training_steps(
    model: Callable[[Tensor], Tensor],
    optimizer: torch.optim.Optimizer,
    batches: Iterable[Examples],
    schedule: Schedule | None = None,
    start: int = 0,
) -> Iterator[Step]:
    """Train on each batch in turn, and yield after each update.

    The gradients are still there then, so the body of the caller's loop can look at
    anything it likes.

    Parameters
    ----------
    model
        Maps x to logits, (B, V) or (B, T, V).
    optimizer
        Holds the parameters to train.
    batches
        Pairs x, y, one step each; y is (B,) or (B, T), or probabilities (..., V).
    schedule
        The rate of each step by its number; None keeps the optimizer's own.
    start
        The number of the first step.

    Raises
    ------
    NonFiniteLossError
        Before the update that would have spoilt the parameters.
    """
    for index, (x, y) in enumerate(batches, start):
        lr = set_rate(optimizer, schedule, index)
        logits = model(x)
        loss = F.cross_entropy(logits.flatten(0, -2), y.flatten(0, logits.ndim - 2))
        step = Step(index, loss.item(), lr)
        require_finite(step.loss, index, lr)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield step


def set_rate(
    optimizer: torch.optim.Optimizer, schedule: Schedule | None, index: int
) -> float:
    """Give the optimizer the learning rate of step index; return the rate."""
    if schedule is not None:
        for group in optimizer.param_groups:
            group["lr"] = schedule(index)
    return optimizer.param_groups[0]["lr"]


def require_finite(loss: float, index: int, lr: float) -> None:
    """Raise NonFiniteLossError where the loss of step index, at rate lr, is not."""
    if not math.isfinite(loss):
        raise NonFiniteLossError(
            f"the loss is {loss} at step {index}: "
            f"try a lower learning rate than {lr:.3g}, or smaller initial weights"
        )


def adamw(model: Any, rate: float, decay: float = 0.01) -> torch.optim.AdamW:
    """Return Adam for the model, with weight decay on its matrices only.

    Each step also takes the share rate * decay off every weight (Loshchilov and Hutter
    2019). Biases and the scales of a normalisation are left alone: they are few, and
    zero is no neutral value for a scale.
    """
    parameters = list(model.parameters())
    matrix = 2 + getattr(model, "stacked_dims", 0)  # 3 for several nets side by side
    groups = [
        {"params": [p for p in parameters if p.ndim >= matrix], "weight_decay": decay},
        {"params": [p for p in parameters if p.ndim < matrix], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.99))


def constant(rate: float) -> Schedule:
    """Return the schedule that is always rate."""
    return lambda step: rate


def step_decay(rate: float, at: Sequence[int], factor: float = 0.1) -> Schedule:
    """Return the schedule that starts at rate, times factor from each step in at on."""
    return lambda step: rate * factor ** sum(step >= boundary for boundary in at)


def cosine(rate: float, steps: int, warmup: int = 0, final: float = 0.0) -> Schedule:
    """Return the schedule that rises to rate in a line, then falls along a cosine.

    A large first update, on weights that know nothing yet, is avoided (Loshchilov and
    Hutter 2017 for the cosine).

    Parameters
    ----------
    rate
        The highest rate, at the end of the warm-up.
    steps
        How many in all, the warm-up included; later ones keep to final.
    warmup
        How many steps the rise takes; 0 starts at rate.
    final
        The rate after all steps; 0 lets the noise of the batches average out.

    Raises
    ------
    ValueError
        Where the warm-up leaves no step for the fall.
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
    model, optimizer
        Both are put back into the state they were in.
    batches
        Pairs x (B, T), y (B,), at least one for each exponent.
    exponents
        Decimal, in rising order, so that what breaks the training comes last.
    """
    rates = [10.0**exponent for exponent in exponents]
    before = copy.deepcopy((model.state_dict(), optimizer.state_dict()))
    found = []
    try:
        for step in training_steps(
            model, optimizer, _first(batches, len(rates)), rates.__getitem__
        ):
            found.append(step.loss)
    except NonFiniteLossError:
        pass
    finally:
        model.load_state_dict(before[0])
        optimizer.load_state_dict(before[1])
    return torch.tensor(rates[: len(found)]), torch.tensor(found)


def _first(batches: Iterable[Examples], n: int) -> Iterator[Examples]:
    return (batch for _, batch in zip(range(n), batches, strict=False))


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

    Parameters
    ----------
    model
        A torch.nn.Module or a net of `charlm.layers`, giving logits (B, V).
    train, dev
        Pairs X (N, T), Y (N,), as from `windows`.
    optimizer
        Holds the parameters to train.
    steps, batch_size
        How many updates, and how many examples to each.
    generator
        Draws the batches: the same state gives bitwise the same run.
    schedule
        The rate of each step; without it, the optimizer's own.
    eval_every
        How many steps lie between two measurements on dev. The last step is always
        followed by one, the start never.

    Raises
    ------
    ValueError
        Where steps, batch_size or eval_every is below 1.
    NonFiniteLossError
        Where the training breaks down.
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
