"""The checks on honest evaluation: each raises Wrong unless the answer is right."""

import math
from collections.abc import Iterable
from functools import cache, partial
from typing import Any

from torch import Tensor

from charlm.book.exercises.answers import (
    TOLERANCE,
    Check,
    Wrong,
    judge,
    read_number,
    read_pair,
)
from charlm.calibration import calibration
from charlm.counts import NGram
from charlm.data import load_words, split_words
from charlm.evaluate import evaluate
from charlm.vocab import Vocabulary

NAMES = {"on the same names": 18_700.0, "on different names": 75_700.0}
TEMPERATURES = [1 + i / 10 for i in range(9)]
SPREAD = 0.15  # the errors of two trained nets differ by some hundredths
FLAT = 0.002


def _near(value: float, right: float) -> bool:
    return math.isclose(value, right, rel_tol=SPREAD)


def _how_many(answer: Any) -> None:
    values = read_pair(answer)
    same, different = NAMES.values()
    n_dev = len(_six_gram()[2])
    if _near(values[0], different) and _near(values[1], same):
        raise Wrong("The same names first, then different ones.")
    if _near(values[0], same) and _near(values[1], same):
        raise Wrong(
            "That is twice the number for the same names; on different ones the error "
            "is `apart`."
        )
    if _near(values[0], different) and _near(values[1], different):
        raise Wrong(
            "That is twice the number for different names; on the same ones the error "
            "is `gap.standard_error`."
        )
    for value, (label, right) in zip(values, NAMES.items()):
        if _near(value, right):
            continue
        mistakes = {
            "The gap should be twice its error: the error is half of it. See hint 2.": (
                right / 4
            ),
            "An error falls with the *root* of the number of names. See hint 1.": (
                n_dev * math.sqrt(right / n_dev)
            ),
            "The root of the factor is what the error falls by. See hint 1.": (
                n_dev * (right / n_dev) ** 0.25
            ),
            "That is the factor; how many names is it? See hint 2.": right / n_dev,
            "Those are characters; count names.": right * 7.1,
        }
        for mistake, wrong in mistakes.items():
            if _near(value, wrong):
                raise Wrong(f"{label.capitalize()}: {mistake[0].lower()}{mistake[1:]}")
        raise Wrong(f"{label.capitalize()} it is another number. See hint 2.")


@cache
def _six_gram() -> tuple[NGram, Vocabulary, list[str]]:
    words = load_words()
    train, dev, _ = split_words(words)
    vocab = Vocabulary.from_words(words)
    return NGram(vocab, 6, 0.01).fit(train), vocab, dev


@cache
def _at(temperature: float) -> tuple[float, float]:
    """Return the 6-gram's dev loss and its calibration error at a temperature."""
    table, vocab, dev = _six_gram()

    class Cooled:
        block_size = table.block_size

        def __call__(self, idx: Tensor) -> Tensor:
            return table(idx) / temperature

    model = Cooled()
    return evaluate(model, dev, vocab).loss, calibration(model, dev, vocab).error


def _temperatures(answer: Any) -> None:
    pair = read_pair(answer)
    if not all(0.1 <= T <= 10 for T in pair):
        raise Wrong("A temperature is a positive number, and here not far from 1.")
    if pair == (1, 1):
        raise Wrong("A temperature of 1 changes nothing: try larger ones.")
    if all(T < 1 for T in pair):
        raise Wrong("Below 1 it is surer still. Divide the logits by it. See hint 1.")
    best = [min(values) for values in zip(*map(_at, TEMPERATURES))]

    def fits(T: float, which: int) -> bool:
        return _at(T)[which] <= best[which] + FLAT

    if fits(pair[1], 0) and fits(pair[0], 1):
        raise Wrong("The one for the loss first, then the one for the calibration.")
    for T, which, label in zip(pair, (0, 1), ("loss", "calibration error")):
        if not fits(T, which):
            hint = "See hint 2." if fits(T, 1 - which) else "See hint 1."
            raise Wrong(f"Another temperature has a lower {label} on dev. {hint}")


def _variants(word: str, fill: str) -> set[str]:
    """Return the word with each of its letters in turn replaced by `fill`."""
    return {word[:i] + fill + word[i + 1 :] for i in range(len(word))}


@cache
def _shares() -> dict[str, float]:
    """Return the share of dev near a train name, by what may happen to a letter."""
    train, dev, _ = split_words(list(dict.fromkeys(load_words())))
    known = set(train)
    patterns = {v for word in train for v in _variants(word, ".")}
    shorter = {v for word in train for v in _variants(word, "")}
    kinds = {
        "changed": [bool(_variants(word, ".") & patterns) for word in dev],
        "dropped": [bool(_variants(word, "") & known) for word in dev],
        "added": [word in shorter for word in dev],
    }

    def share(*names: str) -> float:
        return _mean(any(flags) for flags in zip(*(kinds[name] for name in names)))

    return {
        "all": share(*kinds),
        "added or dropped": share("added", "dropped"),
        "changed or dropped": share("changed", "dropped"),
        "changed or added": share("changed", "added"),
        **{name: share(name) for name in kinds},
    }


def _mean(flags: Iterable[bool]) -> float:
    found = list(flags)
    return sum(found) / len(found)


def _neighbours(answer: Any) -> None:
    value, shares = read_number(answer), _shares()
    if math.isclose(value, shares["all"], abs_tol=TOLERANCE):
        return
    if math.isclose(value, 100 * shares["all"], abs_tol=0.1):
        raise Wrong("That is in per cent; a share lies between 0 and 1.")
    if not 0 <= value <= 1:
        raise Wrong("A share lies between 0 and 1.")
    for kinds, share in shares.items():
        if math.isclose(value, share, abs_tol=TOLERANCE):
            hint = "See hint 1." if "changed" not in kinds else "See hint 2."
            raise Wrong(f"That has only one letter {kinds}; there is more. {hint}")
    if math.isclose(value, 1 - shares["all"], abs_tol=TOLERANCE):
        raise Wrong("Those are the names *without* a neighbor.")
    direction = "low" if value < shares["all"] else "high"
    raise Wrong(f"That is too {direction}. Is it `dev1` against `train1`? See hint 2.")


CHECKS: dict[str, Check] = {
    "E.1": _how_many,
    "E.2": _temperatures,
    "E.3": _neighbours,
}

check = partial(judge, CHECKS)
