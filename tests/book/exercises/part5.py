"""Right and wrong answers to the exercises of Part 5."""

import numpy as np
import torch
from torch import nn

from charlm.book.exercises import part5
from charlm.gated import GatedWaveNet
from charlm.models import MLP, WaveNet

part5.STEPS = 120  # as on the page, but a quarter of its steps: the tests need no more


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


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def gated(seed):
    return GatedWaveNet(27, 8, 32, generator=seeded(seed))


class WithBigram(GatedWaveNet):
    """The solution of the page: a row of logits for the last character is added."""

    def __init__(self, seed, std=0.1):
        super().__init__(27, 8, 32, generator=seeded(seed))
        self.table = nn.Embedding(27, 27)
        nn.init.normal_(self.table.weight, std=std, generator=seeded(seed))

    def forward(self, idx):
        return super().forward(idx) + self.table(idx[:, -1])


class Dropping(WithBigram):
    """One that draws from the global generator in training."""

    def forward(self, idx):
        return nn.functional.dropout(super().forward(idx), 0.0, self.training)


def narrow(seed):
    return GatedWaveNet(27, 8, 8, generator=seeded(seed))


def known(seed):
    """A net that has read train before it is handed over."""
    net = MLP(27, 1, generator=seeded(seed))
    part5._trained_loss(net, seed)
    return net


class Exploding(WithBigram):
    def forward(self, idx):
        return super().forward(idx) + (torch.inf if self.training else 0)


class Failing(WithBigram):
    def forward(self, idx):
        return super().forward(idx) if len(idx) != 64 else idx[:, 20]


def without_block_size(seed):
    net = WithBigram(seed)
    del net.block_size
    return net


ONE_NET = gated(0)

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
    "5.6": [WithBigram, lambda seed: Dropping(seed)],
}


def of_three(x, n):
    B, T, C = x.shape
    x = x.view(B, T // 3, 3 * C)
    return x.squeeze(1) if T == 3 else x


def of_three_and_the_rest(x, n):
    return x.view(len(x), x.shape[1] // 3, -1).squeeze(1)


def halves_of_eight(x, n):
    return join(x, n) if x.shape[1] != 8 else x.view(2, 3 * n, -1).transpose(1, 2)


def squeezed_in_front(x, n):
    B, T, C = x.shape
    x = x.view(B, T // n, n * C)
    return x.squeeze(0) if n == T else x


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
        (of_three, "It fails for another `n`"),
        (of_three_and_the_rest, "It fails for another `n`"),
        (halves_of_eight, "It fails for another `n`"),
        (squeezed_in_front, "Two contexts, one place left"),
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
        (
            lambda kernel, dilations: kernel + (kernel - 1) * sum(dilations[1:]),
            "first level may be dilated",
        ),
        (lambda kernel, dilations: 8, "should not be 8"),
        (lambda kernel, dilations: kernel * dilations[-1], "each doubles"),
        (lambda kernel, dilations: kernel * max(dilations), "each doubles"),
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
        (lambda h, z, d: h[:, 2:] + z, "not for d = 4. See hint 2"),
        (lambda h, z, d: h[:, 2 ** (d - 1) :] + z, "not for d = 4. See hint 2"),
        (in_place, "overwrites"),
        (lambda h, z, d: (h[:, d:] + z).numpy(), "got ndarray"),
    ],
    "5.5": [
        (126_336, "a tree for each"),
        (71_680, "logits, is missing. See hint 2"),
        (75_136 + 27 * 24, "embedding"),
        (39_296, "reads two places, not one. See hint 1"),
        (2 * 75_136, "without the additions"),
        (98_743, "rows of one name"),
        (98_743.196, "rows of one name"),
        (46_563, "each piece once"),
        (21_692, "the small tree"),
        (1, "one row per character"),
        ("75,136", "got str"),
    ],
    "5.6": [
        # invented, or taken from the page
        (([1.6] * 4, [3.1] * 4), "not its results: the check trains"),
        (([2.01, 2.012, 2.008, 2.011], [2.03, 2.034, 2.028, 2.029]), "not its results"),
        ({"gated": [2.25], "tree": [2.31]}, "not its results"),
        ([gated(seed) for seed in range(4)], "Expected a function make(seed)"),
        (gated(0), "Expected a function make(seed)"),
        (gated, "the gated net of the page"),
        (known, "Before any step it knows names"),
        (lambda seed: 1.6, "should return a net, not float"),
        (lambda seed: [1.6, 1.7, 1.6, 1.7], "should return a net, not list"),
        # seeds that are none
        (lambda seed: gated(7), "Two seeds gave the same net"),
        (lambda seed: ONE_NET, "build a new net"),
        (lambda seed: MLP(27, 8), "One seed gave two different nets"),
        # nets that are not what is asked for
        (lambda seed: WaveNet(27, generator=seeded(seed)), "the tree has 22,397"),
        (lambda seed: WaveNet(26, 8, 4, 4, generator=seeded(seed)), "Five contexts"),
        (without_block_size, "needs a block_size"),
        (lambda seed: nn.Flatten(), "needs a block_size"),
        (Exploding, "the loss is not finite"),
        (Failing, "Training it raises IndexError"),
        (narrow, "the gated net is ahead by"),
        (lambda: gated(0), "raises TypeError"),
    ],
}
