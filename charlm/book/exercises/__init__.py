"""Checks of a reader's answers: right, or what is wrong and which hint to read.

A check never shows the solution. It computes the right answer and the answers that the
common mistakes lead to, and compares. Each part of the book has a module of its own.
"""

from importlib import import_module
from typing import Any

from charlm.book.exercises.answers import judge

MODULES = {
    "1": "part1",
    "2": "part2",
    "3": "part3",
    "4": "part4",
    "5": "part5",
    "6": "part6",
    "7": "part7",
    "E": "evaluation",
}


def check(exercise: str, answer: Any) -> bool:
    """Print and return whether the answer to an exercise, such as "1.1", is right.

    Raises ValueError for an exercise that does not exist.
    """
    exercise = str(exercise)  # 1.1 may come as a number
    module = MODULES.get(exercise.partition(".")[0])
    if module is None:
        raise ValueError(
            f"no exercise {exercise!r}; the parts are {', '.join(MODULES)}"
        )
    checks = import_module(f"charlm.book.exercises.{module}").CHECKS
    return judge(checks, exercise, answer)
