"""Right and wrong answers to the exercises of Part 5."""

import torch


def join(x, n):
    B, T, C = x.shape
    x = x.reshape(B, T // n, n * C)
    return x.squeeze(1) if n == T else x


def kernel(W):
    return W.view(2, -1, W.shape[1]).permute(2, 1, 0)


RIGHT = {
    "5.1": [join],
    "5.2": [lambda kernel, dilations: 1 + (kernel - 1) * sum(dilations)],
    "5.3": [kernel],
    "5.4": [lambda h, z, d: h[:, d:] + z],
    "5.5": [75_136],
    "5.6": [([2.010, 2.012, 2.008], [2.030, 2.034, 2.028])],
}


def in_place(h, z, d):
    h[:, d:] += z
    return h[:, d:]


WRONG = {
    "5.1": [
        (lambda x, n: torch.cat(x.split(n, dim=1), dim=2), "neighbours"),
        (lambda x, n: x.view(len(x), -1, n * x.shape[2]), "its dimension should go"),
        (lambda x, n: x.view(len(x), -1, n * x.shape[2]).squeeze(), "batch is gone"),
        (lambda x, n: x.view(len(x), n * x.shape[2], -1), "shape (2, 3, 12)"),
    ],
    "5.2": [
        (lambda kernel, dilations: (kernel - 1) * sum(dilations), "itself"),
        (lambda kernel, dilations: kernel ** len(dilations), "doubles"),
        (lambda kernel, dilations: 8, "should not be 8"),
    ],
    "5.3": [
        (lambda W: kernel(W).flip(2), "swapped"),
        (lambda W: W, "shape (7, 5, 2)"),
        (lambda W: W.T.reshape(7, 5, 2), "numbers are not"),
    ],
    "5.4": [
        (lambda h, z, d: h[:, :-d] + z, "earlier"),
        (lambda h, z, d: h + z, "raises RuntimeError"),
        (lambda h, z, d: z, "numbers are not"),
        (in_place, "overwrites"),
    ],
    "5.5": [
        (126_336, "a tree for each"),
        (71_680, "logits"),
        (75_136 + 27 * 24, "embedding"),
        (1, "one row a character"),
    ],
    "5.6": [
        (([2.01], [2.03]), "Three seeds"),
        (([2.01] * 3, [2.03, 2.02, 2.01]), "seed of its own"),
        (([2.03, 2.04, 2.05], [2.01, 2.02, 2.0]), "not better"),
        (([2.00, 2.04, 2.02], [2.01, 2.05, 2.03]), "standard error"),
        (([0.1, 0.2, 0.3], [0.4, 0.5, 0.6]), "no dev losses"),
    ],
}
