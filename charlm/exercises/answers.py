"""What the checks of the exercises share: reading an answer, saying what is wrong."""

import math
from collections.abc import Callable
from numbers import Real
from typing import Any

import torch

TOLERANCE = 1e-3


class Wrong(Exception):
    """What is wrong with an answer, in one sentence for the reader."""


Check = Callable[[Any], None]  # raises Wrong unless the answer is right


def judge(checks: dict[str, Check], exercise: str, answer: Any) -> bool:
    """Print and return whether the answer to one of the exercises is right.

    Raises ValueError for an exercise that does not exist.
    """
    if exercise not in checks:
        raise ValueError(f"no exercise {exercise!r}; there are {', '.join(checks)}")
    try:
        checks[exercise](answer)
    except Wrong as wrong:
        print(f"{exercise}: not yet. {wrong}")
        return False
    print(f"{exercise}: right!")
    return True


def read_number(answer: Any) -> float:
    """Return the answer as a float. Raises Wrong unless it is one number, not nan."""
    if isinstance(answer, torch.Tensor) and answer.numel() == 1:
        answer = answer.item()
    if not isinstance(answer, Real) or isinstance(answer, bool):
        raise Wrong(f"Expected one number, got {type(answer).__name__}.")
    value = float(answer)
    if math.isnan(value):
        raise Wrong("The answer is nan: somewhere 0 is divided by 0.")
    return value


def read_pair(answer: Any) -> tuple[float, float]:
    """Return the answer as two floats. Raises Wrong unless it is two numbers."""
    try:
        first, second = answer
    except (TypeError, ValueError):
        raise Wrong("Expected two numbers, as in (1.0, 2.0).") from None
    return read_number(first), read_number(second)


def expect(value: float, right: float, mistakes: dict[str, float]) -> None:
    """Raise Wrong, with the mistake that explains the value, unless it is right."""
    if math.isclose(value, right, abs_tol=TOLERANCE):
        return
    for mistake, wrong in mistakes.items():
        if math.isclose(value, wrong, rel_tol=1e-6, abs_tol=TOLERANCE):
            raise Wrong(mistake)
    if value < 0:
        raise Wrong("A loss is not negative: mind the sign of the logarithm.")
    direction = "low" if value < right else "high"
    raise Wrong(f"That is too {direction}. Compare your examples with those of `emma`.")


def read_tensor(answer: Any, *arguments: Any) -> torch.Tensor:
    """Return the tensor that the answer, a function, makes of the arguments.

    Raises Wrong where it is no function, fails, or returns anything but a tensor.
    """
    if not callable(answer):
        raise Wrong("Expected a function; hand it over without calling it.")
    try:
        result = answer(*arguments)
    except Exception as error:
        raise Wrong(f"It raises {type(error).__name__}: {error}") from None
    if not isinstance(result, torch.Tensor):
        raise Wrong(f"Expected a tensor, got {type(result).__name__}.")
    return result
