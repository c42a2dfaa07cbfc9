"""Right and wrong answers to the exercises of Part 3."""

import math

import torch
import torch.nn.functional as F

from charlm.exercises.part3 import DIAGNOSES


def fold(linear, norm, eps=None, bias=True, shift=True, root=True):
    s = norm.running_var + (norm.eps if eps is None else eps)
    s = norm.weight / (s.sqrt() if root else s)
    b = linear.bias if bias and linear.bias is not None else 0
    return linear.weight * s, (b - norm.running_mean) * s + shift * norm.bias


def layer_norm(x, weight, bias, eps, dim=1, correction=0):
    mean = x.mean(dim, keepdim=True)
    var = x.var(dim, correction=correction, keepdim=True)
    return weight * (x - mean) / (var + eps).sqrt() + bias


def fold_by_the_batch(linear, norm):
    X = torch.randn(8, 5, generator=torch.Generator().manual_seed(0))
    b = 0 if linear.bias is None else linear.bias
    z = X @ linear.weight + b
    s = norm.weight / (z.var(0, correction=0) + norm.eps).sqrt()
    return linear.weight * s, (b - z.mean(0)) * s + norm.bias


RIGHT = {
    "3.1": [({"6.bias"}, 2.8205)],
    "3.2": [fold],
    "3.3": [layer_norm],
    "3.4": [1.313],
    "3.5": [DIAGNOSES],
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
        (fold_by_the_batch, "running statistics"),
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
