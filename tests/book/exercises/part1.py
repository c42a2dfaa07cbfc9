"""Right and wrong answers to the exercises of Part 1."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from charlm.evaluate import Evaluation


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
    "1.2": [
        (2.47155, 2.25265),
        [2.4716, 2.2526],
        torch.tensor([2.4716, 2.2526]),
        [Evaluation(2.4716, 0.006, 22_000), Evaluation(2.2526, 0.007, 22_000)],
    ],
    "1.3": [(0.2, 2.22542), [0.15, 2.2251], torch.tensor([0.2, 2.2254])],
    "1.4": [
        lambda W, x: W[x],
        lambda W, x: F.embedding(x, W),
        lambda W, x: W[x].double(),
    ],
    "1.5": [
        F.cross_entropy,
        stable,
        lambda z, y: stable(z.double(), y),
        lambda z, y: stable(z, y).item(),
        lambda z, y: stable(z, y)[None],
    ],
    "1.6": [2.34, torch.tensor(2.3374)],
    "1.7": [2.031, np.float64(2.031)],
    "1.8": [(2.4544, 2.1863), np.array([2.4544, 2.1863])],
}

WRONG = {
    "1.1": [
        (2.0937, "first letter"),
        (2.2334, "where a word ends"),
        (1.9430, "behind a word is enough"),
        (1.2183, "lost their dimension"),
        (1.8657, "another character"),
        (1.8766, "first character"),
        (2.212988 / math.log(2), "bits"),
        (-2.2130, "sign"),
        (-2.0, "mind the sign"),
        (2.1863, "without smoothing"),
        (2.4550, "bigram"),
        (2.2142, "on train"),
        (2.212988 * 229_804, "sum"),
        (2.3, "too high"),
        ((2.213, 2.213), "one number"),
    ],
    "1.2": [
        ((2.2526, 2.4716), "Bigram first"),
        ((2.4684, 2.2234), "counted the dev names"),
        ((2.4655, 2.25), "it is scored on"),
        ((2.4533, 2.2142), "on train"),
        ((2.4565, 2.2385), "on test"),
        ((2.4714, 2.2392), "should be 1"),
        ((2.4721, 2.2523), "should be 1"),
        ((math.inf, math.inf), "infinite"),
        (2.4716, "two numbers"),
    ],
    "1.3": [
        ((3, 2.2), "lower loss on dev"),
        ((2.2254, 0.2), "Smoothing first"),
        ((0.2, 2.2392), "on dev"),
        ((0.2, 2.1902), "it is scored"),
        ((0.2, 2.4563), "bigram"),
        ((0.2, 2.1906), "it is scored"),
        ((0, math.inf), "positive"),
    ],
    "1.4": [
        (lambda W, x: W[:, x], "columns"),
        (lambda W, x: W.T[x], "columns"),
        (lambda W, x: F.one_hot(x, 27).float() @ W, "still a product"),
        (lambda W, x: W, "shape"),
        (lambda W, x: W[x] + 1, "numbers"),
        (lambda W, x: W[x].long(), "tensor of floats"),
        (lambda W, x: W[x] + 0j, "tensor of floats"),
        (lambda W, x: W[x].tolist(), "got list"),
        (lambda W, x: W[x].numpy(), "got ndarray"),
        (lambda W, x: W[99], "IndexError"),
        (torch.zeros(5, 27), "Expected a function"),
    ],
    "1.5": [
        (plain, "a probability became 0"),
        (
            lambda z, y: (z.softmax(1) + 1e-9).log()[range(len(y)), y].mean().neg(),
            "cut off",
        ),
        (lambda z, y: -z.log_softmax(1)[:, y].mean(), "rectangle"),
        (naive, "overflow"),
        (lambda z, y: F.cross_entropy(z, y, reduction="sum"), "mean"),
        (lambda z, y: -F.cross_entropy(z, y), "sign"),
        (lambda z, y: F.cross_entropy(z, y, reduction="none"), "one number"),
        (lambda z, y: -z.log_softmax(0)[torch.arange(len(y)), y].mean(), "row"),
        (lambda z, y: -z.log_softmax(1).mean(), "the target's"),
        (lambda z, y: -z.softmax(1)[torch.arange(len(y)), y].mean(), "logarithm"),
        (lambda z, y: F.cross_entropy(z, y) / math.log(2), "bits"),
        (lambda z, y: F.cross_entropy(z, y) + 1, "too high"),
        (lambda z, y: F.cross_entropy(z.sub_(z.max()), y), "overwrites"),
    ],
    "1.6": [
        (2.1863, "cannot reach"),
        (2.45, "train longer"),
        (1.9, "below the trigram"),
        (2.25, "other examples"),
    ],
    "1.7": [
        (2.1137, "best single"),
        (2.07, "hint 3"),
        (2.0009, "count the dev names"),
        (-2.03, "sign"),
    ],
    "1.8": [
        ((2.1863, 2.4544), "Bigram first"),
        ((2.4550, 2.2128), "smoothing"),
        ((math.inf, math.inf), "forwards"),
        ((2.4525, 2.1815), "all names"),
        ((2.5, 2.2), "too high"),
        (2.4544, "two numbers"),
    ],
}
