"""The checks of Part 2 know right from wrong, name the common mistakes, never crash."""

import math

import pytest
import torch

from charlm.exercises import check
from charlm.exercises.part2 import CHECKS, _seen_and_unseen

NONSENSE = [
    None,
    "2.1",
    True,
    [],
    (),
    (1.0, "x"),
    [1, 2, 3],
    {},
    math.nan,
    object(),
    1j,
]


def first_loss(scale):
    return math.log(27) + 23 * scale**2


def direct(params, x):
    C, W1, b1, W2, b2, W3 = params
    flat = C[x].view(len(x), -1)
    return torch.tanh(flat @ W1 + b1) @ W2 + b2 + flat @ W3


def without(params, x):
    return direct([*params[:5], params[5] * 0], x)


def through_tanh(params, x):
    C, *_, W3 = params
    return without(params, x) + torch.tanh(C[x].view(len(x), -1) @ W3)


RIGHT = {
    "2.1": 2.15,
    "2.2": first_loss,
    "2.3": direct,
    "2.4": 5,
    "2.5": (1.92, 2.07),
}

WRONG = {
    "2.1": [(2.2, "lecture"), (1.5, "Too good"), (-2.1, "Too good")],
    "2.2": [
        (26.3, "function"),
        (lambda scale: 27.0, "equally likely"),
        (lambda scale: math.log(27), "far worse"),
        (lambda scale: math.log(27) + (scale > 0) * 20, "nearly"),
        (lambda scale: 1 / 0, "ZeroDivisionError"),
    ],
    "2.3": [
        (without, "without the direct"),
        (through_tanh, "around the tanh"),
        (lambda params, x: direct(params, x).T, "(6, 27)"),
        (lambda params, x: direct(params, x) + 1, "numbers"),
    ],
    "2.4": [(3, "still gains"), (6, "shorter"), (2.5, "from 1 to 6")],
    "2.5": [
        ((2.07, 1.92), "seen first"),
        ((2.05, 2.06), "nearly equal"),
        ((0.5, 0.9), "out of range"),
    ],
}


def test_every_check_is_tested():
    assert CHECKS.keys() == RIGHT.keys() == WRONG.keys()


@pytest.mark.parametrize("exercise", RIGHT)
def test_the_right_answer_is_right(exercise):
    assert check(exercise, RIGHT[exercise])


@pytest.mark.parametrize(
    "exercise, answer, hint", [(e, a, h) for e, rows in WRONG.items() for a, h in rows]
)
def test_a_common_mistake_is_recognised(exercise, answer, hint, capsys):
    assert not check(exercise, answer)
    assert hint in capsys.readouterr().out


def test_the_losses_of_the_table_are_recognised(capsys):
    assert not check("2.5", _seen_and_unseen())
    assert "4-gram" in capsys.readouterr().out


@pytest.mark.parametrize("exercise", CHECKS)
@pytest.mark.parametrize("nonsense", NONSENSE, ids=repr)
def test_nonsense_is_wrong_and_raises_nothing(exercise, nonsense):
    assert not check(exercise, nonsense)
