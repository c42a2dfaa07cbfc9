"""The checks of Part 5's exercises: each raises Wrong unless the answer is right."""

import math
import statistics
from collections.abc import Sequence
from functools import cache, partial
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
from charlm.data import load_words, split_words, windows
from charlm.evaluate import eval_mode, losses
from charlm.gated import GatedWaveNet
from charlm.train import Examples, NonFiniteLossError, adamw, cosine, fit
from charlm.vocab import Vocabulary


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
    pair = read_tensor(answer, x[:, :3], 3)
    if pair.shape != (2, 12):
        shape = tuple(pair.shape)
        raise Wrong(f"Two contexts, one place left: (2, 12), not {shape}. See hint 2.")
    longer = torch.arange(48.0).view(2, 8, 3)
    for n in (2, 4):  # eight places hold no threes
        try:
            right = close(read_tensor(answer, longer, n), longer.view(2, 8 // n, 3 * n))
        except Wrong:
            right = False
        if not right:
            raise Wrong("It fails for another `n`: use the argument.")
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
        (3, [1, 2]),
        (2, [2, 2, 1]),  # the last place sees all that it reaches: no case has holes
    ):
        value, expected = (
            read_number(call(answer, kernel, dilations)),
            right(kernel, dilations),
        )
        if value == expected:
            continue
        case = f"a kernel of {kernel} and dilations {dilations}"
        if value == expected - 1 and dilations == [1, 2, 4]:  # it would be so there
            raise Wrong(f"For {case}: you have forgotten the place itself.")
        if value in (kernel ** len(dilations), kernel * max(dilations)):
            raise Wrong(f"For {case}: that holds only when each doubles. See hint 1.")
        if value == 1 + kernel * sum(dilations):
            raise Wrong(
                f"For {case}: how far apart are its first and last tap? See hint 2."
            )
        if value == 1 + (kernel - 1) * max(dilations):
            raise Wrong(f"For {case}: each level reaches further. See hint 1.")
        if value == kernel + (kernel - 1) * sum(dilations[1:]):
            raise Wrong(f"For {case}: the first level may be dilated too. See hint 1.")
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
    try:
        right = close(read_tensor(answer, h, z[:, :5], 4), h[:, 4:] + z[:, :5])
    except Wrong:
        right = False
    if not right:
        raise Wrong("It is right for d = 2, but not for d = 4. See hint 2.")


def _long_row(answer: Any) -> None:
    """Multiplications per character of the wide tree, all places of a long row."""
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
    if _about(value, _in_rows(C, H, V)):
        raise Wrong(
            "That is the page's figure for rows of one name, each of which starts with "
            "eight boundaries. In a long row that start does not count. See hint 1."
        )
    if _about(value, _each_once(C, H, V)):
        raise Wrong("That computes each piece once; here it is all places. See hint 1.")
    if value == 2 * 10 * 68 + 2 * (2 * 68) * 68 + 68 * V:
        raise Wrong("That is the small tree; the wide one has 24 and 128.")
    raise Wrong("Not that. Each level computes one row per character. See hint 1.")


def _about(value: float, figure: float) -> bool:
    """Whether a value is a figure of the page, rounded or not."""
    return math.isclose(value, figure, abs_tol=1)


@cache
def _in_rows(C: int, H: int, V: int) -> float:
    """Return the page's figure: every dev name in a row after eight boundaries."""
    lengths = [len(word) for word in split_words(load_words())[1]]
    by_row = [
        (n + 7) * 2 * C * H + (n + 5) * 2 * H * H + (n + 1) * (2 * H * H + H * V)
        for n in lengths
    ]
    return sum(by_row) / sum(n + 1 for n in lengths)


@cache
def _each_once(C: int, H: int, V: int) -> float:
    """Return the page's figure: each distinct piece of a batch of 1,024 once."""
    X = _examples(8)[1][0]
    total = 0
    for x in X.split(1024):
        pairs, fours, eights = (len(x.view(-1, n).unique(dim=0)) for n in (2, 4, 8))
        total += pairs * 2 * C * H + fours * 2 * H * H + eights * (2 * H * H + H * V)
    return total / len(X)


SEEDS = range(100, 104)  # of the check alone: no run on the page has used them
STEPS, BATCH_SIZE, RATE, DECAY = 500, 64, 0.01, 0.1  # the recipe `quick` of the page
MOST_PARAMETERS = 22_397
UNTRAINED = 3.0  # nats: no opinion costs log 27, which is 3.3
STUDENT = 3.18  # luck passes in 2.5%: Student's t, three degrees of freedom


@cache
def _examples(block_size: int) -> tuple[Examples, Examples]:
    words = load_words()
    vocab = Vocabulary.from_words(words)
    train, dev, _ = split_words(words)
    return windows(train, vocab, block_size), windows(dev, vocab, block_size)


def _trained_loss(net: Any, seed: int) -> float:
    """Train a net by the recipe of the short races; return its loss on dev."""
    history = fit(
        net,
        *_examples(net.block_size),
        optimizer=adamw(net, RATE, DECAY),
        schedule=cosine(RATE, STEPS, warmup=STEPS // 10),
        steps=STEPS,
        batch_size=BATCH_SIZE,
        generator=torch.Generator().manual_seed(seed),
        eval_every=STEPS,
    )
    return history.best


@cache
def _to_beat(seed: int) -> float:
    """Return the dev loss of the page's gated net, from a seed."""
    g = torch.Generator().manual_seed(seed)
    return _trained_loss(GatedWaveNet(27, 8, 32, generator=g), seed)


def _made(make: Any, seed: int) -> Any:
    """Return the reader's net for a seed: untrained, small, one that can be trained."""
    net = call(make, seed)
    if not all(hasattr(net, name) for name in ("parameters", "load_state_dict")):
        raise Wrong(f"make(seed) should return a net, not {type(net).__name__}.")
    block_size = getattr(net, "block_size", None)
    if not isinstance(block_size, int) or not 1 <= block_size <= 64:
        raise Wrong("The net needs a block_size, from 1 to 64: its context's length.")
    size = sum(p.numel() for p in net.parameters())
    if size == 0:
        raise Wrong("The net has no parameters: there is nothing to train.")
    if size > MOST_PARAMETERS:
        raise Wrong(f"It has {size:,} parameters; the tree has {MOST_PARAMETERS:,}.")
    X, Y = _examples(block_size)[1]
    with torch.no_grad(), eval_mode(net):
        logits = call(net, X[:5])
    if not isinstance(logits, Tensor) or logits.shape != (5, 27):
        raise Wrong("Five contexts (5, T) should give it logits of shape (5, 27).")
    if not losses(net, X[::20], Y[::20]).mean() > UNTRAINED:
        raise Wrong(
            "Before any step it knows names already. Return an untrained net: "
            "the check does the training."
        )
    return net


def _same_parameters(net: Any, other: Any) -> bool:
    mine, its = (list(n.parameters()) for n in (net, other))
    return len(mine) == len(its) and all(map(torch.equal, mine, its))


def _proof(answer: Any) -> None:
    """A function of a seed: an untrained net that beats the gated one, over seeds."""
    a_net = hasattr(answer, "parameters") and not isinstance(answer, type)
    if a_net or not callable(answer):
        raise Wrong(
            "Expected a function make(seed), not its results: "
            "the check trains the nets itself."
        )
    with torch.random.fork_rng(devices=[]):
        first, again = (_made(answer, SEEDS[0]) for _ in range(2))
        if first is again:
            raise Wrong("Each call should build a new net; yours returns an old one.")
        if not _same_parameters(first, again):
            raise Wrong(
                "One seed gave two different nets: draw every initial weight from "
                "a generator with the seed. See hint 1."
            )
        if _same_parameters(first, _made(answer, SEEDS[1])):
            raise Wrong(
                "Two seeds gave the same net, and a mean over one net is one run. "
                "See hint 1."
            )
        gains = [_gain(answer, seed) for seed in SEEDS]
    mean, error = statistics.mean(gains), statistics.stdev(gains) / len(gains) ** 0.5
    if mean <= 0:
        raise Wrong(
            f"On average it is not better: the gated net is ahead by {-mean:.4f}. "
            "See hint 2."
        )
    if mean < STUDENT * error:
        raise Wrong(
            f"The gain of {mean:.4f} is only {mean / error:.1f} times its standard "
            "error: that may be luck. See hint 2."
        )


def _gain(make: Any, seed: int) -> float:
    """Return by how much the reader's net is better than the gated one, from a seed."""
    net = _made(make, seed)
    torch.manual_seed(seed)  # for layers that draw, such as dropout
    try:
        gain = _to_beat(seed) - _trained_loss(net, seed)
    except NonFiniteLossError:
        raise Wrong("Its training breaks down: the loss is not finite.") from None
    except Exception as error:
        message = str(error).partition("\n")[0]
        raise Wrong(f"Training it raises {type(error).__name__}: {message}") from None
    if gain == 0:
        raise Wrong("That is the gated net of the page; invent another. See hint 2.")
    return gain


CHECKS: dict[str, Check] = {
    "5.1": _join,
    "5.2": _field,
    "5.3": _kernel,
    "5.4": _residual,
    "5.5": _long_row,
    "5.6": _proof,
}

check = partial(judge, CHECKS)
