"""The checks of Part 2's exercises: each raises Wrong unless the answer is right."""

import math
from functools import cache, partial
from typing import Any

import torch

from charlm.counts import NGram
from charlm.data import load_words, split_words
from charlm.evaluate import evaluate
from charlm.exercises.answers import (
    Check,
    Wrong,
    call,
    judge,
    read_number,
    read_pair,
    read_tensor,
)
from charlm.vocab import Vocabulary

UNIFORM = math.log(27)


def _beat(answer: Any) -> None:
    value = read_number(answer)
    if value < 2.02:
        raise Wrong("Too good for contexts of three: was the loss measured on dev?")
    if value >= 2.17:
        raise Wrong("It can come below the lecture's. See hint 1.")


def _first_loss(answer: Any) -> None:
    at_one, at_zero, small = (
        read_number(call(answer, scale)) for scale in (1, 0, 0.01)
    )
    if not math.isclose(at_zero, UNIFORM, abs_tol=1e-3):
        raise Wrong(
            "With a scale of 0 all characters should be equally likely. See hint 1."
        )
    if at_one < 5:
        raise Wrong("With a scale of 1 it should be far worse than uniform.")
    if abs(small - UNIFORM) > 0.1:
        raise Wrong("A small scale should nearly give the uniform loss.")


def _direct(answer: Any) -> None:
    g = torch.Generator().manual_seed(0)
    shapes = [(27, 4), (12, 5), (5,), (5, 27), (27,), (12, 27)]
    params = [torch.randn(shape, generator=g) for shape in shapes]
    x = torch.randint(27, (6, 3), generator=g)
    C, W1, b1, W2, b2, W3 = params
    flat = C[x].flatten(1)
    hidden = torch.tanh(flat @ W1 + b1) @ W2 + b2
    result = read_tensor(answer, params, x)
    if result.shape != (6, 27):
        shape = tuple(result.shape)
        raise Wrong(f"For 6 contexts the logits should be (6, 27), not {shape}.")
    if result.allclose(hidden, atol=1e-5):
        raise Wrong("These are the logits without the direct connections.")
    if result.allclose(
        torch.tanh(flat @ W1 + b1 + 0) @ W2 + b2 + torch.tanh(flat @ W3)
    ):
        raise Wrong("The direct connections go around the tanh, not through one.")
    if not result.allclose(hidden + flat @ W3, atol=1e-5):
        raise Wrong("The shape is right, the numbers are not. See hint 1.")


def _context(answer: Any) -> None:
    value = read_number(answer)
    if not value.is_integer() or not 1 <= value <= 6:
        raise Wrong("Expected a number of characters from 1 to 6.")
    if value < 5:
        raise Wrong("That character still gains more. Subtract neighbouring losses.")
    if value > 5:
        raise Wrong("A shorter context does it already.")


@cache
def _seen_and_unseen() -> tuple[float, float]:
    """Return the 4-gram's losses on the dev names that train has, and on the others."""
    words = load_words()
    train, dev, _ = split_words(words)
    vocab, known = Vocabulary.from_words(words), set(train)
    model = NGram(vocab, 4, 0.1).fit(train)
    seen = evaluate(model, [word for word in dev if word in known], vocab)
    unseen = evaluate(model, [word for word in dev if word not in known], vocab)
    return seen.loss, unseen.loss


def _leak(answer: Any) -> None:
    seen, unseen = read_pair(answer)
    if seen > unseen:
        raise Wrong("The names seen in training should be easier; seen first.")
    if math.isclose(seen, unseen, abs_tol=0.02):
        raise Wrong("These are nearly equal: were both scored on the same names?")
    table = _seen_and_unseen()
    if math.isclose(seen, table[0], abs_tol=1e-3):
        raise Wrong("Those are the losses of the 4-gram; score `tuned`.")
    if not (1.5 < seen < 2.1 and 1.95 < unseen < 2.25):
        raise Wrong("That is out of range. Split dev by `name in set(train)`.")


CHECKS: dict[str, Check] = {
    "2.1": _beat,
    "2.2": _first_loss,
    "2.3": _direct,
    "2.4": _context,
    "2.5": _leak,
}

check = partial(judge, CHECKS)
