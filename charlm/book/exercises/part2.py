"""The checks of Part 2's exercises: each raises Wrong unless the answer is right."""

import math
from functools import cache, partial
from numbers import Real
from statistics import fmean
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
    read_pair,
    read_tensor,
)
from charlm.counts import NGram
from charlm.data import load_words, split_words, windows
from charlm.evaluate import Evaluation, evaluate
from charlm.seeds import OverSeeds
from charlm.vocab import Vocabulary

UNIFORM = math.log(27)
MOST_STEPS = 1000


@cache
def _data() -> tuple[Vocabulary, list[str], list[str]]:
    """Return the vocabulary, the train names and the dev names."""
    words = load_words()
    train, dev, _ = split_words(words)
    return Vocabulary.from_words(words), train, dev


def _beat(answer: Any) -> None:
    if isinstance(answer, Real | Evaluation) or not callable(answer):
        raise Wrong("Expected the net itself, as `train_mlp` returns it, not a loss.")
    block_size = getattr(answer, "block_size", None)
    if not isinstance(block_size, int):
        raise Wrong("Expected a net with a `block_size`, as `train_mlp` returns it.")
    if not hasattr(answer, "parameters"):
        raise Wrong("That is no net: it has no parameters to train.")
    if block_size != 3:
        raise Wrong(f"It looks at {block_size} characters; use contexts of three.")
    steps = len(getattr(getattr(answer, "history", None), "losses", ()))
    if steps > MOST_STEPS:
        raise Wrong(f"It was trained for {steps} steps, and {MOST_STEPS} are allowed.")
    vocab, train, dev = _data()
    try:
        value = evaluate(answer, dev, vocab).loss
    except Exception as error:
        message = str(error).partition("\n")[0]
        raise Wrong(f"It raises {type(error).__name__}: {message}") from None
    if not value < UNIFORM:
        if not steps:  # no history: trained by the reader's own loop, or never
            raise Wrong(
                "That is worse than not knowing anything: was it not trained at all, "
                "or at too high a rate?"
            )
        raise Wrong(
            "That is worse than not knowing anything: the rate is too high. See hint 2."
        )
    if value < 2.02:
        raise Wrong("Too good for contexts of three: was it trained on dev?")
    if value > 2.4:
        pairs = evaluate(_tables()[1], dev, vocab).loss
        raise Wrong(
            f"Its dev loss is {value:.2f}; counting pairs gives {pairs:.2f}. Mind the "
            "rate and the number of steps. See hint 2."
        )
    if value >= 2.17:
        raise Wrong(
            f"Its dev loss is {value:.3f}, above the lecture's. See hints 1, 2."
        )
    if value < evaluate(answer, train, vocab).loss + 0.02:
        raise Wrong(
            "Names that it has not seen should cost it more than those of train: was "
            "it trained on the dev names, too?"
        )


@cache
def _scaled_loss(scale: float, scaled: tuple[int, ...], seed: int = 42) -> float:
    """Return the first loss of the page's parameters, with some of them scaled."""
    g = torch.Generator().manual_seed(seed)
    shapes = [(27, 10), (30, 200), (200,), (200, 27), (27,)]
    C, W1, b1, W2, b2 = (
        torch.randn(shape, generator=g) * (scale if i in scaled else 1)
        for i, shape in enumerate(shapes)
    )
    vocab, train, _ = _data()
    X, Y = windows(train[:2000], vocab, 3)
    h = torch.tanh(C[X[:5000]].flatten(1) @ W1 + b1)
    return F.cross_entropy(h @ W2 + b2, Y[:5000]).item()


def _first_loss(answer: Any) -> None:
    try:
        at_one, at_zero, half, again = (
            read_number(call(answer, scale)) for scale in (1, 0, 0.5, 1)
        )
    except Wrong as wrong:
        hint = " See hint 2." if "leaf Variable" in str(wrong) else ""
        raise Wrong(f"{wrong}{hint}") from None
    if at_zero == at_one > 5:
        raise Wrong("The scale changes nothing. See hint 2.")
    if math.isclose(at_zero, 5000 * UNIFORM, rel_tol=1e-4):
        raise Wrong("That is a sum over the examples; take the mean.")
    if math.isclose(at_zero, UNIFORM / math.log(2), abs_tol=1e-3):
        raise Wrong("That is in bits; the loss is in nats.")
    if not math.isclose(at_zero, UNIFORM, abs_tol=1e-3):
        raise Wrong(
            "With a scale of 0 all characters are equally likely: are both `W2` and "
            "`b2` scaled? See hint 1."
        )
    if at_one < 5:
        raise Wrong("With a scale of 1 it should be far worse than uniform.")
    if not math.isclose(again, at_one, rel_tol=1e-4):
        raise Wrong("Called twice with 1, it gives two different losses. See hint 2.")
    near = partial(math.isclose, rel_tol=1e-3)
    if not near(at_one, _scaled_loss(1, ())):
        raise Wrong(
            "With a scale of 1 it is not the loss of `new_parameters(10, 200, "
            "seed=42)` over `X[:5000]`, `Y[:5000]`."
        )
    mistakes = {
        "All five parameters are scaled; only `W2` and `b2` should be. See hint 1.": (
            (0, 1, 2, 3, 4)
        ),
        "`C` or `W1` is scaled, too. See hint 1.": (0, 3, 4),
        "The hidden layer is scaled, too. See hint 1.": (1, 2, 3, 4),
    }
    for mistake, scaled in mistakes.items():
        if near(half, _scaled_loss(0.5, scaled)):
            raise Wrong(mistake)
    if not near(half, _scaled_loss(0.5, (3, 4))):
        raise Wrong(
            "Right with 1 and with 0, but not in between: multiply both `W2` and `b2` "
            "by the scale, and nothing else. See hint 1."
        )


def _direct(answer: Any) -> None:
    g = torch.Generator().manual_seed(0)
    shapes = [(27, 4), (12, 5), (5,), (5, 27), (27,), (12, 27)]
    params = [torch.randn(shape, generator=g) for shape in shapes]
    x = torch.randint(27, (6, 3), generator=g)
    C, W1, b1, W2, b2, W3 = params
    flat = C[x].flatten(1)
    hpreact, around = flat @ W1 + b1, flat @ W3
    result = read_tensor(answer, params, x)
    if result.shape != (6, 27):
        shape = tuple(result.shape)
        raise Wrong(f"For 6 contexts the logits should be (6, 27), not {shape}.")
    right = hpreact.tanh() @ W2 + b2 + around
    mistakes = {
        "These are the logits without the direct connections.": right - around,
        "The direct connections go around the tanh, not through one. See hint 2.": (
            right - around + around.tanh()
        ),
        "The hidden layer has lost its tanh.": hpreact @ W2 + b2 + around,
        "The hidden layer's bias is missing.": (
            (hpreact - b1).tanh() @ W2 + b2 + around
        ),
        "The bias of the logits is missing.": right - b2,
        "The bias of the logits is added twice. See hint 2.": right + b2,
        "Those are probabilities; return the logits.": right.softmax(1),
        "Those are log-probabilities; return the logits.": right.log_softmax(1),
        "Only the hidden layer goes through the tanh. See hint 2.": right.tanh(),
    }
    for mistake, wrong in mistakes.items():
        if close(result, wrong):
            raise Wrong(mistake)
    if not close(result, right):
        raise Wrong("The shape is right, the numbers are not. See hint 2.")


def _pairs(result: Any, n: int) -> Tensor:
    """Return the reader's n pairs of a mean and an error as a tensor, (n, 2).

    All means and then all errors, each at least three, will do too.
    """
    if isinstance(result, Tensor):
        result = result.tolist()
    if not isinstance(result, list | tuple):
        raise Wrong(f"Expected a list of pairs, got {type(result).__name__}.")
    halves = [half.tolist() if isinstance(half, Tensor) else half for half in result]
    if len(halves) == 2 and all(isinstance(h, list | tuple) for h in halves):
        means, errors = halves
        if min(len(means), len(errors)) > 2:
            if len(means) != len(errors):
                raise Wrong(f"There are {len(means)} gains, but {len(errors)} errors.")
            result = list(zip(means, errors, strict=True))
    if len(result) != n:
        raise Wrong(
            f"{n + 1} lengths have {n} gains between them, not {len(result)}. "
            "See hint 1."
        )
    rows = []
    for row in result:
        if isinstance(row, OverSeeds):
            row = row.mean, row.standard_error
        if not isinstance(row, list | tuple | Tensor):
            raise Wrong("Return two numbers for each: the mean gain and its error.")
        rows.append(read_pair(row))
    return torch.tensor(rows, dtype=torch.float64)


def _context(answer: Any) -> None:
    g = torch.Generator().manual_seed(0)
    # With four seeds, two standard errors would be one standard deviation.
    for lengths, seeds in ((6, 3), (4, 5)):
        luck = 0.02 * torch.randn(seeds, dtype=torch.float64, generator=g)
        noise = 0.01 * torch.randn(lengths, seeds, dtype=torch.float64, generator=g)
        levels = 2.1 + 0.3 * 0.5 ** torch.arange(lengths)[:, None]
        levels[-1] = levels[-2] + 0.05  # the last character does harm
        by_T = list(levels + luck + noise)
        means, errors = _pairs(call(answer, by_T), lengths - 1).T
        losses = torch.stack(by_T)
        gains = losses[:-1] - losses[1:]
        std, alone = gains.std(1), losses.std(1) / seeds**0.5
        mistakes = {
            "The sign: a character that lowers the loss gains. See hint 1.": (
                -gains.mean(1)
            ),
            "Keep the sign: a character that raises the loss has a negative gain.": (
                torch.stack([gains.mean(1).abs(), gains.abs().mean(1)])
            ),
            "Do not cut off what is negative: a character can raise the loss.": (
                torch.stack([gains.mean(1).relu(), gains.relu().mean(1)])
            ),
            "Those are gains over a single character, so they add up; subtract from "
            "the length just before. See hint 1.": (losses[:1] - losses[1:]).mean(1),
            "Those are losses, not gains. See hint 1.": losses[1:].mean(1),
            "That is the first seed alone; take the mean over seeds.": gains[:, 0],
            "Those are sums over the seeds; take the mean.": gains.sum(1),
        }
        wrong_errors = {
            "Divide the standard deviation by the root of the number of seeds. "
            "See hint 2.": std,
            "The standard deviation divides by n - 1. See hint 2.": (
                gains.std(1, correction=0) / seeds**0.5
            ),
            "Divide by the root of the number of seeds. See hint 2.": std / seeds,
            "There need not be four seeds: count them. See hint 2.": std / 2,
            "Those are two standard errors; return one.": 2 * std / seeds**0.5,
            "Take the error of the differences, not of the two lengths. See hint 2.": (
                alone[:-1].hypot(alone[1:])
            ),
        }
        _told("mean gains", means, gains.mean(1), mistakes)
        _told("errors", errors, std / seeds**0.5, wrong_errors)


def _told(what: str, found: Tensor, right: Tensor, mistakes: dict[str, Tensor]) -> None:
    """Raise Wrong, with the mistake that explains them, unless numbers are right.

    They may be rounded to the four places that the page prints. A mistake has one row
    of numbers, or several rows that it can lead to.
    """
    same = partial(torch.allclose, found, rtol=1e-3, atol=6e-5)
    if same(right):
        return
    for mistake, rows in mistakes.items():
        if any(same(wrong) for wrong in rows.view(-1, len(right))):
            raise Wrong(mistake)
    if any(close(found, right.round(decimals=places)) for places in (2, 3)):
        raise Wrong(f"The {what} are rounded too far: keep four places at least.")
    raise Wrong(f"The {what} are not right. See hint {1 if 'gain' in what else 2}.")


@cache
def _tables() -> tuple[NGram, NGram]:
    """Return two models to try an answer on: a table of four characters, and of two."""
    vocab, train, _ = _data()
    return NGram(vocab, 4, 0.1).fit(train), NGram(vocab, 2, 0.1).fit(train)


@cache
def _seen_and_unseen() -> tuple[list[str], list[str]]:
    """Return the dev names that train has, and the others."""
    _, train, dev = _data()
    known = set(train)
    return (
        [word for word in dev if word in known],
        [word for word in dev if word not in known],
    )


@cache
def _losses(first: str, second: str, by_name: bool = False) -> tuple[float, float]:
    """Return the first table's losses on two lists: "train", "dev", "seen", "unseen".

    by_name takes the mean over names in place of that over characters.
    """
    vocab, train, dev = _data()
    seen, unseen = _seen_and_unseen()
    lists = {"train": train, "dev": dev, "seen": seen, "unseen": unseen}
    model = _tables()[0]

    def loss(words: list[str]) -> float:
        parts = [[word] for word in words] if by_name else [words]
        return fmean(evaluate(model, part, vocab).loss for part in parts)

    return loss(lists[first]), loss(lists[second])


LEAK_MISTAKES = {
    ("unseen", "seen"): "The order is wrong: the names that train has come first.",
    (
        "train",
        "dev",
    ): "Those are the losses on all of train and all of dev. See hint 2.",
    ("dev", "dev"): "Both are the loss on all of dev. See hint 2.",
    (
        "train",
        "unseen",
    ): "The first is of *dev* names, those that train has too. See hint 2.",
    (
        "seen",
        "dev",
    ): "The second should leave out the names that train has. See hint 2.",
}


def _leak(answer: Any) -> None:
    first, second = _tables()
    result = read_pair(call(answer, first))

    def near(pair: tuple[float, float]) -> bool:
        return all(
            math.isclose(a, b, abs_tol=1e-3) for a, b in zip(result, pair, strict=True)
        )

    if near(read_pair(call(answer, second))):
        raise Wrong("Two models get the same losses: score the one handed over.")
    right = _losses("seen", "unseen")
    if near(right):
        return
    if near((right[0] / math.log(2), right[1] / math.log(2))):
        raise Wrong("That is in bits; the loss is in nats.")
    for lists, mistake in LEAK_MISTAKES.items():
        if near(_losses(*lists)):
            raise Wrong(mistake)
    if near(_losses("seen", "unseen", by_name=True)):
        raise Wrong(
            "That is a mean over names; take the mean over characters. See hint 2."
        )
    raise Wrong("The losses are off. Which dev names does train have? See hint 2.")


CHECKS: dict[str, Check] = {
    "2.1": _beat,
    "2.2": _first_loss,
    "2.3": _direct,
    "2.4": _context,
    "2.5": _leak,
}

check = partial(judge, CHECKS)
