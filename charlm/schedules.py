"""Learning rates that change over the steps of a training."""

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

#: The learning rate of each step, by its number.
Schedule: TypeAlias = Callable[[int], float]


def constant(rate: float) -> Schedule:
    """Return the schedule whose rate never changes."""
    return lambda step: rate


def step_decay(rate: float, at: Sequence[int], factor: float = 0.1) -> Schedule:
    """Return the schedule that drops at some steps.

    Parameters
    ----------
    rate : the learning rate at first
    at : the steps from which on it is multiplied, once more each
    factor : by what
    """
    return lambda step: rate * factor ** sum(step >= boundary for boundary in at)


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
