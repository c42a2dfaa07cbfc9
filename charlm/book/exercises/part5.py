"""The checks of Part 5's exercises: each raises Wrong unless the answer is right."""

import math
import statistics
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from charlm.book.exercises.answers import (
    Check,
    Wrong,
    call,
    close,
    judge,
    read_number,
    read_tensor,
)


def _shape(result: Tensor, *expected: int) -> None:
    if tuple(result.shape) != expected:
        raise Wrong(f"Expected shape {expected}, got {tuple(result.shape)}.")


def _join(answer: Any) -> None:
    """A function of x (B, T, C) and n: (B, T / n, n * C), or (B, n * C) on top."""
    x = torch.arange(2 * 9 * 4.0).view(2, 9, 4)
    result = read_tensor(answer, x, 3)
    if result.shape == (2, 3, 12):
        if result.equal(torch.cat(x.split(3, dim=1), dim=2)):
            raise Wrong(
                "That joins places three apart; neighbors belong together. See hint 1."
            )
        if result.equal(x.transpose(1, 2).reshape(2, 12, 3).transpose(1, 2)):
            raise Wrong("That mixes channels and places. See hint 1.")
    _shape(result, 2, 3, 12)
    if not result.equal(x.view(2, 3, 12)):
        raise Wrong("The shape is right, the numbers are not. See hint 1.")
    top = read_tensor(answer, x[:1, :3], 3)
    if top.shape == (12,):
        raise Wrong("With one context the batch is gone: which squeeze? See hint 2.")
    if top.shape == (1, 1, 12):
        raise Wrong("When one place is left, its dimension should go. See hint 2.")
    _shape(top, 1, 12)
    lone = read_tensor(answer, x[:1], 3)
    if lone.shape == (3, 12):
        raise Wrong("With one context the batch is gone: which squeeze? See hint 2.")
    _shape(lone, 1, 3, 12)


def _field(answer: Any) -> None:
    """A function of the kernel's taps and the dilations: the receptive field."""

    def right(kernel: int, dilations: Sequence[int]) -> int:
        return 1 + (kernel - 1) * sum(dilations)

    for kernel, dilations in (
        (2, [1, 2, 4]),
        (2, [1, 2, 4, 8]),
        (3, [1, 3]),
        (2, [1, 1]),
    ):
        value, expected = (
            read_number(call(answer, kernel, dilations)),
            right(kernel, dilations),
        )
        if value == expected:
            continue
        case = f"a kernel of {kernel} and dilations {dilations}"
        if value == expected - 1:
            raise Wrong(f"For {case}: you have forgotten the place itself.")
        if value == kernel ** len(dilations):
            raise Wrong(f"For {case}: that holds only when each doubles. See hint 1.")
        if value == 1 + kernel * sum(dilations):
            raise Wrong(
                f"For {case}: how far apart are its first and last tap? See hint 2."
            )
        if value == 1 + (kernel - 1) * max(dilations):
            raise Wrong(f"For {case}: each level reaches further. See hint 1.")
        raise Wrong(f"For {case} it should not be {value:g}. See hint 1.")


def _kernel(answer: Any) -> None:
    """A function of W (2 * C, H): the kernel (H, C, 2) of F.conv1d."""
    g = torch.Generator().manual_seed(0)
    W = torch.randn(10, 7, generator=g, dtype=torch.float64)
    x = torch.randn(3, 6, 5, generator=g, dtype=torch.float64)
    result = read_tensor(answer, W)
    _shape(result, 7, 5, 2)
    expected = torch.cat([x[:, :-2], x[:, 2:]], dim=2) @ W  # (3, 4, 7)

    def conv(kernel: Tensor) -> Tensor:
        y: Tensor = F.conv1d(x.transpose(1, 2), kernel.double(), dilation=2)
        return y.transpose(1, 2)

    if conv(result).allclose(expected):
        return
    if conv(result.flip(2)).allclose(expected):
        raise Wrong("The two taps are swapped: the earlier place comes first.")
    if conv(W.T.reshape(7, 5, 2)).allclose(conv(result)):
        raise Wrong("That mixes channels and taps. See hint 2.")
    raise Wrong("The shape is right, the numbers are not. See hint 2.")


def _residual(answer: Any) -> None:
    """A function of h (B, T, C), z (B, T - d, C) and d: what goes to the next level."""
    g = torch.Generator().manual_seed(0)
    h, z = (torch.randn(2, T, 3, generator=g) for T in (9, 7))
    result = read_tensor(answer, h, z, 2)
    if result.shape == h.shape:
        raise Wrong("The next level gets as many places as z has. See hint 2.")
    _shape(result, 2, 7, 3)
    if close(result, h[:, :-2] + z):
        raise Wrong("That adds the earlier place of each pair. See hint 1.")
    if close(result, z):
        raise Wrong("That is the level's own result; the way around it is missing.")
    if not close(result, h[:, 2:] + z):
        raise Wrong("The shape is right, the numbers are not. See hint 1.")


def _long_row(answer: Any) -> None:
    """Multiplications a character of the wide net, all places of a long row at once."""
    value = read_number(answer)
    C, H, V = 24, 128, 27
    hidden = 2 * C * H + 2 * (2 * H) * H
    tree = 4 * 2 * C * H + 2 * (2 * H) * H + 2 * H * H + H * V
    if value == hidden + H * V:
        return
    if value == tree:
        raise Wrong("That is a tree for each context: four pairs, two fours, an eight.")
    if value == 2 * (hidden + H * V):
        raise Wrong("Count the multiplications alone, without the additions.")
    if value == C * H + 2 * H * H + H * V:
        raise Wrong("Each level reads two places, not one. See hint 1.")
    if value == hidden:
        raise Wrong("The last layer, which makes the logits, is missing. See hint 2.")
    if value == hidden + H * V + V * C:
        raise Wrong("The embedding looks rows up; it multiplies nothing. See hint 2.")
    raise Wrong("Not that. Each level computes one row a character. See hint 1.")


def _proof(answer: Any) -> None:
    """Two lists of dev losses, one a seed: the new design, and what it should beat."""
    try:
        new, old = ([read_number(v) for v in side] for side in answer)
    except (TypeError, ValueError):
        raise Wrong("Expected two lists of losses: (yours, to_beat).") from None
    if min(len(new), len(old)) < 4:
        raise Wrong("Four seeds each, at least: one run proves nothing. See hint 1.")
    if not all(1.5 < loss < 3.5 for loss in new + old):
        raise Wrong("These are no dev losses in nats a character.")
    if len(set(new)) == 1 or len(set(old)) == 1:
        raise Wrong(
            "Equal losses: does each run have a seed of its own, and are they handed "
            "over unrounded? See hint 1."
        )
    gain = statistics.mean(old) - statistics.mean(new)
    error = math.hypot(*(statistics.stdev(s) / len(s) ** 0.5 for s in (new, old)))
    if gain <= 0:
        raise Wrong("On average it is not better (give yours first).")
    if gain < 2 * error:
        raise Wrong(
            f"The gain of {gain:.4f} is less than twice its standard error of "
            f"{error:.4f}: more seeds, or a better idea. See hint 2."
        )


CHECKS: dict[str, Check] = {
    "5.1": _join,
    "5.2": _field,
    "5.3": _kernel,
    "5.4": _residual,
    "5.5": _long_row,
    "5.6": _proof,
}

check = partial(judge, CHECKS)
