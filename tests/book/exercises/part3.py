"""Right and wrong answers to the exercises of Part 3."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from charlm.book.exercises.part3 import DIAGNOSES


def fold(linear, norm, eps=None, bias=True, shift=True, root=True):
    s = norm.running_var + (norm.eps if eps is None else eps)
    s = norm.weight / (s.sqrt() if root else s)
    b = linear.bias if bias and linear.bias is not None else 0
    return linear.weight * s, (b - norm.running_mean) * s + shift * norm.bias


def fold_in_place(linear, norm):
    with torch.no_grad():
        linear.weight *= norm.weight / (norm.running_var + norm.eps).sqrt()
    return linear.weight, fold(linear, norm)[1]


def in_float64(function):
    def double(*arguments):
        result = function(*arguments)
        if isinstance(result, tuple):
            return [tensor.double() for tensor in result]
        return result.double()

    return double


def layer_norm(x, weight, bias, eps, dim=1, correction=0):
    mean = x.mean(dim, keepdim=True)
    var = x.var(dim, correction=correction, keepdim=True)
    return weight * (x - mean) / (var + eps).sqrt() + bias


def fold_scaling_the_weight_alone(linear, norm):
    s = norm.weight / (norm.running_var + norm.eps).sqrt()
    b = 0 if linear.bias is None else linear.bias
    return linear.weight * s, b - norm.running_mean + norm.bias


def fold_scaling_the_mean_alone(linear, norm):
    s = norm.weight / (norm.running_var + norm.eps).sqrt()
    b = 0 if linear.bias is None else linear.bias
    return linear.weight * s, b - norm.running_mean * s + norm.bias


def fold_adding_the_mean(linear, norm):
    s = norm.weight / (norm.running_var + norm.eps).sqrt()
    b = 0 if linear.bias is None else linear.bias
    return linear.weight * s, (b + norm.running_mean) * s + norm.bias


def fold_without_gamma(linear, norm):
    s = 1 / (norm.running_var + norm.eps).sqrt()
    b = 0 if linear.bias is None else linear.bias
    return linear.weight * s, (b - norm.running_mean) * s + norm.bias


def fold_needing_a_bias(linear, norm):
    s = norm.weight / (norm.running_var + norm.eps).sqrt()
    return linear.weight * s, (linear.bias - norm.running_mean) * s + norm.bias


def fold_without_the_mean(linear, norm):
    s = norm.weight / (norm.running_var + norm.eps).sqrt()
    b = 0 if linear.bias is None else linear.bias
    return linear.weight * s, b * s + norm.bias


def fold_with_eps_outside(linear, norm):
    s = norm.weight / (norm.running_var.sqrt() + norm.eps)
    b = 0 if linear.bias is None else linear.bias
    return linear.weight * s, (b - norm.running_mean) * s + norm.bias


def fold_scaling_the_shift(linear, norm):
    s = norm.weight / (norm.running_var + norm.eps).sqrt()
    b = 0 if linear.bias is None else linear.bias
    return linear.weight * s, (b - norm.running_mean + norm.bias) * s


def fold_with_a_bare_mean(linear, norm):
    s = norm.weight / (norm.running_var + norm.eps).sqrt()
    b = 0 if linear.bias is None else linear.bias
    return linear.weight * s, b * s - norm.running_mean + norm.bias


def normalized(x, eps):
    return layer_norm(x, 1, 0, eps)


def layer_norm_in_place(x, weight, bias, eps):
    x -= x.mean(1, keepdim=True)
    x /= (x.var(1, correction=0, keepdim=True) + eps).sqrt()
    return weight * x + bias


def fold_by_the_batch(linear, norm):
    X = torch.randn(8, 5, generator=torch.Generator().manual_seed(0))
    b = 0 if linear.bias is None else linear.bias
    z = X @ linear.weight + b
    s = norm.weight / (z.var(0, correction=0) + norm.eps).sqrt()
    return linear.weight * s, (b - z.mean(0)) * s + norm.bias


RIGHT = {
    "3.1": [
        ({"6.bias"}, 2.8205),
        (["6.bias"], torch.tensor([2.82])),
        [("6.bias",), np.float32(2.815)],
        ("6.bias", 2.825),
        ({"6.bias": torch.zeros(27)}, np.array(2.82)),
    ],
    "3.2": [
        fold,
        in_float64(fold),
        lambda linear, norm: list(fold(linear, norm.eval())),
        lambda linear, norm: [torch.nn.Parameter(t) for t in fold(linear, norm)],
    ],
    "3.3": [
        layer_norm,
        in_float64(layer_norm),
        lambda x, w, b, eps: F.layer_norm(x, x.shape[-1:], w, b, eps),
    ],
    "3.4": [1.313, 1.31, torch.tensor([1.313]), np.float32(1.313)],
    "3.5": [DIAGNOSES, {**DIAGNOSES, "H": "healthy"}],
}

WRONG = {
    "3.1": [
        (({"6.bias"}, math.log(27)), "starts. The bias learns. See hint 3"),
        (({"6.bias"}, 2.8205 / math.log(2)), "in bits"),
        (({"6.bias"}, 2.45), "reads nothing comes so low on train. See hint 3"),
        (({"6.bias"}, 2.95), "train for longer"),
        (({"6.bias"}, math.exp(2.8205)), "That is the perplexity"),
        (({"6.bias"}, 5.2), "starts at log 27, and ends below"),
        (({"6.weight", "6.bias"}, 2.82), "any gradient reach 6.weight? See hint 1"),
        (({"0.weight"}, 2.82), "added right to the logits? See hint 2"),
        ((set(), 3.2958), "Something does change"),
        (({"6.bias"}, "2.82"), "Expected one number, got str"),
        (([["6.bias"]], 2.82), "a set of strings"),
        ("6.bias", "Expected names and a loss"),
    ],
    "3.2": [
        (lambda linear, norm: fold(linear, norm, eps=0), "eps"),
        (lambda linear, norm: fold(linear, norm, bias=False), "is lost"),
        (lambda linear, norm: fold(linear, norm, shift=False), "own bias"),
        (lambda linear, norm: fold(linear, norm, root=False), "root"),
        (fold_without_gamma, "norm's weight is missing"),
        (fold_scaling_the_weight_alone, "scaled as well. See hint 1"),
        (fold_scaling_the_mean_alone, "bias must be scaled as well. See hint 1"),
        (fold_adding_the_mean, "sign of the mean"),
        (fold_needing_a_bias, "`bias` is `None`: take 0"),
        (lambda linear, norm: linear.weight.T @ norm.eps, "raises TypeError"),
        (fold_with_eps_outside, "eps belongs under the root"),
        (lambda linear, norm: fold(linear, norm, eps=1e-5), "`norm.eps`"),
        (fold_without_the_mean, "running mean is lost"),
        (fold_scaling_the_shift, "own bias is added after the scale"),
        (fold_with_a_bare_mean, "The mean must be scaled as well. See hint 1"),
        (fold_by_the_batch, "running statistics: there is no batch in eval mode"),
        (fold_in_place, "changes the layers"),
        (lambda linear, norm: fold(linear, norm)[::-1], "got (4,) and (5, 4)"),
        (lambda linear, norm: (fold(linear, norm)[0].T, norm.bias), "the transpose"),
        (lambda linear, norm: fold(linear, norm)[0].sum(), "Expected two tensors"),
        (lambda linear, norm: linear.bias - norm.running_mean, "Expected two tensors"),
        (
            lambda linear, norm: [t.detach().numpy() for t in fold(linear, norm)],
            "tensors of floats",
        ),
        (lambda linear, norm: [t.int() for t in fold(linear, norm)], "of floats"),
        (lambda linear, norm: (linear.weight, norm.bias), "numbers"),
        (fold(*[torch.nn.BatchNorm1d(2)] * 2), "function"),
    ],
    "3.3": [
        (lambda x, w, b, eps: layer_norm(x, w, b, eps, dim=0), "batch norm"),
        (lambda x, w, b, eps: layer_norm(x, w, b, eps, correction=1), "unbiased"),
        (lambda x, w, b, eps: layer_norm(x, 1, 0, eps), "Scale by weight"),
        (lambda x, w, b, eps: layer_norm(x, w, 0, eps), "shift by bias is missing"),
        (lambda x, w, b, eps: layer_norm(x, 1, b, eps), "scale by weight is missing"),
        (lambda x, w, b, eps: F.layer_norm(x, (5,), w, b), "eps"),
        (
            lambda x, w, b, eps: (
                (x - x.mean(1, keepdim=True))
                / (x.var(1, correction=0, keepdim=True) + eps)
                * w
                + b
            ),
            "root of the variance",
        ),
        (
            lambda x, w, b, eps: (
                w
                * (x - x.mean(1, keepdim=True))
                / (x.std(1, correction=0, keepdim=True) + eps)
                + b
            ),
            "`eps` belongs under the root",
        ),
        (lambda x, w, b, eps: (normalized(x, eps) + b) * w, "Scale first"),
        (lambda x, w, b, eps: normalized(x, eps) * b + w, "the scale and `bias` the"),
        (lambda x, w, b, eps: w * (x - x.mean(1, keepdim=True)) + b, "is divided"),
        (
            lambda x, w, b, eps: (
                w * x / (x.var(1, correction=0, keepdim=True) + eps).sqrt() + b
            ),
            "Subtract the mean",
        ),
        (layer_norm_in_place, "overwrites"),
        (lambda x, w, b, eps: layer_norm(x, w, b, eps).int(), "got one of int32"),
        (lambda x, w, b, eps: layer_norm(x, w, b, eps).numpy(), "got ndarray"),
        (lambda x, w, b, eps: layer_norm(x, w, b, eps).tolist(), "got list"),
        (lambda x, w, b, eps: layer_norm(x, w, b, eps).T, "not (5, 6)"),
        (lambda x, w, b, eps: (x - x.mean(1)) * w + b, "RuntimeError"),
        (lambda x, w, b, eps: x, "numbers are not. See hint 1"),
    ],
    "3.4": [
        (5 / 3, "too high"),
        (1.0, "too low"),
        (-1.3, "positive"),
        (1.25, "too low"),
        (1.29, "too low"),
        (1.3, "too low"),
        (1.32, "too high"),
        (1.335, "too high"),
        (0.5, "That is the size"),
        (1.891, "mean square of 0.5"),
        ([1.313], "got list"),
    ],
    "3.5": [
        ({**DIAGNOSES, "A": "healthy", "D": "rate too high"}, "the rates. See hint 3"),
        ({**DIAGNOSES, "F": "healthy"}, "the rates. See hint 3"),
        ({**DIAGNOSES, "A": "rate too low", "F": "rate too high"}, "See hint 3"),
        ({**DIAGNOSES, "B": "healthy", "D": "gain too high"}, "so far: 5 of 7"),
        ({**DIAGNOSES, "G": "healthy"}, "so far: 6 of 7. See hint 2"),
        ({**DIAGNOSES, "B": "dead units"}, "Exactly one has dead units: count them"),
        ({**DIAGNOSES, "C": "gain too high"}, "Exactly one has dead units"),
        ({**DIAGNOSES, "C": "healthy"}, "count them in all. See hint 1"),
        ({**DIAGNOSES, "A": "confident"}, "Exactly one is confident"),
        ({**DIAGNOSES, "E": "gain too high"}, "first loss is far too high. See hint 1"),
        (dict.fromkeys(DIAGNOSES, "healthy"), "Exactly one is confident"),
        ({**DIAGNOSES, "A": "flu"}, "'flu' is none of confident, dead units"),
        ({**DIAGNOSES, "A": torch.zeros(2)}, "'Tensor' is none of"),
        ({"A": "healthy"}, "no diagnosis for B, C, D, E, F, G"),
        (list(DIAGNOSES.values()), "Expected a dictionary"),
    ],
}
