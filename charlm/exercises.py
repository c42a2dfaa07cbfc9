"""Checks of a reader's answers: right, or what is wrong and which hint to read.

A check never shows the solution. It computes the right answer and the answers that the
common mistakes lead to, and compares.
"""

from collections.abc import Callable
from typing import Any

from charlm import (
    exercises_part1,
    exercises_part2,
    exercises_part3,
    exercises_part4,
    exercises_part5,
)
from charlm.answers import Wrong

CHECKS: dict[str, Callable[[Any], None]] = {
    **exercises_part1.CHECKS,
    **exercises_part2.CHECKS,
    **exercises_part3.CHECKS,
    **exercises_part4.CHECKS,
    **exercises_part5.CHECKS,
}


def check(exercise: str, answer: Any) -> bool:
    """Print and return whether the answer to an exercise, such as "1.1", is right.

    Raises ValueError for an exercise that does not exist.
    """
    if exercise not in CHECKS:
        raise ValueError(f"no exercise {exercise!r}; there are {', '.join(CHECKS)}")
    try:
        CHECKS[exercise](answer)
    except Wrong as wrong:
        print(f"{exercise}: not yet. {wrong}")
        return False
    print(f"{exercise}: right!")
    return True
