"""The checks of Part 3's exercises: each raises Wrong unless the answer is right."""

import math
from collections.abc import Mapping
from copy import deepcopy
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

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
from charlm.models import MLP, OUTPUT_GAIN, TANH_GAIN

LAST_BIAS = "6.bias"
SATURATED = 0.97
EPS = 1e-5
DIAGNOSES = {
    "A": "rate too high",
    "B": "gain too high",
    "C": "dead units",
    "D": "healthy",
    "E": "confident",
    "F": "rate too low",
    "G": "gain too low",
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
    if math.isclose(value, math.exp(right), abs_tol=0.2):
        raise Wrong("That is the perplexity; its logarithm is the loss.")
    if value > math.log(27):
        raise Wrong("The loss starts at log 27, and ends below. See hint 3.")
    if value < right:
        raise Wrong("No net that reads nothing comes so low on train. See hint 3.")
    raise Wrong("The names are right, and the loss comes lower: train for longer.")


def _fold(answer: Any) -> None:
    g = torch.Generator().manual_seed(0)
    x = torch.randn(8, 5, generator=g)
    for bias in (True, False):
        linear = layers.Linear(5, 4, bias=bias, generator=g)
        norm = layers.BatchNorm1d(4, eps=0.5)  # so large that it cannot be forgotten
        with torch.no_grad():
            for tensor in norm.state_dict().values():
                tensor.copy_(torch.rand(4, generator=g) + 0.5)
            if bias:
                linear.bias = torch.randn(4, generator=g)
        given = deepcopy((linear, norm))
        try:
            folded = call(answer, *given)
        except Wrong as wrong:
            if not bias and "TypeError" in str(wrong):  # with a bias it went well
                raise Wrong(
                    "It fails for a linear layer without a bias, whose `bias` is "
                    "`None`: take 0 for it."
                ) from None
            raise
        weight, shift = _weight_and_bias(folded)
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
        "The norm's eps belongs under the root, next to the variance. See hint 1.": (
            norm.weight * (z - mean) / (var.sqrt() + norm.eps) + norm.bias
        ),
        "The norm's own bias is added after the scale, unscaled. See hint 1.": (
            s * (z - mean) + s * norm.bias
        ),
        "The mean must be scaled as well. See hint 1.": s * z - mean + norm.bias,
        "Divide by the standard deviation, the root of the variance.": (
            norm.weight * (z - mean) / (var + norm.eps) + norm.bias
        ),
        "Take the norm's own eps, `norm.eps`.": (
            norm.weight * (z - mean) / (var + 1e-5).sqrt() + norm.bias
        ),
        "The running mean is lost: it is subtracted even where there is no bias.": (
            s * z + norm.bias
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
        "That is batch normalization: take the other dimension. See hint 1.": batch,
        "That is the unbiased variance. See hint 2.": unbiased,
        "Divide by the standard deviation, the root of the variance.": (
            centered / (var + 0.1)
        ),
        "`eps` belongs under the root, next to the variance. See hint 2.": (
            centered / (var.sqrt() + 0.1)
        ),
        "Subtract the mean as well as you divide. See hint 2.": x / (var + 0.1).sqrt(),
        "The mean is subtracted, but nothing is divided. See hint 2.": centered,
    }
    for mistake, wrong in mistakes.items():
        if close(result, weight * wrong + bias):
            raise Wrong(mistake)
    plain = F.layer_norm(x, (5,), eps=0.1)
    if close(result, (plain + bias) * weight):
        raise Wrong("Scale first, and shift after that. See hint 2.")
    if close(result, plain * bias + weight):
        raise Wrong("`weight` is the scale and `bias` the shift. See hint 2.")
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
    """Return the size after tanh layers of infinite width, for inputs of size 1."""
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
    if abs(found - 0.5) <= 0.0035:  # half of one in the second decimal of the gain
        return
    if math.isclose(gain, 0.5, abs_tol=0.015):
        raise Wrong("That is the size; the answer is the gain that leads to it.")
    if math.isclose(found**2, 0.5, abs_tol=0.015):
        raise Wrong("That leads to a mean square of 0.5; the size is its root.")
    direction = "high" if found > 0.5 else "low"
    raise Wrong(
        f"That is too {direction}: it leads to {found:.3f} after 20 layers. See hint 1."
    )


def patients() -> dict[str, tuple[MLP, float]]:
    """Return seven untrained nets (B, 3) -> (B, 27), each with its learning rate.

    One of them is healthy. All have the same layers.
    """
    return {
        "A": (_patient(), 1.0),
        "B": (_patient(gain=4.0), 0.1),
        "C": (_patient(dead=60), 0.1),
        "D": (_patient(), 0.1),
        "E": (_patient(output_gain=30.0), 0.1),
        "F": (_patient(), 5e-4),
        "G": (_patient(gain=0.8), 0.1),
    }


@torch.no_grad()
def _patient(
    gain: float = TANH_GAIN, output_gain: float = OUTPUT_GAIN, dead: int = 0
) -> MLP:
    g = torch.Generator().manual_seed(2147483647)
    net = MLP(27, n_hidden=100, n_layer=5, generator=g)
    *hidden, last = [part for part in net.net if isinstance(part, nn.Linear)]
    for layer in hidden:
        layer.weight *= gain / TANH_GAIN
    last.weight *= output_gain / OUTPUT_GAIN
    hidden[2].bias[:dead] = 12.0  # of the third layer: its tanhs give 1 for any input
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
    mixed = {d for name in wrong for d in (DIAGNOSES[name], answer[name])}
    if "confident" in mixed:
        raise Wrong(
            "Exactly one is confident: the one whose first loss is far too high. "
            "See hint 1."
        )
    if "dead units" in mixed:
        raise Wrong("Exactly one has dead units: count them in all. See hint 1.")
    if mixed & {"gain too low", "gain too high"}:
        right = len(known) - len(wrong)
        raise Wrong(f"Right so far: {right} of {len(known)}. See hint 2.")
    if wrong:
        raise Wrong("All gains are right; not so the rates. See hint 3.")


def _dead(answer: Any) -> None:
    h = torch.tensor(
        [
            [0.98, -0.99, 0.2, 0.98, 0.96, 0.98],
            [0.99, -0.98, 0.99, -0.98, 0.96, 0.5],
            [0.98, -0.999, 0.1, 0.98, 0.96, 0.98],
            [0.99, -0.98, 0.3, 0.99, 0.96, 0.98],
        ]
    )
    result = call(answer, h)
    if not isinstance(result, Tensor):
        raise Wrong(f"Expected a tensor, got {type(result).__name__}.")
    if result.dtype == torch.int64 and result.flatten().tolist() == [0, 1, 3]:
        raise Wrong(
            "Those are the places of the dead units: say True or False of each."
        )
    if result.shape != (6,):
        if result.shape == (4,):
            raise Wrong("That is one answer per example: which `dim` are the examples?")
        raise Wrong(
            f"For 4 examples of 6 units expected (6,), not {tuple(result.shape)}."
        )
    if result.dtype != torch.bool:
        raise Wrong("Expected True or False for each unit: compare with `>`.")
    beyond = h.abs() > SATURATED
    mistakes = {
        "A unit at −1 is as flat as one at 1: take `h.abs()`.": (h > SATURATED).all(0),
        "One saturated example is not enough: it takes all of them.": beyond.any(0),
        "Those are the units that live.": ~beyond.all(0),
        "Most examples are not all of them: use `all`.": beyond.float().mean(0) > 0.5,
        "Beyond ±0.9 is not yet saturated; we count from ±0.97 on.": (
            (h.abs() > 0.9).all(0)
        ),
        "A unit may jump from −1 to 1 and still be dead: take `h.abs()` first.": (
            (h > SATURATED).all(0) | (h < -SATURATED).all(0)
        ),
    }
    if result.equal(beyond.all(0)):
        many = torch.full((60, 3), 0.99)
        many[7, 1], many[:, 2] = 0.96, -0.98
        if not torch.equal(call(answer, many), torch.tensor([True, False, True])):
            raise Wrong("A single example that is not saturated keeps a unit alive.")
        return
    for mistake, wrong in mistakes.items():
        if result.equal(wrong):
            raise Wrong(mistake)
    raise Wrong(
        f"The shape is right, but other units are dead: those beyond ±{SATURATED} in "
        "every example."
    )


def _standardize(answer: Any) -> None:
    g = torch.Generator().manual_seed(0)
    for B, H in ((6, 5), (9, 3)):
        z = 3 * torch.randn(B, H, generator=g) + 2
        z[:, 0] *= 0.01  # so narrow that 1e-5 counts
        _explain_standardize(read_tensor(answer, z), z)
    if not close(read_tensor(answer, torch.ones(4, 2)), torch.zeros(4, 2)):
        raise Wrong("Where all examples are equal, it should give 0: mind the `1e-5`.")


def _explain_standardize(result: Tensor, z: Tensor) -> None:
    """Raise Wrong unless the result is z, each unit standardized."""
    if result.shape != z.shape:
        given, got = tuple(z.shape), tuple(result.shape)
        raise Wrong(f"For {given} expected {given}, not {got}.")
    centered, var = z - z.mean(0), z.var(0, correction=0)
    if close(result, centered / (var + EPS).sqrt()):
        return
    row, row_var = z - z.mean(1, keepdim=True), z.var(1, correction=0, keepdim=True)
    mistakes = {
        "The mean is taken over the units: take `dim=0`, the examples.": (
            row / (row_var + EPS).sqrt()
        ),
        "That is one mean for all numbers: each unit needs its own, `dim=0`.": (
            (z - z.mean()) / (z.var(correction=0) + EPS).sqrt()
        ),
        "That is the unbiased variance: use `correction=0`.": (
            centered / (z.var(0) + EPS).sqrt()
        ),
        "Divide by the standard deviation, the root of the variance.": (
            centered / (var + EPS)
        ),
        "The `1e-5` belongs under the root, next to the variance.": (
            centered / (var.sqrt() + EPS)
        ),
        "The `1e-5` is not under the root: `(var + 1e-5).sqrt()`.": (
            centered / var.sqrt()
        ),
        "The mean is subtracted, but nothing is divided.": centered,
        "The mean is not subtracted.": z / (var + EPS).sqrt(),
    }
    for mistake, wrong in mistakes.items():
        if close(result, wrong):
            raise Wrong(mistake)
    raise Wrong("The shape is right, the numbers are not.")


def _update_to_data(answer: Any) -> None:
    g = torch.Generator().manual_seed(0)
    before = torch.randn(4, 6, generator=g) + 1
    after = before * 0.7 + 0.2 * torch.randn(4, 6, generator=g) + 0.1
    change = after - before
    right = (change.std() / after.std()).item()
    value = read_number(call(answer, before, after))
    mistakes = {
        "Divide by the matrix after the step, not before it.": (
            change.std() / before.std()
        ),
        "That is data : update, upside down.": after.std() / change.std(),
        "Divide by the standard deviation of the matrix.": change.std(),
        "That compares the two matrices; take the standard deviation of the change.": (
            after.std() / before.std()
        ),
        "Take the standard deviation of the change, not the change of the standard "
        "deviation.": ((after.std() - before.std()) / after.std()).abs(),
        "Those are means of sizes; take standard deviations.": (
            change.abs().mean() / after.abs().mean()
        ),
        "Those are lengths, which count the mean too; take standard deviations.": (
            change.norm() / after.norm()
        ),
        "Those are variances; take standard deviations.": change.var() / after.var(),
    }
    if math.isclose(value, right, rel_tol=1e-3) or math.isclose(
        value,
        (change.std(correction=0) / after.std(correction=0)).item(),
        rel_tol=1e-5,
    ):
        return
    for mistake, wrong in mistakes.items():
        if math.isclose(value, wrong.item(), rel_tol=1e-4):
            raise Wrong(mistake)
    raise Wrong("Expected the `std()` of the change over the `std()` of the matrix.")


def _clip(answer: Any) -> None:
    g = torch.Generator().manual_seed(0)
    grads = [torch.randn(size, generator=g) for size in ((3, 4), (5,), (2, 2))]
    length = torch.cat([grad.flatten() for grad in grads]).norm().item()
    for limit in (1.0, 0.5, 0.95 * length, 1.5 * length):
        result = call(answer, grads, limit)
        if not isinstance(result, list | tuple) or len(result) != len(grads):
            raise Wrong(f"Expected a list of {len(grads)} tensors.")
        for part, grad in zip(result, grads, strict=True):
            if not isinstance(part, Tensor) or part.shape != grad.shape:
                raise Wrong("Each tensor should keep its shape.")
        _explain_clip(result, grads, limit, length)


def _explain_clip(
    result: Any, grads: list[Tensor], limit: float, length: float
) -> None:
    def is_like(factors: list[float]) -> bool:
        return all(
            close(part, grad * factor)
            for part, grad, factor in zip(result, grads, factors, strict=True)
        )

    if is_like([min(limit / length, 1.0)] * 3):
        return
    own = [grad.norm().item() for grad in grads]
    if limit > length:
        if is_like([limit / length] * 3):
            raise Wrong("A gradient below the limit should stay as it is.")
        raise Wrong("Below the limit it changes the gradients.")
    if is_like([1.0] * 3):
        raise Wrong("Above the limit it leaves the gradients as they are.")
    if is_like([min(limit / each, 1.0) for each in own]):
        raise Wrong("Each tensor is clipped by itself: take *one* length for all.")
    if is_like([limit / sum(own)] * 3):
        raise Wrong("Lengths do not add up: add the squares, then take the root.")
    if is_like([limit / length**2] * 3):
        raise Wrong("The root is missing: that divides by the square of the length.")
    if is_like([1 / length] * 3):
        raise Wrong("The result should have the length of the limit, not 1.")
    clamped = [grad.clamp(-limit, limit) for grad in grads]
    if all(close(a, b) for a, b in zip(result, clamped, strict=True)):
        raise Wrong("That limits each number, and so turns the step: scale them all.")
    raise Wrong("The shapes are right, the numbers are not.")


CHECKS: dict[str, Check] = {
    "3.1": _zeros,
    "3.2": _fold,
    "3.3": _layer_norm,
    "3.4": _gain,
    "3.5": _ward,
}

#: What the reader is asked to write while reading, by the name of the function.
TURNS: dict[str, Check] = {
    "dead": _dead,
    "standardize": _standardize,
    "update_to_data": _update_to_data,
    "clip": _clip,
}

check = partial(judge, CHECKS | TURNS)
