"""What the checks of the exercises share: reading an answer, saying what is wrong."""

import math
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any

import numpy as np
import torch

from charlm.evaluate import Evaluation
from charlm.seeds import OverSeeds

TOLERANCE = 1e-3


class Wrong(Exception):
    """What is wrong with an answer, in one sentence for the reader."""


Check = Callable[[Any], None]  # raises Wrong unless the answer is right


def judge(checks: dict[str, Check], exercise: str, answer: Any) -> bool:
    """Print and return whether the answer to one of the exercises is right.

    Raises ValueError for an exercise that does not exist.

    Parameters
    ----------
    checks : what judges an answer, by the number of the exercise
    exercise : such a number, as "1.1"
    answer : anything
    """
    exercise = str(exercise)  # 1.1 may come as a number
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
    """Return the answer as a float. Raises Wrong unless it is one number, not nan.

    An evaluation stands for its loss, and losses over seeds for their mean.
    """
    if isinstance(answer, Evaluation):
        answer = answer.loss
    if isinstance(answer, OverSeeds):
        answer = answer.mean
    if isinstance(answer, torch.Tensor | np.ndarray) and math.prod(answer.shape) == 1:
        answer = answer.item()
    if not isinstance(answer, Real) or isinstance(answer, bool):
        raise Wrong(f"Expected one number, got {type(answer).__name__}.")
    try:
        value = float(answer)
    except OverflowError:
        raise Wrong("That number is far too large.") from None
    if math.isnan(value):
        raise Wrong(
            "The answer is nan: somewhere 0 was divided by 0, or infinity met infinity "
            "(an overflow, or a rate too high), or a logarithm was taken of a negative "
            "number."
        )
    return value


def read_pair(answer: Any) -> tuple[float, float]:
    """Return the answer as two floats. Raises Wrong unless it is two numbers."""
    try:
        first, second = answer
    except (TypeError, ValueError):
        raise Wrong("Expected two numbers, as in (1.0, 2.0).") from None
    if isinstance(answer, Mapping) or isinstance(first, str):
        raise Wrong("Expected two numbers, as in (1.0, 2.0).")
    return read_number(first), read_number(second)


def check_loss(
    value: float, right: float, mistakes: dict[str, float], advice: str
) -> None:
    """Raise Wrong, with the mistake that explains the value, unless it is right.

    Parameters
    ----------
    value : the reader's loss
    right : the right loss; it may be missed by TOLERANCE
    mistakes : what to say to the values to which the common mistakes lead
    advice : what to say to any other value, after the direction in which it is wrong
    """
    if math.isclose(value, right, abs_tol=TOLERANCE):
        return
    if mistakes:
        likeliest = min(mistakes, key=lambda mistake: abs(mistakes[mistake] - value))
        if math.isclose(value, mistakes[likeliest], rel_tol=1e-6, abs_tol=TOLERANCE):
            raise Wrong(likeliest)
    if value < 0:
        raise Wrong(
            "A loss is not negative: mind the sign of the logarithm. Or does a row sum "
            "to more than 1?"
        )
    if math.isclose(value, right / math.log(2), abs_tol=TOLERANCE):
        raise Wrong("That is in bits; use the natural logarithm.")
    if math.isclose(value, math.exp(right), abs_tol=TOLERANCE):
        raise Wrong("That is the perplexity, the exponential of the loss.")
    direction = "low" if value < right else "high"
    raise Wrong(f"That is too {direction}. {advice}")


def close(result: torch.Tensor, right: torch.Tensor) -> bool:
    """Return whether two tensors have one shape and, in any dtype, one content."""
    if result.shape != right.shape or result.is_complex():
        return False
    return result.double().allclose(right.double(), atol=1e-5)


def call(answer: Any, *arguments: Any) -> Any:
    """Return what the answer, a function, makes of copies of the arguments.

    Raises Wrong where it is no function, fails, or overwrites a tensor of theirs.
    """
    if not callable(answer):
        raise Wrong("Expected a function; hand it over without calling it.")
    copies = [_copy(argument) for argument in arguments]
    try:
        result = answer(*copies)
    except Wrong:
        raise
    except Exception as error:
        message = str(error).partition("\n")[0]
        raise Wrong(f"It raises {type(error).__name__}: {message}") from None
    if not all(map(_same, arguments, copies)):
        raise Wrong("It overwrites what it was given: work on a clone.")
    return result


def _copy(argument: Any) -> Any:
    if isinstance(argument, Mapping):
        return {k: _copy(v) for k, v in argument.items()}
    if isinstance(argument, list):
        return [_copy(v) for v in argument]
    return argument.detach().clone() if isinstance(argument, torch.Tensor) else argument


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, Mapping):
        return all(k in b and _same(v, b[k]) for k, v in a.items())
    if isinstance(a, list):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and a.equal(b)
    return True


def read_tensor(answer: Any, *arguments: Any) -> torch.Tensor:
    """Return the tensor of floats that the answer, a function, makes of the arguments.

    Raises Wrong where it is no function, fails, or returns anything else.
    """
    result = call(answer, *arguments)
    if not isinstance(result, torch.Tensor):
        raise Wrong(f"Expected a tensor, got {type(result).__name__}.")
    if not result.is_floating_point():
        kind = str(result.dtype).removeprefix("torch.")
        raise Wrong(f"Expected a tensor of floats, got one of {kind}.")
    return result
