"""Right and wrong functions that Part 4 asks for in passing."""

from importlib import import_module
from typing import Any

import torch

CASES = import_module("exercises.part4")
batch_norm, linear = CASES.batch_norm, CASES.linear
loss_backward, norm_backward = CASES.loss_backward, CASES.norm_backward
lookup_backward = CASES.lookup_backward


def looked_up_in_a_loop(demb, x, V):
    dC = torch.zeros(V, demb.shape[-1], dtype=demb.dtype)
    for i in range(len(x)):
        for j in range(x.shape[1]):
            dC[x[i, j]] += demb[i, j]
    return dC


def overwritten(demb, x, V):
    dC = torch.zeros(V, demb.shape[-1], dtype=demb.dtype)
    dC[x] += demb
    return dC


def of_three(demb, x, V):
    dC = torch.zeros(V, demb.shape[-1], dtype=demb.dtype)
    for i in range(len(x)):
        for j in range(3):
            dC[x[i, j]] += demb[i, j]
    return dC


def by_row(demb, x, V):
    dC = torch.zeros(V, demb.shape[-1], dtype=demb.dtype)
    for i in range(len(x)):
        dC[x[i]] += demb[i]
    return dC


def single(function):
    return lambda *arguments: function(*arguments).float()


def but(function, name, change):
    return lambda *a: function(*a) | {name: change(function(*a)[name])}


def closed_form(t, dhpreact):
    d = norm_backward(t, dhpreact)
    dhpre = batch_norm(dhpreact, t["xhat"], t["inv_std"], t["gamma"])
    return d | {"hpre": dhpre}


def without_squared(t, dhpreact):
    """The branch of centered that comes back through squared is forgotten in mean."""
    d = norm_backward(t, dhpreact)
    return d | {"mean": -(d["xhat"] * t["inv_std"]).sum(0)}


RIGHT: dict[str, list[Any]] = {
    "back_from_loss": [loss_backward],
    "back_linear": [linear, lambda *a: list(linear(*a))],
    "back_tanh": [lambda dh, h: (1 - h**2) * dh, lambda dh, h: dh - dh * h * h],
    "back_norm": [norm_backward, closed_form],
    "back_lookup": [lookup_backward, looked_up_in_a_loop],
}
WRONG = {
    "back_from_loss": [
        (but(loss_backward, "top", torch.zeros_like), "sum to 1"),
        (but(loss_backward, "top", lambda d: -d), "Where total is larger"),
        (but(loss_backward, "counts", lambda d: 2 * d), "numbers differ"),
        (but(loss_backward, "total", lambda d: d[:, 0]), "(8, 1), not (8,)"),
        (lambda t: list(loss_backward(t)), "a dictionary from names"),
        (lambda t: {}, "no gradient called 'log_probs'"),
        (but(loss_backward, "log_probs", torch.Tensor.float), "of log_probs is torch"),
    ],
    "back_linear": [
        (lambda dy, x, W: (dy @ W, x.T @ dy, dy.sum(0)), "W.T, not W"),
        (lambda dy, x, W: (*linear(dy, x, W)[:2], dy.mean(0)), "mean is in dy"),
        (lambda dy, x, W: (*linear(dy, x, W)[:2], dy), "shape (5,), not (5, 5)"),
        (lambda dy, x, W: linear(dy, x, W)[:2], "three tensors"),
        (lambda dy, x, W: (dy @ W.T, dy.T @ x, dy.sum(0)), "transposed"),
        (lambda dy, x, W: (x.T @ dy, dy @ W.T, dy.sum(0)), "in this order"),
        (lambda dy, x, W: (dy @ W.T, x @ dy, dy.sum(0)), "x.T, not x"),
        (lambda dy, x, W: (dy @ W.T, x.T @ dy, dy.sum(1)), "over the batch"),
    ],
    "back_tanh": [
        (lambda dh, h: 1 - h**2, "local slope alone"),
        (lambda dh, h: (1 - h.tanh() ** 2) * dh, "twice"),
        (lambda dh, h: (1 - h) * dh, "with a square"),
        (lambda dh, h: (h**2 - 1) * dh, "sign"),
        (lambda dh, h: dh / (1 - h**2), "do not divide"),
        (lambda dh, h: ((1 - h**2) * dh).sum(0), "shape (4, 6), not (6,)"),
    ],
    "back_norm": [
        (but(norm_backward, "mean", lambda d: -d), "mean has the wrong sign"),
        (but(norm_backward, "var", lambda d: -d), "var has the wrong sign"),
        (but(norm_backward, "squared", lambda d: d[0]), "(8, 6), not (6,)"),
        (
            lambda t, dy: (
                norm_backward(t, dy) | {"hpre": norm_backward(t, dy)["centered"]}
            ),
            "path through mean is missing",
        ),
        (lambda t, dy: norm_backward(t, dy)["hpre"], "a dictionary from names"),
        (but(norm_backward, "mean", torch.Tensor.float), "of mean is torch.float32"),
        (without_squared, "sum to zero: The gradient of mean is not right. The path"),
    ],
    "back_lookup": [
        (overwritten, "looked up twice"),
        (lambda demb, x, V: lookup_backward(demb, x, V)[:3], "shape (27, 4)"),
        (lambda demb, x, V: -lookup_backward(demb, x, V), "sign is wrong"),
        (lambda demb, x, V: demb, "shape (27, 4)"),
        (lambda demb, x, V: lookup_backward(demb, x, 27), "larger vocabulary"),
        (of_three, "take T from the shape"),
        (by_row, "twice in one row"),
        (single(lookup_backward), "Give a new tensor their dtype"),
    ],
}
