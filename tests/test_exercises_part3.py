"""The checks of Part 3 know right from wrong, name the common mistakes, never crash."""

import math

import pytest
import torch
import torch.nn.functional as F

from charlm.diagnostics import layer_stats, trace
from charlm.exercises import check
from charlm.exercises.part3 import CHECKS, DIAGNOSES, _unigram_loss, patients

NONSENSE = [
    None,
    "0.5",
    True,
    [],
    (),
    (1.0, "x"),
    [[1], [2]],
    {},
    {"A": []},
    math.nan,
    object(),
    1j,
    lambda *_: None,
    lambda *_: (None, None),
]


def fold(linear, norm, eps=None, bias=True, shift=True, root=True):
    s = norm.running_var + (norm.eps if eps is None else eps)
    s = norm.weight / (s.sqrt() if root else s)
    b = linear.bias if bias and linear.bias is not None else 0
    return linear.weight * s, (b - norm.running_mean) * s + shift * norm.bias


def layer_norm(x, weight, bias, eps, dim=1, correction=0):
    mean = x.mean(dim, keepdim=True)
    var = x.var(dim, correction=correction, keepdim=True)
    return weight * (x - mean) / (var + eps).sqrt() + bias


RIGHT = {
    "3.1": ({"6.bias"}, 2.8205),
    "3.2": fold,
    "3.3": layer_norm,
    "3.4": 1.313,
    "3.5": DIAGNOSES,
}

WRONG = {
    "3.1": [
        (({"6.bias"}, math.log(27)), "starts"),
        (({"6.weight", "6.bias"}, 2.82), "6.weight"),
        (({"0.weight"}, 2.82), "added right to the logits"),
        ((set(), 3.2958), "Something does change"),
        (({"6.bias"}, 2.45), "the loss is not"),
    ],
    "3.2": [
        (lambda linear, norm: fold(linear, norm, eps=0), "eps"),
        (lambda linear, norm: fold(linear, norm, bias=False), "is lost"),
        (lambda linear, norm: fold(linear, norm, shift=False), "own bias"),
        (lambda linear, norm: fold(linear, norm, root=False), "root"),
        (lambda linear, norm: fold(linear, norm)[::-1], "RuntimeError"),
        (lambda linear, norm: (linear.weight, norm.bias), "numbers"),
        (fold(*[torch.nn.BatchNorm1d(2)] * 2), "function"),
    ],
    "3.3": [
        (lambda x, w, b, eps: layer_norm(x, w, b, eps, dim=0), "batch norm"),
        (lambda x, w, b, eps: layer_norm(x, w, b, eps, correction=1), "unbiased"),
        (lambda x, w, b, eps: layer_norm(x, 1, 0, eps), "Scale by weight"),
        (lambda x, w, b, eps: F.layer_norm(x, (5,), w, b), "eps"),
        (lambda x, w, b, eps: (x - x.mean(1)) * w + b, "RuntimeError"),
        (lambda x, w, b, eps: x, "numbers"),
    ],
    "3.4": [
        (5 / 3, "too high"),
        (1.0, "too low"),
        (-1.3, "positive"),
        (1.25, "too low"),
    ],
    "3.5": [
        ({**DIAGNOSES, "A": "healthy", "B": "gain too high"}, "2 of the 5 are"),
        ({**DIAGNOSES, "A": "flu"}, "'flu'"),
        ({"A": "healthy"}, "no diagnosis for B, C, D, E"),
        ({**DIAGNOSES, "E": "healthy"}, "1 of the 5 is"),
    ],
}


def test_every_check_is_tested():
    assert CHECKS.keys() == RIGHT.keys() == WRONG.keys()


@pytest.mark.parametrize("exercise", RIGHT)
def test_the_right_answer_is_right(exercise, capsys):
    assert check(exercise, RIGHT[exercise])
    assert "right" in capsys.readouterr().out


@pytest.mark.parametrize(
    "exercise, answer, hint", [(e, a, h) for e, rows in WRONG.items() for a, h in rows]
)
def test_a_common_mistake_is_recognised(exercise, answer, hint, capsys):
    assert not check(exercise, answer)
    assert hint in capsys.readouterr().out


@pytest.mark.parametrize("exercise", CHECKS)
@pytest.mark.parametrize("nonsense", NONSENSE, ids=repr)
def test_nonsense_is_wrong_and_raises_nothing(exercise, nonsense):
    assert not check(exercise, nonsense)


def test_the_batchs_statistics_are_not_those_of_use(capsys):
    def with_batch(linear, norm):
        z = X @ linear.weight + (0 if linear.bias is None else linear.bias)
        s = norm.weight / (z.var(0, correction=0) + norm.eps).sqrt()
        b = (0 if linear.bias is None else linear.bias) - z.mean(0)
        return linear.weight * s, b * s + norm.bias

    X = torch.randn(8, 5, generator=torch.Generator().manual_seed(0))
    assert not check("3.2", with_batch)
    assert "running statistics" in capsys.readouterr().out


def test_patients_are_what_the_diagnoses_say():
    x = torch.randint(27, (64, 3), generator=torch.Generator().manual_seed(0))
    nets = patients()
    assert nets.keys() == DIAGNOSES.keys()
    sizes = {name: net(x).std().item() for name, net in nets.items()}
    assert sizes["C"] > 5 > 1 > max(v for k, v in sizes.items() if k != "C")
    y = x[:, 0]
    last = {}
    for name, net in nets.items():
        tanhs = [s for s in layer_stats(trace(net, x, y)) if s.kind == "Tanh"]
        assert bool(tanhs) == (name != "D")
        last[name] = tanhs[-1] if tanhs else None
    assert last["A"].saturated > 0.5 and last["E"].std < 0.3
    assert 0.6 < last["B"].std < 0.7 and last["B"].saturated < 0.1


def test_the_unigram_is_as_likely_as_its_counts():
    assert _unigram_loss() == pytest.approx(2.8205, abs=0.005)
