"""The checks of Part 3's exercises: each raises Wrong unless the answer is right."""

import math
from collections.abc import Mapping
from copy import deepcopy
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from charlm import layers
from charlm.book.exercises.answers import (
    Check,
    Wrong,
    call,
    close,
    judge,
    read_number,
    read_tensor,
)
from charlm.data import load_words, split_words
from charlm.models import TANH_GAIN

LAST_BIAS = "6.bias"
DIAGNOSES = {
    "A": "gain too high",
    "B": "healthy",
    "C": "confident",
    "D": "no nonlinearity",
    "E": "gain too low",
}


def _unigram_loss() -> float:
    """Return the entropy of one character of train, word ends included."""
    train, *_ = split_words(load_words())
    counts = torch.frombuffer(
        bytearray(".".join([*train, ""]), "ascii"), dtype=torch.uint8
    )
    p = counts.long().bincount().double() / len(counts)
    return -torch.special.xlogy(p, p).sum().item()


def _zeros(answer: Any) -> None:
    try:
        names, loss = answer
    except (TypeError, ValueError):
        raise Wrong('Expected names and a loss, as in ({"2.weight"}, 3.3).') from None
    try:
        found = {names} if isinstance(names, str) else set(names)
    except TypeError:
        raise Wrong("The names should be a set of strings.") from None
    value = read_number(loss)
    if not found:
        raise Wrong("Something does change: the loss falls a little. See hint 2.")
    if LAST_BIAS not in found:
        raise Wrong("Which parameter is added right to the logits? See hint 2.")
    if found != {LAST_BIAS}:
        extra = sorted(str(name) for name in found - {LAST_BIAS})
        raise Wrong(f"Does any gradient reach {extra[0]}? See hint 1.")
    _unread(value, _unigram_loss())


def _unread(value: float, right: float) -> None:
    """Raise Wrong unless the value is the best loss of a net that reads nothing."""
    if math.isclose(value, right, abs_tol=0.01):
        return
    if math.isclose(value, math.log(27), abs_tol=0.01):
        raise Wrong("That is where the loss starts. The bias learns. See hint 3.")
    if math.isclose(value, right / math.log(2), abs_tol=0.02):
        raise Wrong("That is in bits; use the natural logarithm.")
    if value < right:
        raise Wrong("No net that reads nothing comes so low on train. See hint 3.")
    raise Wrong("The names are right, and the loss comes lower: train for longer.")


def _fold(answer: Any) -> None:
    g = torch.Generator().manual_seed(0)
    x = torch.randn(8, 5, generator=g)
    for bias in (False, True):
        linear = layers.Linear(5, 4, bias=bias, generator=g)
        norm = layers.BatchNorm1d(4, eps=0.5)  # so large that it cannot be forgotten
        with torch.no_grad():
            for tensor in norm.state_dict().values():
                tensor.copy_(torch.rand(4, generator=g) + 0.5)
            if bias:
                linear.bias = torch.randn(4, generator=g)
        given = deepcopy((linear, norm))
        weight, shift = _weight_and_bias(call(answer, *given))
        right = norm.eval()(linear(x))
        if not given[1].eval()(given[0](x)).equal(right):
            raise Wrong("It changes the layers that it was given: make new tensors.")
        result = x @ weight + shift
        if close(result, right):
            continue
        _explain_fold(result, x, linear, norm)
        raise Wrong("The shapes are right, the numbers are not. See hint 1.")


def _weight_and_bias(result: Any) -> tuple[Tensor, Tensor]:
    """Return the tensors (5, 4) and (4,) of a folded layer, or raise Wrong."""
    try:
        weight, bias = result
    except (TypeError, ValueError):
        raise Wrong("Expected two tensors: (weight, bias).") from None
    for tensor in (weight, bias):
        if not isinstance(tensor, Tensor) or not tensor.is_floating_point():
            raise Wrong("The weight and the bias should be tensors of floats.")
    if weight.shape == (4, 5):
        raise Wrong("The weight is (in, out) here; torch.nn stores the transpose.")
    if (weight.shape, bias.shape) != ((5, 4), (4,)):
        shapes = f"{tuple(weight.shape)} and {tuple(bias.shape)}"
        raise Wrong(f"From 5 to 4 expected weight (5, 4) and bias (4,), got {shapes}.")
    return weight.float(), bias.float()


def _explain_fold(result: Tensor, x: Tensor, linear: Any, norm: Any) -> None:
    z, xW = linear(x), x @ linear.weight
    mean, var = norm.running_mean, norm.running_var
    s = norm.weight / (var + norm.eps).sqrt()
    batch = (z - z.mean(0)) / (z.var(0, correction=0) + norm.eps).sqrt()
    mistakes = {
        "Use the running statistics: there is no batch in eval mode. See hint 2.": (
            norm.weight * batch + norm.bias
        ),
        "The norm's eps is missing.": norm.weight * (z - mean) / var.sqrt() + norm.bias,
        "Divide by the deviation, the root of the variance.": (
            norm.weight * (z - mean) / (var + norm.eps) + norm.bias
        ),
        "The norm's own bias is missing.": s * (z - mean),
        "The norm's weight is missing.": (z - mean) * s / norm.weight + norm.bias,
        "The linear layer's bias is lost when it has one.": s * (xW - mean) + norm.bias,
        "The linear layer's bias must be scaled as well. See hint 1.": (
            s * (xW - mean) + (z - xW) + norm.bias
        ),
        "What is added must be scaled as well. See hint 1.": (
            s * xW + (z - xW) - mean + norm.bias
        ),
        "The sign of the mean: normalizing subtracts it.": s * (z + mean) + norm.bias,
    }
    for mistake, wrong in mistakes.items():
        if close(result, wrong):
            raise Wrong(mistake)


def _layer_norm(answer: Any) -> None:
    g = torch.Generator().manual_seed(0)
    x = 3 * torch.randn(6, 5, generator=g) + 1
    weight, bias = torch.rand(5, generator=g) + 0.5, torch.randn(5, generator=g)
    result = read_tensor(answer, x, weight, bias, 0.1)
    right = F.layer_norm(x, (5,), weight, bias, 0.1)
    if result.shape != right.shape:
        raise Wrong(f"For (6, 5) expected (6, 5), not {tuple(result.shape)}.")
    if close(result, right):
        return
    batch = (x - x.mean(0)) / (x.var(0, correction=0) + 0.1).sqrt()
    centered = x - x.mean(1, keepdim=True)
    var = x.var(1, correction=0, keepdim=True)
    unbiased = centered / (x.var(1, keepdim=True) + 0.1).sqrt()
    mistakes = {
        "That is batch normalization; take the other dimension. See hint 1.": batch,
        "That is the unbiased variance. See hint 2.": unbiased,
        "Divide by the deviation, the root of the variance.": centered / (var + 0.1),
    }
    for mistake, wrong in mistakes.items():
        if close(result, weight * wrong + bias):
            raise Wrong(mistake)
    plain = F.layer_norm(x, (5,), eps=0.1)
    if close(result, plain):
        raise Wrong("Scale by weight and shift by bias at the end. See hint 2.")
    if close(result, plain * weight):
        raise Wrong("The shift by bias is missing. See hint 2.")
    if close(result, plain + bias):
        raise Wrong("The scale by weight is missing. See hint 2.")
    if close(result, F.layer_norm(x, (5,), weight, bias)):
        raise Wrong("Use the eps that is handed in.")
    raise Wrong("The shape is right, the numbers are not. See hint 1.")


def _size_after(gain: float, depth: int) -> float:
    """Return the deviation after tanh layers of infinite width, from deviation 1."""
    z = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    weights = (-(z**2) / 2).exp()
    weights /= weights.sum()
    size = 1.0
    for _ in range(depth):
        size = (weights * (gain * size * z).tanh() ** 2).sum().sqrt().item()
    return size


def _gain(answer: Any) -> None:
    gain = read_number(answer)
    if not 0 < gain < math.inf:
        raise Wrong("A gain is a positive number.")
    found = _size_after(gain, 20)
    if abs(found - 0.5) <= 0.015:
        return
    if math.isclose(gain, 0.5, abs_tol=0.015):
        raise Wrong("That is the deviation; hand over the gain that leads to it.")
    if math.isclose(found**2, 0.5, abs_tol=0.015):
        raise Wrong("That leads to a variance of 0.5; the deviation is its root.")
    direction = "high" if found > 0.5 else "low"
    raise Wrong(
        f"That is too {direction}: it leads to {found:.2f} after 20 layers. See hint 1."
    )


def patients() -> dict[str, layers.Sequential]:
    """Return five untrained nets (B, 3) -> (B, 27), of which one is healthy."""
    return {
        "A": _patient(gain=4.0),
        "B": _patient(),
        "C": _patient(output_gain=30.0),
        "D": _patient(tanh=False),
        "E": _patient(gain=0.8),
    }


def _patient(
    gain: float = TANH_GAIN, output_gain: float = 0.1, tanh: bool = True
) -> layers.Sequential:
    g = torch.Generator().manual_seed(2147483647)
    parts: list[Any] = [layers.Embedding(27, 10, generator=g), layers.Flatten()]
    for fan_in in (30, 100, 100, 100, 100):
        size = gain if tanh else 1.0
        parts += [layers.Linear(fan_in, 100, gain=size, generator=g)]
        parts += [layers.Tanh()] if tanh else []
    parts += [layers.Linear(100, 27, gain=output_gain, generator=g)]
    net = layers.Sequential(*parts)
    net.block_size = 3
    return net


def _ward(answer: Any) -> None:
    if not isinstance(answer, Mapping):
        raise Wrong('Expected a dictionary, as in {"A": "healthy", ...}.')
    missing = sorted(DIAGNOSES.keys() - answer.keys())
    if missing:
        raise Wrong(f"There is no diagnosis for {', '.join(missing)}.")
    known = list(DIAGNOSES.values())
    unknown = [d for d in answer.values() if not isinstance(d, str) or d not in known]
    if unknown:
        named = unknown[0] if isinstance(unknown[0], str) else type(unknown[0]).__name__
        raise Wrong(f"{named!r} is none of {', '.join(sorted(known))}.")
    wrong = [name for name, right in DIAGNOSES.items() if answer[name] != right]
    if any("confident" in (DIAGNOSES[name], answer[name]) for name in wrong):
        raise Wrong("The confident one is another. See hint 1.")
    if wrong:
        raise Wrong(f"Not all of them are right: {len(wrong)} of 5 not. See hint 2.")


CHECKS: dict[str, Check] = {
    "3.1": _zeros,
    "3.2": _fold,
    "3.3": _layer_norm,
    "3.4": _gain,
    "3.5": _ward,
}

check = partial(judge, CHECKS)
