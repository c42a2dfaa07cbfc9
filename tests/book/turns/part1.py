"""Right and wrong functions that Part 1 asks for in passing."""

import math
from itertools import pairwise
from typing import Any

import torch

from charlm.counts import NGram
from charlm.data import load_words
from charlm.vocab import Vocabulary

LABELS = Vocabulary.from_words(load_words()).labels
ID = {char: i for i, char in enumerate(LABELS)}
MODEL = NGram(Vocabulary.from_words(load_words()), 2).fit(load_words())
COUNTED = MODEL(torch.arange(27)[:, None]).exp()


def transposed(counts):
    return counts.T / counts.T.sum(1, keepdim=True)


def drawn(probs, g):
    return int(torch.multinomial(probs, 1, generator=g).item())


def name_from(start, P, g):
    name, i = start, ID[start]
    while i := drawn(P[i], g):
        name += LABELS[i]
    return name


def from_boundary(start, P, g):
    return name_from(LABELS[drawn(P[0], g)], P, g)


def until_one_fits(start, P, g):
    """Wasteful, and right: whole names are drawn until one begins like that."""
    while (name := name_from(LABELS[drawn(P[0], g)], P, g))[0] != start:
        pass
    return name


def seeded():
    return torch.Generator().manual_seed(1)


def the_likeliest(start, P, g):
    name, i = start, ID[start]
    while (i := int(P[i].argmax())) and len(name) < 9:
        name += LABELS[i]
    return name


def without_an_end(start, P, g):
    i = ID[start]
    while True:
        i = int(P[i].argmax()) or ID[start]


def in_a_circle(start, P, g):
    name = start
    while i := drawn(P[ID[start]], g):
        name += LABELS[i]
    return name


def logs(name, P, front=".", end="."):
    padded = front + name + end
    return torch.stack([P[ID[a], ID[b]].log() for a, b in pairwise(padded)])


RIGHT: dict[str, list[Any]] = {
    "before": [transposed, lambda c: (c / c.sum(0)).T, lambda c: (c / c.sum(1)).T],
    "name_from": [name_from, until_one_fits],
    "name_loss": [
        lambda name, P: -logs(name, P).mean(),
        lambda name, P: -logs(name, P).sum().item() / (len(name) + 1),
        lambda name, P: -logs(name, P.double()).mean(),
    ],
}
WRONG = {
    "before": [
        (lambda c: c / c.sum(1, keepdim=True), "P itself"),
        (lambda c: c / c.sum(1), "transpose"),
        (lambda c: c / c.sum(0), "transpose"),
        (lambda c: c.T / c.T.sum(1), "with keepdim"),
        (lambda c: (c / c.sum(1, keepdim=True)).T, "transpose first"),
        (lambda c: c.T.float(), "sum to 1"),
        (lambda c: c.T, "floats"),
        (lambda c: torch.full((27, 27), 1 / 27), "other distributions"),
        (lambda c: c.sum(1) / c.sum(), "shape"),
        (torch.zeros(27, 27), "Expected a function"),
    ],
    "name_from": [
        (lambda start, P, g: name_from(start, P, g)[1:], "first letter"),
        (from_boundary, "row of the given letter"),
        (lambda s, P, g: s + from_boundary(s, P, g), "row of the given letter"),
        (in_a_circle, "letter before"),
        (lambda start, P, g: start, "letter before"),
        (lambda s, P, g: name_from(s, P, None), "same seed"),
        (lambda s, P, g: name_from(s, P, g)[:6], "stops too early"),
        (lambda s, P, g: name_from(s, P, g)[:11], "stops too early"),
        (lambda s, P, g: name_from(s, P, seeded()), "every generator"),
        (the_likeliest, "every generator"),
        (without_an_end, "does not end"),
        (lambda start, P, g: name_from(start, P, g) + ".", "no letter"),
        (lambda start, P, g: list(name_from(start, P, g)), "Expected a name"),
        (lambda start, P: start, "TypeError"),
        ("jolen", "Expected a function"),
    ],
    "name_loss": [
        (lambda name, P: -logs(name, P).sum(), "sum"),
        (lambda name, P: -logs(name, P).sum() / len(name), "one bigram more"),
        (lambda name, P: -logs(name, P).sum() / (len(name) + 2), "Too many"),
        (lambda name, P: -logs(name, COUNTED).mean(), "that the function is given"),
        (lambda name, P: logs(name, P).mean(), "sign"),
        (lambda name, P: -logs(name, P, end="").mean(), "end of the name"),
        (lambda name, P: -logs(name, P, front="").mean(), "beginning"),
        (lambda name, P: -logs(name, P, "", "").mean(), "Both"),
        (lambda name, P: logs(name, P).exp().mean(), "logarithm"),
        (lambda name, P: logs(name, P).sum().exp(), "a probability"),
        (lambda name, P: -logs(name, P).mean() / math.log(2), "bits"),
        (lambda name, P: -logs(name, P), "one number"),
        (2.5, "Expected a function"),
    ],
}
