"""Right and wrong answers to the exercises of Part 5."""

from fractions import Fraction

import numpy as np
import torch


def join(x, n):
    B, T, C = x.shape
    x = x.reshape(B, T // n, n * C)
    return x.squeeze(1) if n == T else x


def kernel(W):
    return W.view(2, -1, W.shape[1]).permute(2, 1, 0)


def using_up(kernel, dilations):
    places = 1
    while dilations:
        places += (kernel - 1) * dilations.pop()
    return places


def in_place(h, z, d):
    h[:, d:] += z
    return h[:, d:]


NEW, OLD = [2.010, 2.012, 2.008, 2.011], [2.030, 2.034, 2.028, 2.029]

RIGHT = {
    "5.1": [
        join,
        lambda x, n: join(x, n).double(),
        lambda x, n: x.unfold(1, n, n).transpose(2, 3).flatten(2).squeeze(1),
    ],
    "5.2": [
        lambda kernel, dilations: 1 + (kernel - 1) * sum(dilations),
        lambda kernel, dilations: torch.tensor(dilations).sum() * (kernel - 1) + 1.0,
        lambda kernel, dilations: np.dot(dilations, kernel - 1).sum() + 1,
    ],
    "5.3": [
        kernel,
        lambda W: kernel(W).float(),
        lambda W: torch.stack(W.T.chunk(2, dim=1), dim=2),
    ],
    "5.4": [
        lambda h, z, d: h[:, d:] + z,
        lambda h, z, d: (h[:, -z.shape[1] :] + z).double(),
    ],
    "5.5": [75_136, 75_136.0, torch.tensor([75_136]), np.int64(75_136)],
    "5.6": [
        (NEW, OLD),
        [torch.tensor(NEW), np.array(OLD, dtype=np.float32)],
        (tuple(NEW), (*OLD, 2.031)),
        (map(Fraction, NEW), OLD),
    ],
}

WRONG = {
    "5.1": [
        (lambda x, n: torch.cat(x.split(n, dim=1), dim=2), "neighbors"),
        (
            lambda x, n: x.transpose(1, 2).reshape(2, 12, 3).transpose(1, 2),
            "mixes channels and places. See hint 1",
        ),
        (lambda x, n: x.view(len(x), -1, n * x.shape[2]), "its dimension should go"),
        (lambda x, n: x.view(len(x), -1, n * x.shape[2]).squeeze(), "batch is gone"),
        (
            lambda x, n: join(x, n) if x.shape[1] == n or len(x) > 1 else join(x, n)[0],
            "batch is gone: which squeeze? See hint 2",
        ),
        (lambda x, n: x.view(len(x), n * x.shape[2], -1), "shape (2, 3, 12)"),
        (lambda x, n: x.view(-1, x.shape[1] // n, n * x.shape[2]).flip(1), "numbers"),
        (lambda x, n: join(x, n).long(), "got one of int64"),
        (lambda x, n: join(x, n).numpy(), "got ndarray"),
    ],
    "5.2": [
        (lambda kernel, dilations: (kernel - 1) * sum(dilations), "itself"),
        (lambda kernel, dilations: kernel ** len(dilations), "doubles. See hint 1"),
        (lambda kernel, dilations: 1 + kernel * sum(dilations), "tap? See hint 2"),
        (
            lambda kernel, dilations: 1 + (kernel - 1) * max(dilations),
            "reaches further",
        ),
        (lambda kernel, dilations: 8, "should not be 8"),
        (using_up, "overwrites"),
        (lambda kernel, dilations: [8], "Expected one number, got list"),
        (lambda dilations: 8, "raises TypeError"),
    ],
    "5.3": [
        (lambda W: kernel(W).flip(2), "swapped"),
        (lambda W: W, "shape (7, 5, 2)"),
        (lambda W: kernel(W).transpose(1, 2), "got (7, 2, 5)"),
        (lambda W: W.T.reshape(7, 5, 2), "mixes channels and taps. See hint 2"),
        (lambda W: kernel(W) * 2, "numbers are not. See hint 2"),
        (lambda W: kernel(W).long(), "of floats"),
        (lambda W: kernel(W).tolist(), "got list"),
    ],
    "5.4": [
        (lambda h, z, d: h[:, :-d] + z, "earlier place of each pair. See hint 1"),
        (lambda h, z, d: h + z, "raises RuntimeError"),
        (lambda h, z, d: h, "as many places as z has. See hint 2"),
        (lambda h, z, d: z, "way around it is missing"),
        (lambda h, z, d: (h[:, d:] + z) / 2, "numbers are not"),
        (in_place, "overwrites"),
        (lambda h, z, d: (h[:, d:] + z).numpy(), "got ndarray"),
    ],
    "5.5": [
        (126_336, "a tree for each"),
        (71_680, "logits, is missing. See hint 2"),
        (75_136 + 27 * 24, "embedding"),
        (39_296, "reads two places, not one. See hint 1"),
        (2 * 75_136, "without the additions"),
        (1, "one row a character"),
        ("75,136", "got str"),
    ],
    "5.6": [
        (([2.01], [2.03]), "Four seeds each, at least: one run proves nothing"),
        ((NEW[:3], OLD), "Four seeds each"),
        (([2.01] * 4, [2.03, 2.02, 2.01, 2.0]), "handed over unrounded? See hint 1"),
        (([2.03, 2.04, 2.05, 2.06], [2.01, 2.02, 2.0, 2.03]), "not better"),
        (([2.00, 2.04, 2.02, 2.01], [2.01, 2.05, 2.03, 2.02]), "standard error"),
        (([0.1, 0.2, 0.3, 0.4], [0.4, 0.5, 0.6, 0.7]), "no dev losses"),
        ((2.01, 2.03), "Expected two lists"),
        ((NEW, OLD, OLD), "Expected two lists"),
        (([2.01, None, 2.0, 2.02], OLD), "got NoneType"),
        ({"yours": NEW, "to_beat": OLD}, "got str"),
    ],
}
