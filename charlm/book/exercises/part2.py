"""The checks of Part 2's exercises: each raises Wrong unless the answer is right."""

import math
from functools import cache, partial
from typing import Any

import torch

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
from charlm.data import load_words, split_words
from charlm.evaluate import evaluate
from charlm.vocab import Vocabulary

UNIFORM = math.log(27)


def _beat(answer: Any) -> None:
    value = read_number(answer)
    if value < 0:
        raise Wrong("A loss is not negative: mind the sign of the logarithm.")
    if value < 2.02:
        raise Wrong("Too good for contexts of three: was the loss measured on dev?")
    if value > UNIFORM:
        raise Wrong(
            "That is worse than not knowing anything: the rate is too high. See hint 1."
        )
    if value > 2.4:
        raise Wrong(
            "A table of bigrams is about as good. Is it in nats? Then mind the rate: "
            "see hint 1."
        )
    if value >= 2.17:
        raise Wrong("It can come below the lecture's. See hint 2.")


def _first_loss(answer: Any) -> None:
    at_one, at_zero, small, again = (
        read_number(call(answer, scale)) for scale in (1, 0, 0.01, 1)
    )
    if not math.isclose(at_zero, UNIFORM, abs_tol=1e-3):
        raise Wrong(
            "With a scale of 0 all characters are equally likely: are both `W2` and "
            "`b2` scaled? See hint 1."
        )
    if at_one < 5:
        raise Wrong("With a scale of 1 it should be far worse than uniform.")
    if not math.isclose(again, at_one, rel_tol=1e-4):
        raise Wrong("Called twice with 1, it gives two different losses. See hint 2.")
    if abs(small - UNIFORM) > 0.1:
        raise Wrong("A small scale should nearly give the uniform loss. See hint 1.")


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
    }
    for mistake, wrong in mistakes.items():
        if close(result, wrong):
            raise Wrong(mistake)
    if not close(result, right):
        raise Wrong("The shape is right, the numbers are not. See hint 1.")


def _context(answer: Any) -> None:
    try:
        gains = [read_number(gain) for gain in answer]
    except TypeError:
        raise Wrong("Expected five numbers, the gains of five characters.") from None
    if len(gains) == 6:
        raise Wrong("Six lengths have five gains between them. See hint 1.")
    if len(gains) != 5:
        raise Wrong(f"Expected five gains, got {len(gains)}.")
    if min(gains) > 1:
        raise Wrong("Those are losses; a gain is the difference of two. See hint 1.")
    if gains[0] < 0:
        raise Wrong("A longer context has the lower loss: mind the sign. See hint 2.")
    if gains[0] < gains[-1]:
        raise Wrong("The second character gains most, and comes first.")
    if max(gains[3:]) > 0.05:
        raise Wrong("Each gain is over the context one shorter. See hint 1.")
    # Wide: other seeds, steps, batches and processors give other gains.
    bands = [(0.03, 0.25), (0.005, 0.12), (-0.01, 0.08), (-0.03, 0.05), (-0.03, 0.05)]
    for nth, gain, (low, high) in zip(range(2, 7), gains, bands, strict=True):
        if not low < gain < high:
            raise Wrong(
                f"The gain of character {nth} is out of range. Is it the mean over the "
                "seeds, in nats? See hint 2."
            )


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
        raise Wrong("Nearly equal: were both scored on the same names? See hint 2.")
    table = _seen_and_unseen()
    if math.isclose(seen, table[0], abs_tol=1e-3):
        raise Wrong("Those are the losses of the 4-gram; score `tuned`.")
    if not (1.5 < seen < 2.1 and 1.95 < unseen < 2.25):
        raise Wrong("That is out of range. Which names stand in train? See hint 1.")


CHECKS: dict[str, Check] = {
    "2.1": _beat,
    "2.2": _first_loss,
    "2.3": _direct,
    "2.4": _context,
    "2.5": _leak,
}

check = partial(judge, CHECKS)
