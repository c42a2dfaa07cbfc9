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

#: The errors of two typical nets on the dev names, as the exercise gives them.
ERRORS = {"on the same names": 0.0026, "on different names": 0.0115}
HOPED = 0.005
BAR, POWER = 1.959964, 0.841621  # 5% false alarms on both sides; 80% found
TEMPERATURES = [1 + i / 10 for i in range(9)]
SPREAD = 0.06  # (2 + 0.84) ** 2 is right, too
FLAT = 0.002


def _near(value: float, right: float) -> bool:
    return math.isclose(value, right, rel_tol=SPREAD)


def _needed(error: float, errors_in_gap: float = BAR + POWER) -> float:
    """Return how many names make the hoped gain so many standard errors."""
    return len(_six_gram()[2]) * (error * errors_in_gap / HOPED) ** 2


def _how_many(answer: Any) -> None:
    values = read_pair(answer)
    right = {label: _needed(error) for label, error in ERRORS.items()}
    same, different = right.values()
    if _near(values[0], different) and _near(values[1], same):
        raise Wrong("The same names first, then different ones.")
    for value, (label, names) in zip(values, right.items()):
        if not _near(value, names):
            raise Wrong(_why(value, label, names, values))


def _why(value: float, label: str, right: float, values: tuple[float, float]) -> str:
    """Return what is wrong with one of the two numbers."""
    error, n_dev = ERRORS[label], len(_six_gram()[2])
    mistakes = {
        "with a gain of two standard errors you find it only half of the time. See "
        "hint 2.": _needed(error, 2),
        "that is for one direction only; a loss would count as a false alarm, too.": (
            _needed(error, 1.644854 + POWER)
        ),
        "that has a power of 90%.": _needed(error, BAR + 1.281552),
        "that makes the gain one standard error. See hint 2.": _needed(error, 1),
        "the distance beyond the bar is missing its bar. See hint 2.": (
            _needed(error, POWER)
        ),
        "an error falls with the *root* of the number of names. See hint 1.": (
            math.sqrt(right * n_dev)
        ),
        "that is the factor; how many names is it? See hint 2.": right / n_dev,
        "those are characters; count names.": right * 7.1,
        "that is how many more; how many names in all?": right - n_dev,
    }
    likeliest = min(mistakes, key=lambda mistake: abs(mistakes[mistake] - value))
    if _near(value, mistakes[likeliest]):
        return f"{label.capitalize()}: {likeliest}"
    if math.isclose(*values, rel_tol=0.01):
        return (
            "Both numbers are the same. Unpaired nets have a larger error, "
            "`on_different`, and need more names."
        )
    return f"{label.capitalize()} it is another number. See hint 2."


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
        raise Wrong(
            "Below 1 it is surer still, which pays only on train. Divide the logits by "
            "it, and score dev. See hint 1."
        )
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


def _swaps(word: str) -> set[str]:
    """Return the word with each two neighboring letters in turn swapped."""
    return {
        word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1)
    }


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

    swapped = [bool(_swaps(word) & known) for word in dev]

    def share(*names: str) -> float:
        return _mean(any(flags) for flags in zip(*(kinds[name] for name in names)))

    return {
        "all": share(*kinds),
        "with swaps": _mean(map(any, zip(swapped, *kinds.values()))),
        "changed, or two swapped": _mean(map(any, zip(swapped, kinds["changed"]))),
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
    if math.isclose(value, shares["all"], abs_tol=TOLERANCE / 2):  # as rounded
        return
    if 0 < shares["all"] - value < 2 * TOLERANCE:
        raise Wrong(
            "That is a little too low. Can a letter also be added in front, and at the "
            "end?"
        )
    if math.isclose(value, 100 * shares["all"], abs_tol=0.1):
        raise Wrong("That is in per cent; a share lies between 0 and 1.")
    if not 0 <= value <= 1:
        raise Wrong("A share lies between 0 and 1.")
    for kinds in ("with swaps", "changed, or two swapped"):
        if math.isclose(value, shares[kinds], abs_tol=TOLERANCE):
            raise Wrong(
                "That counts swaps of two neighboring letters; only *one* letter may "
                "change, come or go."
            )
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
