"""Right and wrong answers to the exercises of Part 2."""

import math

import numpy as np
import torch


def first_loss(scale):
    return math.log(27) + 23 * scale**2


def direct(params, x):
    C, W1, b1, W2, b2, W3 = params
    flat = C[x].view(len(x), -1)
    return torch.tanh(flat @ W1 + b1) @ W2 + b2 + flat @ W3


def without(params, x):
    return direct([*params[:5], params[5] * 0], x)


def linear(params, x):
    C, W1, b1, W2, b2, W3 = params
    flat = C[x].flatten(1)
    return (flat @ W1 + b1) @ W2 + b2 + flat @ W3


def through_tanh(params, x):
    C, *_, W3 = params
    return without(params, x) + torch.tanh(C[x].view(len(x), -1) @ W3)


def forget_the_bias(scale):
    return first_loss(scale) + 0.3


class Worn:
    """Scales the same parameters again in each call."""

    left = 1

    def __call__(self, scale):
        self.left *= scale
        return first_loss(self.left)


def overwriting(params, x):
    params[0] += 1
    return direct(params, x)


RIGHT = {
    "2.1": [2.15, torch.tensor(2.15), np.float32(2.15)],
    "2.2": [first_loss, lambda scale: torch.tensor([first_loss(scale)])],
    "2.3": [direct, lambda params, x: direct([p.double() for p in params], x)],
    "2.4": [
        [0.101, 0.037, 0.03, 0.006, 0.004],
        (0.161, 0.065, 0.022, 0.007, -0.002),
        torch.tensor([0.101, 0.037, 0.03, 0.006, 0.004]),
        np.array([0.106, 0.043, 0.026, 0.0, 0.008]),
    ],
    "2.5": [(1.92, 2.07), [1.92, 2.07], torch.tensor([1.92, 2.07])],
}

WRONG = {
    "2.1": [
        (2.2, "lecture"),
        (1.5, "Too good"),
        (-2.1, "sign"),
        (2.15 / math.log(2), "in nats"),
        (3.5, "the rate is too high"),
        (2.45, "bigrams"),
        (first_loss, "one number"),
    ],
    "2.2": [
        (26.3, "function"),
        (lambda scale: 27.0, "equally likely"),
        (forget_the_bias, "equally likely"),
        (lambda scale: math.log(27), "far worse"),
        (lambda scale: math.log(27) + (scale > 0) * 20, "nearly"),
        (Worn(), "Called twice"),
        (lambda scale: 1 / 0, "ZeroDivisionError"),
        (lambda scale: torch.ones(3), "one number"),
    ],
    "2.3": [
        (without, "without the direct"),
        (through_tanh, "around the tanh"),
        (lambda params, x: direct([*params[:2], 0, *params[3:]], x), "layer's bias"),
        (lambda params, x: direct(params, x) - params[4], "logits is missing"),
        (lambda params, x: direct(params, x) + params[4], "twice"),
        (lambda params, x: direct(params, x).softmax(1), "probabilities"),
        (linear, "lost its tanh"),
        (lambda params, x: direct(params, x).T, "(6, 27)"),
        (lambda params, x: direct(params, x) + 1, "numbers"),
        (lambda params, x: direct(params, x) + 0j, "tensor of floats"),
        (overwriting, "overwrites"),
    ],
    "2.4": [
        (5, "five numbers"),
        ([2.49, 2.38, 2.34, 2.31, 2.305, 2.303], "Six lengths"),
        ([0.1, 0.04], "got 2"),
        ([2.49, 2.38, 2.34, 2.31, 2.305], "losses"),
        ([-0.1, -0.04, -0.03, -0.01, 0], "the sign"),
        ([0.004, 0.006, 0.03, 0.037, 0.101], "comes first"),
        ([0.2, 0.16, 0.13, 0.13, 0.1], "one shorter"),
        ([0.146, 0.14, 0.04, 0.009, 0.006], "character 3"),
    ],
    "2.5": [
        ((2.07, 1.92), "seen first"),
        ((2.05, 2.06), "Nearly equal"),
        ((0.5, 0.9), "out of range"),
        ((1.89483, 2.14314), "4-gram"),
        (2.05, "two numbers"),
    ],
}
