"""Right and wrong answers to the exercises of Part 1."""

import math

import numpy as np
import torch
import torch.nn.functional as F


def plain(logits, y):
    return -logits.softmax(1)[torch.arange(len(y)), y].log().mean()


def naive(logits, y):
    p = logits.exp() / logits.exp().sum(1, keepdim=True)
    return -p[torch.arange(len(y)), y].log().mean()


def stable(logits, y):
    z = logits - logits.max(1, keepdim=True).values
    return (z.exp().sum(1).log() - z[torch.arange(len(y)), y]).mean()


RIGHT = {
    "1.1": [2.212988, torch.tensor(2.2130), torch.tensor([2.2130]), np.float32(2.213)],
    "1.2": [(2.47155, 2.25265), [2.4716, 2.2526], torch.tensor([2.4716, 2.2526])],
    "1.3": [(0.2, 2.22542), [0.15, 2.2251], torch.tensor([0.2, 2.2254])],
    "1.4": [
        lambda W, x: W[x],
        lambda W, x: W.index_select(0, x),
        lambda W, x: F.embedding(x, W),
    ],
    "1.5": [F.cross_entropy, stable],
    "1.6": [torch.tensor(2.3374), 2.34],
    "1.7": [2.031],
}

WRONG = {
    "1.1": [
        (2.0937, "first letter"),
        (2.212988 / math.log(2), "bits"),
        (-2.2130, "sign"),
        (2.1863, "without smoothing"),
        (2.4550, "bigram"),
        (2.212988 * 229_804, "sum"),
        (2.3, "too high"),
    ],
    "1.2": [
        ((2.2526, 2.4716), "Bigram first"),
        ((2.4684, 2.2234), "counted the dev names"),
        ((2.4533, 2.2142), "on train"),
        ((2.4565, 2.2385), "on test"),
        ((2.4714, 2.2392), "should be 1"),
        ((math.inf, math.inf), "infinite"),
    ],
    "1.3": [
        ((3, 2.2), "lower loss on dev"),
        ((0.2, 2.2392), "on dev"),
        ((0.2, 2.1902), "on train"),
        ((0, math.inf), "positive"),
    ],
    "1.4": [
        (lambda W, x: W[:, x], "columns"),
        (lambda W, x: W.T[x], "columns"),
        (lambda W, x: W, "shape"),
        (lambda W, x: W[x] + 1, "numbers"),
        (lambda W, x: W[99], "IndexError"),
    ],
    "1.5": [
        (plain, "-inf"),
        (naive, "overflow"),
        (lambda z, y: F.cross_entropy(z, y, reduction="sum"), "mean"),
        (lambda z, y: -F.cross_entropy(z, y), "sign"),
        (lambda z, y: F.cross_entropy(z, y, reduction="none"), "one number"),
    ],
    "1.6": [
        (2.1863, "cannot reach"),
        (2.45, "train longer"),
        (1.9, "below the trigram"),
        (2.25, "additive"),
    ],
    "1.7": [
        (2.1137, "best single"),
        (2.07, "hint 3"),
        (2.0009, "count the dev names"),
        (-2.03, "Too good"),
    ],
}
