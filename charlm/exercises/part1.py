"""The checks of Part 1's exercises: each raises Wrong unless the answer is right."""

import math
from functools import cache, partial
from typing import Any

import torch
import torch.nn.functional as F

from charlm.counts import NGram
from charlm.data import load_words, split_words
from charlm.evaluate import evaluate
from charlm.exercises.answers import (
    TOLERANCE,
    Check,
    Wrong,
    expect,
    judge,
    read_number,
    read_pair,
    read_tensor,
)
from charlm.vocab import Vocabulary


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
    value, right = read_number(answer), _loss(3, 1, "all", "all")
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
    expect(value, right, mistakes)


def _splits(answer: Any) -> None:
    bigram, trigram = read_pair(answer)
    on_dev = ("train", "dev")
    right = [_loss(order, 1, *on_dev) for order in (2, 3)]
    if math.isclose(bigram, right[1], abs_tol=TOLERANCE):
        raise Wrong("Bigram first, then trigram.")
    for order, value, expected in ((2, bigram, right[0]), (3, trigram, right[1])):
        mistakes = {
            "It is infinite: without smoothing, one unseen pair is enough.": math.inf,
            "The smoothing should be 1.": _loss(
                order, {2: 0.3, 3: 0.2}[order], *on_dev
            ),
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
        expect(value, expected, mistakes)


def _smoothing(answer: Any) -> None:
    alpha, loss = read_pair(answer)
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
    expect(loss, _loss(3, alpha, "train", "test"), mistakes)


def _indexing(answer: Any) -> None:
    g = torch.Generator().manual_seed(0)
    W, x = torch.randn(27, 27, generator=g), torch.randint(27, (5,), generator=g)
    result, right = read_tensor(answer, W, x), F.one_hot(x, 27).float() @ W
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
    result, right = read_tensor(answer, logits, y), F.cross_entropy(logits, y)
    if result.shape != ():
        raise Wrong(f"Expected one number, got shape {tuple(result.shape)}.")
    expect(
        result.item(),
        right.item(),
        {
            "That is a sum; take the mean.": right.item() * 8,
            "The sign: the loss is the negative log-likelihood.": -right.item(),
        },
    )
    large = read_tensor(answer, logits * 200, y)
    if large.isinf():
        raise Wrong("A probability became 0, and its logarithm -inf. See hint 2.")
    if not large.allclose(F.cross_entropy(logits * 200, y)):
        raise Wrong("It fails for logits in the hundreds: exp overflows. See hint 1.")


def _additive(answer: Any) -> None:
    value = read_number(answer)
    if value < _loss(3, 0, "all", "all"):
        raise Wrong("No model of two characters can be below the trigram's counts.")
    if math.isclose(value, _loss(3, 0, "all", "all"), abs_tol=2e-3):
        raise Wrong("That is the trigram's own loss; this net cannot reach it.")
    if value > 2.35:
        raise Wrong(
            "It can come lower: train longer, or with a smaller step. See hint 2."
        )
    if value < 2.335:
        raise Wrong("That is lower than an additive net can be. See hint 1.")


def _interpolation(answer: Any) -> None:
    value = read_number(answer)
    single = min(_loss(4, a, "train", "dev") for a in (0.1, 0.15, 0.2))
    if value >= single - TOLERANCE:
        raise Wrong("That is not below the best single table on dev. See hint 2.")
    if value > 2.04:
        raise Wrong("Below the best single table, and it can come lower. See hint 3.")
    if value < 2.02:
        raise Wrong("Too good: did a table count the dev names? See hint 1.")


CHECKS: dict[str, Check] = {
    "1.1": _trigram,
    "1.2": _splits,
    "1.3": _smoothing,
    "1.4": _indexing,
    "1.5": _cross_entropy,
    "1.6": _additive,
    "1.7": _interpolation,
}

check = partial(judge, CHECKS)
