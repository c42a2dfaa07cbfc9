"""Checks of a reader's answers: right, or what is wrong and which hint to read.

A check never shows the solution. It computes the right answer and the answers that the
common mistakes lead to, and compares.
"""

import math
from collections.abc import Callable
from functools import cache
from numbers import Real
from typing import Any

import torch
import torch.nn.functional as F

from charlm.counts import NGram
from charlm.data import load_words, split_words
from charlm.evaluate import evaluate
from charlm.vocab import Vocabulary

TOLERANCE = 1e-3


class Wrong(Exception):
    """What is wrong with an answer, in one sentence for the reader."""


def check(exercise: str, answer: Any) -> bool:
    """Print whether the answer to an exercise, such as "1.1", is right; return it."""
    from charlm import exercises_part5  # here: it imports from this module

    checks = CHECKS | exercises_part5.CHECKS
    if exercise not in checks:
        raise ValueError(f"no exercise {exercise!r}; there are {', '.join(checks)}")
    try:
        checks[exercise](answer)
    except Wrong as wrong:
        print(f"{exercise}: not yet. {wrong}")
        return False
    print(f"{exercise}: right!")
    return True


def _number(answer: Any) -> float:
    if isinstance(answer, torch.Tensor) and answer.numel() == 1:
        answer = answer.item()
    if not isinstance(answer, Real) or isinstance(answer, bool):
        raise Wrong(f"Expected one number, got {type(answer).__name__}.")
    value = float(answer)
    if math.isnan(value):
        raise Wrong("The answer is nan: somewhere 0 is divided by 0.")
    return value


def _pair(answer: Any) -> tuple[float, float]:
    try:
        first, second = answer
    except (TypeError, ValueError):
        raise Wrong("Expected two numbers, as in (1.0, 2.0).") from None
    return _number(first), _number(second)


def _compare(value: float, right: float, mistakes: dict[str, float]) -> None:
    """Raise Wrong, with the mistake that explains the value, unless it is right."""
    if math.isclose(value, right, abs_tol=TOLERANCE):
        return
    for mistake, wrong in mistakes.items():
        if math.isclose(value, wrong, rel_tol=1e-6, abs_tol=TOLERANCE):
            raise Wrong(mistake)
    if value < 0:
        raise Wrong("A loss is not negative: mind the sign of the logarithm.")
    direction = "low" if value < right else "high"
    raise Wrong(f"That is too {direction}. Compare your examples with those of `emma`.")


@cache
def _data() -> tuple[Vocabulary, list[str], list[str], list[str], list[str]]:
    words = load_words()
    return Vocabulary.from_words(words), words, *split_words(words)


@cache
def _loss(order: int, smoothing: float, count_on: str, score_on: str) -> float:
    vocab, words, train, dev, test = _data()
    splits = {"all": words, "train": train, "dev": dev, "test": test}
    model = NGram(vocab, order, smoothing).fit(splits[count_on])
    return evaluate(model, splits[score_on], vocab).loss


def _one_boundary_trigram() -> float:
    """Return the loss of a trigram that never predicts a word's first letter."""
    vocab, words, *_ = _data()
    ids = [[0, *vocab.encode(word), 0] for word in words]
    a, b, c = torch.tensor([t for w in ids for t in zip(w, w[1:], w[2:])]).unbind(1)
    V = len(vocab)
    N = torch.bincount((a * V + b) * V + c, minlength=V**3).view(V, V, V) + 1.0
    P = N / N.sum(2, keepdim=True)
    return -P[a, b, c].log().mean().item()


def _trigram(answer: Any) -> None:
    value, right = _number(answer), _loss(3, 1, "all", "all")
    n = sum(len(word) + 1 for word in _data()[1])
    mistakes = {
        "With one boundary in front, no example asks for a word's first letter: "
        "those are other examples, so it is another loss. See hint 1.": (
            _one_boundary_trigram()
        ),
        "That is the loss without smoothing; add 1 to every count.": (
            _loss(3, 0, "all", "all")
        ),
        "That is in bits; use the natural logarithm.": right / math.log(2),
        "That is a sum; divide by the number of examples.": right * n,
        "The sign: the loss is the negative log-likelihood.": -right,
        "That is the bigram's loss.": _loss(2, 1, "all", "all"),
    }
    _compare(value, right, mistakes)


def _splits(answer: Any) -> None:
    bigram, trigram = _pair(answer)
    right = [_loss(n, 1, "train", "dev") for n in (2, 3)]
    if math.isclose(bigram, right[1], abs_tol=TOLERANCE):
        raise Wrong("Bigram first, then trigram.")
    for order, value, expected in ((2, bigram, right[0]), (3, trigram, right[1])):
        mistakes = {
            "That model has counted the dev names too. See hint 1.": (
                _loss(order, 1, "all", "dev")
            ),
            "That is the loss on train; score on dev.": (
                _loss(order, 1, "train", "train")
            ),
            "That is the loss on test, which we do not look at yet.": (
                _loss(order, 1, "train", "test")
            ),
        }
        _compare(value, expected, mistakes)


def _smoothing(answer: Any) -> None:
    alpha, loss = _pair(answer)
    if not 0 < alpha < math.inf:
        raise Wrong("The smoothing must be positive: without it dev costs infinity.")
    best = min(_loss(3, a, "train", "dev") for a in (0.1, 0.15, 0.2, 0.25, 0.3))
    if _loss(3, alpha, "train", "dev") > best + TOLERANCE:
        raise Wrong("Another smoothing has a lower loss on dev. See hint 1.")
    mistakes = {
        "That is the loss on dev; report the one on test.": (
            _loss(3, alpha, "train", "dev")
        ),
        "That is the loss on train; report the one on test.": (
            _loss(3, alpha, "train", "train")
        ),
    }
    _compare(loss, _loss(3, alpha, "train", "test"), mistakes)


def _tensor(answer: Any, *arguments: Any) -> torch.Tensor:
    if not callable(answer):
        raise Wrong("Expected a function; hand it over without calling it.")
    try:
        result = answer(*arguments)
    except Exception as error:
        raise Wrong(f"It raises {type(error).__name__}: {error}") from None
    if not isinstance(result, torch.Tensor):
        raise Wrong(f"Expected a tensor, got {type(result).__name__}.")
    return result


def _indexing(answer: Any) -> None:
    g = torch.Generator().manual_seed(0)
    W, x = torch.randn(27, 27, generator=g), torch.randint(27, (5,), generator=g)
    result, right = _tensor(answer, W, x), F.one_hot(x, 27).float() @ W
    if result.shape == right.T.shape and result.allclose(W[:, x]):
        raise Wrong("That picks columns; one-hot @ W picks rows. See hint 1.")
    if result.shape == right.shape and result.allclose(W.T[x]):
        raise Wrong("That picks columns; one-hot @ W picks rows. See hint 1.")
    if result.shape != right.shape:
        shape = tuple(result.shape)
        raise Wrong(f"For 5 characters it should be of shape (5, 27), not {shape}.")
    if not result.allclose(right):
        raise Wrong("The shape is right, the numbers are not.")


def _cross_entropy(answer: Any) -> None:
    g = torch.Generator().manual_seed(0)
    logits, y = torch.randn(8, 27, generator=g), torch.randint(27, (8,), generator=g)
    result, right = _tensor(answer, logits, y), F.cross_entropy(logits, y)
    if result.shape != ():
        raise Wrong(f"Expected one number, got shape {tuple(result.shape)}.")
    _compare(
        result.item(),
        right.item(),
        {
            "That is a sum; take the mean.": right.item() * 8,
            "The sign: the loss is the negative log-likelihood.": -right.item(),
        },
    )
    large = _tensor(answer, logits * 200, y)
    if not large.allclose(F.cross_entropy(logits * 200, y)):
        raise Wrong("It fails for logits in the hundreds: exp overflows. See hint 1.")


def _additive(answer: Any) -> None:
    value = _number(answer)
    if value < _loss(3, 0, "all", "all"):
        raise Wrong("No model of two characters can be below the trigram's counts.")
    if math.isclose(value, _loss(3, 0, "all", "all"), abs_tol=2e-3):
        raise Wrong("That is the trigram's own loss; this net cannot reach it.")
    if value > 2.35:
        raise Wrong("It can come lower: train longer. See hint 2.")
    if value < 2.335:
        raise Wrong("That is lower than an additive net can be. See hint 1.")


def _interpolation(answer: Any) -> None:
    value = _number(answer)
    single = min(_loss(4, a, "train", "dev") for a in (0.1, 0.15, 0.2))
    if value >= single - TOLERANCE:
        raise Wrong("That is not below the best single table on dev. See hint 2.")
    if value < 2.0:
        raise Wrong("Too good: did a table count the dev names? See hint 1.")


CHECKS: dict[str, Callable[[Any], None]] = {
    "1.1": _trigram,
    "1.2": _splits,
    "1.3": _smoothing,
    "1.4": _indexing,
    "1.5": _cross_entropy,
    "1.6": _additive,
    "1.7": _interpolation,
}
