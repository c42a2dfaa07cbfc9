"""The checks of Part 3's exercises: each raises Wrong unless the answer is right."""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from charlm import layers
from charlm.data import load_words, split_words
from charlm.exercises.answers import Check, Wrong, call, judge, read_number, read_tensor
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
    if isinstance(names, str):
        names = [names]
    try:
        found = set(names)
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
    if math.isclose(value, math.log(27), abs_tol=0.01):
        raise Wrong("That is where the loss starts. The bias learns. See hint 3.")
    if not math.isclose(value, _unigram_loss(), abs_tol=0.01):
        raise Wrong("The names are right, the loss is not. See hint 3.")


def _folded(x: Tensor, linear: Any, norm: Any, answer: Any) -> Tensor:
    def output() -> Tensor:
        weight, bias = answer(linear, norm)
        result: Tensor = x @ weight + bias
        return result

    result: Tensor = call(output)
    return result


def _fold(answer: Any) -> None:
    if not callable(answer):
        raise Wrong("Expected a function; hand it over without calling it.")
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
        result, right = _folded(x, linear, norm, answer), norm.eval()(linear(x))
        if not isinstance(result, Tensor) or result.shape != right.shape:
            raise Wrong("Expected weight (in, out) and bias (out,).")
        if torch.allclose(result, right, atol=1e-5):
            continue
        _explain_fold(result, x, linear, norm)
        raise Wrong("The shapes are right, the numbers are not. See hint 1.")


def _explain_fold(result: Tensor, x: Tensor, linear: Any, norm: Any) -> None:
    z = linear(x)
    mean, var = norm.running_mean, norm.running_var
    batch = (z - z.mean(0)) / (z.var(0, correction=0) + norm.eps).sqrt()
    no_bias = norm.weight * (x @ linear.weight - mean) / (var + norm.eps).sqrt()
    mistakes = {
        "Use the running statistics: there is no batch in eval mode.": (
            norm.weight * batch + norm.bias
        ),
        "The norm's eps is missing.": norm.weight * (z - mean) / var.sqrt() + norm.bias,
        "Divide by the deviation, the root of the variance.": (
            norm.weight * (z - mean) / (var + norm.eps) + norm.bias
        ),
        "The norm's own bias is missing.": (
            norm.weight * (z - mean) / (var + norm.eps).sqrt()
        ),
        "The linear layer's bias is lost when it has one.": no_bias + norm.bias,
    }
    for mistake, wrong in mistakes.items():
        if torch.allclose(result, wrong, atol=1e-5):
            raise Wrong(mistake)


def _layer_norm(answer: Any) -> None:
    g = torch.Generator().manual_seed(0)
    x = 3 * torch.randn(6, 5, generator=g) + 1
    weight, bias = torch.rand(5, generator=g) + 0.5, torch.randn(5, generator=g)
    result = read_tensor(answer, x, weight, bias, 0.1)
    right = F.layer_norm(x, (5,), weight, bias, 0.1)
    if result.shape != right.shape:
        raise Wrong(f"For (6, 5) expected (6, 5), not {tuple(result.shape)}.")
    if result.allclose(right, atol=1e-5):
        return
    batch = (x - x.mean(0)) / (x.var(0, correction=0) + 0.1).sqrt()
    centred = x - x.mean(1, keepdim=True)
    unbiased = centred / (x.var(1, keepdim=True) + 0.1).sqrt()
    mistakes = {
        "That is batch normalisation; take the other dimension. See hint 1.": batch,
        "That is the unbiased variance. See hint 2.": unbiased,
    }
    for mistake, wrong in mistakes.items():
        if result.allclose(weight * wrong + bias, atol=1e-5):
            raise Wrong(mistake)
    if result.allclose(F.layer_norm(x, (5,), eps=0.1), atol=1e-5):
        raise Wrong("Scale by weight and shift by bias at the end.")
    if result.allclose(F.layer_norm(x, (5,), weight, bias), atol=1e-4):
        raise Wrong("Use the eps that is handed in.")
    raise Wrong("The shape is right, the numbers are not.")


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
    direction = "high" if found > 0.5 else "low"
    raise Wrong(f"That is too {direction}: it leads to {found:.2f} after 20 layers.")


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
    unknown = [d for d in answer.values() if d not in DIAGNOSES.values()]
    if unknown:
        raise Wrong(f"{unknown[0]!r} is none of the five diagnoses.")
    wrong = [name for name, right in DIAGNOSES.items() if answer[name] != right]
    if wrong:
        s = "are" if len(wrong) > 1 else "is"
        raise Wrong(f"{len(wrong)} of the 5 {s} wrong. See hint 2.")


CHECKS: dict[str, Check] = {
    "3.1": _zeros,
    "3.2": _fold,
    "3.3": _layer_norm,
    "3.4": _gain,
    "3.5": _ward,
}

check = partial(judge, CHECKS)
