"""The checks of Part 1 know right from wrong, name the common mistakes, never crash."""

import math

import pytest
import torch
import torch.nn.functional as F

from charlm.exercises import check
from charlm.exercises.part1 import CHECKS, _loss, _one_boundary_trigram

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


def plain_cross_entropy(logits, y):
    return -logits.softmax(1)[torch.arange(len(y)), y].log().mean()


def naive(logits, y):
    p = logits.exp() / logits.exp().sum(1, keepdim=True)
    return -p[torch.arange(len(y)), y].log().mean()


def trigram():
    return _loss(3, 1, "all", "all")


RIGHT = {
    "1.1": trigram,
    "1.2": lambda: (_loss(2, 1, "train", "dev"), _loss(3, 1, "train", "dev")),
    "1.3": lambda: (0.2, _loss(3, 0.2, "train", "test")),
    "1.4": lambda: lambda W, x: W[x],
    "1.5": lambda: F.cross_entropy,
    "1.6": lambda: torch.tensor(2.3374),
    "1.7": lambda: 2.031,
}

WRONG = {
    "1.1": [
        (_one_boundary_trigram, "first letter"),
        (lambda: trigram() / math.log(2), "bits"),
        (lambda: -trigram(), "sign"),
        (lambda: _loss(3, 0, "all", "all"), "without smoothing"),
        (lambda: trigram() * 229_804, "sum"),
    ],
    "1.2": [
        (lambda: RIGHT["1.2"]()[::-1], "Bigram first"),
        (lambda: (_loss(2, 1, "all", "dev"), 2.25), "counted the dev names"),
        (lambda: (_loss(2, 1, "train", "train"), 2.25), "on train"),
        (lambda: (2.4714, _loss(3, 0.2, "train", "dev")), "should be 1"),
        (lambda: (math.inf, math.inf), "infinite"),
    ],
    "1.3": [
        (lambda: (3, 2.2), "lower loss on dev"),
        (lambda: (0.2, _loss(3, 0.2, "train", "dev")), "on dev"),
        (lambda: (0, math.inf), "positive"),
    ],
    "1.4": [
        (lambda: lambda W, x: W[:, x], "columns"),
        (lambda: lambda W, x: W.T[x], "columns"),
        (lambda: lambda W, x: W, "shape"),
        (lambda: lambda W, x: W[x] + 1, "numbers"),
        (lambda: lambda W, x: W[99], "IndexError"),
    ],
    "1.5": [
        (lambda: plain_cross_entropy, "-inf"),
        (lambda: lambda z, y: naive(z, y), "overflow"),
        (lambda: lambda z, y: F.cross_entropy(z, y, reduction="sum"), "mean"),
        (lambda: lambda z, y: -F.cross_entropy(z, y), "sign"),
        (lambda: lambda z, y: F.cross_entropy(z, y, reduction="none"), "one number"),
    ],
    "1.6": [
        (lambda: _loss(3, 0, "all", "all"), "cannot reach"),
        (lambda: 2.45, "train longer"),
        (lambda: 1.9, "below the trigram"),
        (lambda: 2.25, "additive"),
    ],
    "1.7": [
        (lambda: _loss(4, 0.1, "train", "dev"), "best single"),
        (lambda: 2.07, "hint 3"),
        (lambda: 2.0009, "count the dev names"),
        (lambda: -2.03, "Too good"),
    ],
}


def test_every_check_is_tested():
    part = {exercise for exercise in CHECKS if exercise.startswith("1.")}
    assert part == RIGHT.keys() == WRONG.keys()


@pytest.mark.parametrize("exercise", RIGHT)
def test_the_right_answer_is_right(exercise, capsys):
    assert check(exercise, RIGHT[exercise]())
    assert "right" in capsys.readouterr().out


@pytest.mark.parametrize(
    "exercise, answer, hint", [(e, a, h) for e, rows in WRONG.items() for a, h in rows]
)
def test_a_common_mistake_is_recognised(exercise, answer, hint, capsys):
    assert not check(exercise, answer())
    assert hint in capsys.readouterr().out


@pytest.mark.parametrize("exercise", RIGHT)
@pytest.mark.parametrize("nonsense", NONSENSE, ids=repr)
def test_nonsense_is_wrong_and_raises_nothing(exercise, nonsense):
    assert not check(exercise, nonsense)


def test_an_unknown_exercise_is_an_error():
    with pytest.raises(ValueError, match=r"9\.9"):
        check("9.9", 1)
