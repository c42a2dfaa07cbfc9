"""The checks of Part 1's exercises: each raises Wrong unless the answer is right."""

import math
from functools import cache, partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from charlm.book.exercises.answers import (
    TOLERANCE,
    Check,
    Wrong,
    call,
    check_loss,
    close,
    judge,
    read_number,
    read_pair,
    read_tensor,
)
from charlm.counts import NGram
from charlm.data import load_words, split_words, windows
from charlm.evaluate import evaluate
from charlm.vocab import Vocabulary


@cache
def _data() -> tuple[Vocabulary, list[str], list[str], list[str], list[str]]:
    words = load_words()
    return Vocabulary.from_words(words), words, *split_words(words)


@cache
def _loss(order: int, smoothing: float, count_on: str, score_on: str) -> float:
    vocab, words, train, dev, test = _data()
    splits = {"all": words, "train": train, "dev": dev, "test": test}
    splits["backwards"] = [word[::-1] for word in words]
    model = NGram(vocab, order, smoothing).fit(splits[count_on])
    return evaluate(model, splits[score_on], vocab).loss


@cache
def _triples() -> Tensor:
    """Return the examples of all names for a trigram, (N, 3)."""
    X, Y = windows(_data()[1], _data()[0], block_size=2)
    return torch.cat([X, Y[:, None]], dim=1)


def _by_hand(triples: Tensor, dim: int = 2, keepdim: bool = True) -> float:
    """Return the loss of a trigram, on its examples (N, 3), normalised as told."""
    a, b, c = triples.unbind(1)
    N = torch.bincount((a * 27 + b) * 27 + c, minlength=27**3).view(27, 27, 27) + 1.0
    P = N / N.sum(dim, keepdim=keepdim)
    return -P[a, b, c].log().mean().item()


def _trigram(answer: Any) -> None:
    value, right = read_number(answer), _loss(3, 1, "all", "all")
    triples = _triples()
    a, b, c = triples.unbind(1)
    ends = torch.stack([b, c, c], dim=1)[c == 0]
    mistakes = {
        "With one boundary in front, no example asks for a word's first letter: "
        "those are other examples, so it is another loss. See hint 1.": (
            _by_hand(triples[a + b > 0])
        ),
        "No example asks where a word ends: put a boundary behind it too. "
        "See hint 1.": _by_hand(triples[c > 0]),
        "One boundary behind a word is enough: nothing follows it. See hint 1.": (
            _by_hand(torch.cat([triples, ends]))
        ),
        "The sums have lost their dimension, and divide other rows. See hint 3.": (
            _by_hand(triples, keepdim=False)
        ),
        "Those sums run over another character than the last. See hint 3.": (
            _by_hand(triples, dim=1)
        ),
        "Those sums run over the first character. See hint 3.": (
            _by_hand(triples, dim=0)
        ),
        "That is the loss without smoothing; add 1 to every count.": (
            _loss(3, 0, "all", "all")
        ),
        "That is a sum; divide by the number of examples.": right * len(triples),
        "The sign: the loss is the negative log-likelihood.": -right,
        "That is the bigram's loss.": _loss(2, 1, "all", "all"),
        "That is the loss on train; here all names count.": (
            _loss(3, 1, "train", "train")
        ),
    }
    check_loss(value, right, mistakes, "Compare your examples of `emma`. See hint 1.")


def _splits(answer: Any) -> None:
    bigram, trigram = read_pair(answer)
    right = [_loss(order, 1, "train", "dev") for order in (2, 3)]
    if math.isclose(bigram, right[1], abs_tol=TOLERANCE):
        raise Wrong("Bigram first, then trigram.")
    small = [_loss(order, 0.01, "train", "dev") for order in (2, 3)]
    if all(math.isclose(a, b, abs_tol=6e-5) for a, b in zip((bigram, trigram), small)):
        raise Wrong("The smoothing should be 1.")
    for order, value, expected in ((2, bigram, right[0]), (3, trigram, right[1])):
        mistakes = {
            "It is infinite: without smoothing, one unseen pair is enough.": math.inf,
            "The smoothing should be 1.": _loss(order, 0.2, "train", "dev"),
            "That model has counted the dev names too. See hint 1.": (
                _loss(order, 1, "all", "dev")
            ),
            "That model has counted the names it is scored on. See hint 1.": (
                _loss(order, 1, "dev", "dev")
            ),
            "That is the loss on train; score on dev. See hint 2.": (
                _loss(order, 1, "train", "train")
            ),
            "That is the loss on test, which we do not look at yet. See hint 2.": (
                _loss(order, 1, "train", "test")
            ),
        }
        check_loss(value, expected, mistakes, "Is the smoothing 1? See hint 2.")


def _smoothing(answer: Any) -> None:
    alpha, loss = read_pair(answer)
    if loss < 1 < alpha:
        raise Wrong("Smoothing first, then the loss.")
    if not 0 < alpha < math.inf:
        raise Wrong("The smoothing must be positive: without it dev costs infinity.")
    best = min(_loss(3, a, "train", "dev") for a in (0.1, 0.15, 0.2, 0.25, 0.3))
    if _loss(3, alpha, "train", "dev") > best + TOLERANCE:
        raise Wrong("Another smoothing has a lower loss on dev. See hint 1.")
    mistakes = {
        "That is the loss on dev; report the one on test. See hint 3.": (
            _loss(3, alpha, "train", "dev")
        ),
        "That table has counted the names it is scored on. See hint 3.": (
            _loss(3, alpha, "train", "train")
        ),
        "That is the bigram's loss.": _loss(2, alpha, "train", "test"),
    }
    right = _loss(3, alpha, "train", "test")
    check_loss(loss, right, mistakes, "Is it the trigram, on test? See hint 3.")


def _indexing(answer: Any) -> None:
    g = torch.Generator().manual_seed(0)
    W, x = torch.randn(27, 27, generator=g), torch.randint(26, (5,), generator=g)
    result = read_tensor(answer, W, x)
    if close(result, W[:, x]) or close(result, W.T[x]):
        raise Wrong("That picks columns; one-hot @ W picks rows. See hint 1.")
    if result.shape != (5, 27):
        shape = tuple(result.shape)
        raise Wrong(f"For 5 characters it should be of shape (5, 27), not {shape}.")
    if not close(result, W[x]):
        raise Wrong("The shape is right, the numbers are not. See hint 1.")
    W[26] = math.inf
    if read_tensor(answer, W, x).isnan().any():
        raise Wrong("That is still a product: 0 times infinity is nan. See hint 2.")


def _cross_entropy(answer: Any) -> None:
    g = torch.Generator().manual_seed(0)
    logits, y = torch.randn(8, 27, generator=g), torch.randint(27, (8,), generator=g)
    result = call(answer, logits, y)
    if isinstance(result, torch.Tensor) and result.numel() != 1:
        raise Wrong(f"Expected one number, got shape {tuple(result.shape)}.")
    value, right = read_number(result), F.cross_entropy(logits, y).item()
    chosen = torch.arange(8), y
    mistakes = {
        "That is a sum; take the mean.": right * 8,
        "The sign: the loss is the negative log-likelihood.": -right,
        "The softmax runs over the batch; each *row* should sum to 1.": (
            -logits.log_softmax(0)[chosen].mean().item()
        ),
        "That is the mean over all characters; only the target's counts.": (
            -logits.log_softmax(1).mean().item()
        ),
        "That picks a rectangle; pair each row with its own target, "
        "`[torch.arange(B), targets]`.": -logits.log_softmax(1)[:, y].mean().item(),
        "The logarithm is missing.": -logits.softmax(1)[chosen].mean().item(),
    }
    check_loss(value, right, mistakes, "Compare it with `F.cross_entropy`. See hint 2.")
    _large(call(answer, 200 * logits, y), F.cross_entropy(200 * logits, y))


def _large(result: Any, right: Tensor) -> None:
    """Raise Wrong unless the loss of logits in the hundreds is right."""
    result = torch.as_tensor(result)
    if result.isinf().any():
        raise Wrong(
            "It becomes infinite for logits in the hundreds: exp overflowed (hint 1), "
            "or a probability became 0 before its logarithm was taken (hint 2)."
        )
    if result.isnan().any():
        raise Wrong("It fails for logits in the hundreds: exp overflows. See hint 1.")
    if not close(result.reshape(()), right):
        raise Wrong(
            "For logits in the hundreds it is another number: a probability was "
            "rounded or cut off before its logarithm was taken. See hint 2."
        )


def _additive(answer: Any) -> None:
    value = read_number(answer)
    if value < _loss(3, 0, "all", "all"):
        raise Wrong("No model of two characters can be below the trigram's counts.")
    if math.isclose(value, _loss(3, 0, "all", "all"), abs_tol=2e-3):
        raise Wrong("That is the trigram's own loss; this net cannot reach it.")
    if value > 2.345:
        raise Wrong(
            "It can come lower: train longer, or with a smaller step. See hint 2."
        )
    if value < 2.335:
        raise Wrong("No additive net gets there: are these other examples? See hint 1.")


def _interpolation(answer: Any) -> None:
    value = read_number(answer)
    if value < 0:
        raise Wrong("A loss is not negative: mind the sign of the logarithm.")
    single = min(_loss(4, a, "train", "dev") for a in (0.1, 0.15, 0.2))
    if value >= single - TOLERANCE:
        raise Wrong("That is not below the best single table on dev. See hint 2.")
    if value > 2.04:
        raise Wrong("Below the best single table, and it can come lower. See hint 3.")
    if value < 2.02:
        raise Wrong(
            "Too good: did a table count the dev names (hint 1), or do the weights sum "
            "to more than 1?"
        )


def _backwards(answer: Any) -> None:
    values = read_pair(answer)
    right = [_loss(order, 0, "backwards", "backwards") for order in (2, 3)]
    if math.isclose(values[0], right[1], abs_tol=TOLERANCE):
        raise Wrong("Bigram first, then trigram.")
    for order, value, expected in zip((2, 3), values, right):
        mistakes = {
            "It is infinite: that table has counted the names forwards. See hint 1.": (
                math.inf
            ),
            "Take the smoothing away: it hides what there is to see.": (
                _loss(order, 1, "backwards", "backwards")
            ),
            "Those are other names; here all names count.": (
                _loss(order, 0, "train", "train")
            ),
        }
        check_loss(
            value, expected, mistakes, "Score the names that you count. See hint 1."
        )


CHECKS: dict[str, Check] = {
    "1.1": _trigram,
    "1.2": _splits,
    "1.3": _smoothing,
    "1.4": _indexing,
    "1.5": _cross_entropy,
    "1.6": _additive,
    "1.7": _interpolation,
    "1.8": _backwards,
}

check = partial(judge, CHECKS)
