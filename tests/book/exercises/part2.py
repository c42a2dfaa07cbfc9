"""Right and wrong answers to the exercises of Part 2."""

import math
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import torch
import torch.nn.functional as F

from charlm.counts import NGram
from charlm.data import load_words, split_words, windows
from charlm.evaluate import Evaluation, evaluate
from charlm.models import MLP
from charlm.seeds import over_seeds
from charlm.vocab import Vocabulary

WORDS = load_words()
VOCAB = Vocabulary.from_words(WORDS)
TRAIN, DEV, TEST = split_words(WORDS)
X, Y = windows(TRAIN[:2000], VOCAB, 3)
TABLE = NGram(VOCAB, 4, 0.1).fit(TRAIN)


class Net(torch.nn.Module):
    """As good as a net that was trained well: it looks its logits up in a table."""

    def __init__(self, table=TABLE, scale=1.0, steps=None):
        super().__init__()
        self.table, self.block_size = table, table.block_size
        self.scale = torch.nn.Parameter(torch.tensor(float(scale)))
        if steps:
            self.history = SimpleNamespace(losses=[2.2] * steps)

    def forward(self, idx):
        return self.table(idx).float() * self.scale


def untrained(n_embd=10):
    return MLP(27, 3, n_embd, 200, generator=torch.Generator().manual_seed(0))


def scaling(which, seed=42, n=5000):
    """A `first_loss` that scales some of the five parameters."""

    def first_loss(scale):
        g = torch.Generator().manual_seed(seed)
        shapes = [(27, 10), (30, 200), (200,), (200, 27), (27,)]
        params = [torch.randn(s, generator=g) for s in shapes]
        for i in which:
            params[i] *= scale
        C, W1, b1, W2, b2 = params
        h = torch.tanh(C[X[:n]].view(n, -1) @ W1 + b1)
        return F.cross_entropy(h @ W2 + b2, Y[:n]).item()

    return first_loss


first_loss = scaling([3, 4])


def in_place_on_a_leaf(scale):
    W2 = torch.ones(3, requires_grad=True)
    W2 *= scale


def scored(first, second):
    """A `seen_and_unseen` of two lists of names."""
    return lambda model: [evaluate(model, some, VOCAB).loss for some in (first, second)]


IN_TRAIN = set(TRAIN)
SEEN = [word for word in DEV if word in IN_TRAIN]
UNSEEN = [word for word in DEV if word not in IN_TRAIN]
seen_and_unseen = scored(SEEN, UNSEEN)


def by_name(model):
    return [
        float(np.mean([evaluate(model, [word], VOCAB).loss for word in some]))
        for some in (SEEN, UNSEEN)
    ]


def in_bits(model):
    return [loss / math.log(2) for loss in seen_and_unseen(model)]


def of_one_table(model):
    return seen_and_unseen(TABLE)


def as_evaluations(model):
    return tuple(evaluate(model, some, VOCAB) for some in (SEEN, UNSEEN))


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


def gains_by(subtract):
    def answer(by_T):
        found = map(subtract, by_T, by_T[1:])
        return [(d.mean().item(), d.std().item() / len(d) ** 0.5) for d in found]

    return answer


gains = gains_by(lambda shorter, longer: shorter - longer)


def errors_by(spread):
    def answer(by_T):
        found = (a - b for a, b in pairwise(by_T))
        return [(d.mean().item(), spread(d).item()) for d in found]

    return answer


def from_the_first(by_T):
    return gains_by(lambda _, longer: by_T[0] - longer)(by_T)


def one_seed(by_T):
    firsts = [losses[0].item() for losses in by_T]
    return [(a - b, 0.0) for a, b in pairwise(firsts)]


def gains_as(change):
    """A `gains` that changes each mean before it is returned."""
    return lambda by_T: [(change(mean), error) for mean, error in gains(by_T)]


def rounded(places):
    return lambda by_T: [
        (round(mean, places), round(error, places)) for mean, error in gains(by_T)
    ]


def in_two_lists(by_T):
    means, errors = zip(*gains(by_T), strict=True)
    return list(means), list(errors)


def unpaired(by_T):
    alone = [losses.std() / len(losses) ** 0.5 for losses in by_T]
    return [
        (mean, a.hypot(b).item())
        for (mean, _), a, b in zip(gains(by_T), alone, alone[1:], strict=False)
    ]


RIGHT = {
    "2.1": [Net(), Net(steps=1000)],
    "2.2": [first_loss, lambda scale: torch.tensor([first_loss(scale)])],
    "2.3": [direct, lambda params, x: direct([p.double() for p in params], x)],
    "2.4": [
        gains,
        lambda by_T: torch.tensor(gains(by_T)),
        lambda by_T: [over_seeds(a - b) for a, b in pairwise(by_T)],
        lambda by_T: tuple(np.array(gains(by_T)).tolist()),
        rounded(4),
        in_two_lists,
        lambda by_T: torch.tensor(gains(by_T)).T,
        lambda by_T: tuple(map(torch.tensor, in_two_lists(by_T))),
    ],
    "2.5": [
        seen_and_unseen,
        as_evaluations,
        lambda model: torch.tensor(seen_and_unseen(model)),
    ],
}

WRONG = {
    "2.1": [
        (2.15, "not a loss"),
        (torch.tensor(2.15), "not a loss"),
        (Evaluation(2.15, 0.01, 9), "not a loss"),
        (first_loss, "`block_size`"),
        (TABLE, "no parameters"),
        (Net(steps=1001), "1001 steps"),
        (Net(NGram(VOCAB, 5, 0.1).fit(TRAIN)), "looks at 4"),
        (Net(NGram(VOCAB, 4, 0.01).fit(TRAIN + DEV)), "trained on dev"),
        (Net(NGram(VOCAB, 4, 1.0).fit(WORDS)), "dev names, too"),
        (Net(NGram(VOCAB, 4, 1.5).fit(WORDS)), "dev names, too"),
        (Net(NGram(VOCAB, 4, 0.5).fit(WORDS)), "dev names, too"),
        (Net(scale=-1, steps=1000), "knowing anything: the rate is too high"),
        (Net(scale=-1), "not trained at all, or at too high a rate"),
        (untrained(n_embd=64), "not trained at all"),
        (untrained(), "counting pairs"),
        (Net(scale=0.6), "above the lecture"),
        (Net(scale=0.3), "counting pairs"),
        (MLP(26, 3, 2, 5), "IndexError"),
    ],
    "2.2": [
        (26.3, "function"),
        (lambda scale: 27.0, "changes nothing"),
        (scaling([]), "changes nothing"),
        (lambda scale: 5000 * first_loss(scale), "a sum"),
        (in_place_on_a_leaf, "leaf Variable"),
        (in_place_on_a_leaf, "hint 2"),
        (forget_the_bias, "equally likely"),
        (scaling([3]), "equally likely"),
        (scaling([1, 2]), "equally likely"),
        (scaling(range(5)), "All five"),
        (scaling([0, 3, 4]), "`C` or `W1`"),
        (scaling([1, 2, 3, 4]), "The hidden layer"),
        (scaling([1, 3, 4]), "`C` or `W1`"),
        (scaling([3, 3, 4]), "in between"),
        (scaling([3, 4], seed=0), "seed=42"),
        (scaling([3, 4], n=4000), "seed=42"),
        (lambda scale: math.log(27), "far worse"),
        (lambda scale: first_loss(scale) / math.log(2), "in bits"),
        (lambda scale: math.log(27) + (scale > 0) * 20, "seed=42"),
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
        (lambda params, x: direct(params, x).tanh(), "Only the hidden layer"),
        (lambda params, x: direct(params, x).log_softmax(1), "log-probabilities"),
        (lambda params, x: direct(params, x).T, "(6, 27)"),
        (lambda params, x: direct(params, x) + 1, "numbers"),
        (lambda params, x: direct(params, x) + 0j, "tensor of floats"),
        (overwriting, "overwrites"),
    ],
    "2.4": [
        ([(0.07, 0.01)] * 5, "Expected a function"),
        (gains_by(lambda a, b: b - a), "The sign"),
        (gains_as(abs), "Keep the sign"),
        (gains_by(lambda a, b: (a - b).abs()), "Keep the sign"),
        (gains_as(lambda mean: max(mean, 0)), "Do not cut off"),
        (gains_by(lambda a, b: (a - b).clamp(min=0)), "Do not cut off"),
        (lambda by_T: [(m, e) for m, e in gains(by_T) if m > 0], "5 gains between"),
        (rounded(3), "rounded too far"),
        (rounded(2), "rounded too far"),
        (lambda by_T: [(m, 2 * e) for m, e in gains(by_T)], "two standard errors"),
        (lambda by_T: gains(by_T[:1] + by_T), "6 lengths have 5 gains"),
        (lambda by_T: gains(by_T)[:-1], "not 4. See hint 1"),
        (lambda by_T: in_two_lists(by_T[:-1]), "not 4. See hint 1"),
        (lambda by_T: (in_two_lists(by_T)[0], by_T[0].tolist()), "but 3 errors"),
        (lambda by_T: in_two_lists(by_T)[::-1], "mean gains are not right"),
        (lambda by_T: [mean for mean, _ in gains(by_T)], "and its error"),
        (lambda by_T: dict(enumerate(gains(by_T))), "list of pairs"),
        (from_the_first, "add up"),
        (gains_by(lambda a, b: b), "Those are losses"),
        (gains_by(lambda a, b: (a - b) / math.log(2)), "mean gains are not right"),
        (one_seed, "first seed alone"),
        (errors_by(lambda d: d.std()), "root of the number of seeds"),
        (errors_by(lambda d: d.std() / len(d)), "root of the number of seeds"),
        (errors_by(lambda d: d.std() / 2), "need not be four"),
        (errors_by(lambda d: d.std(correction=0) / len(d) ** 0.5), "n - 1"),
        (unpaired, "Take the error of the differences"),
        (lambda by_T: [(2 * m, e) for m, e in gains(by_T)], "mean gains are not"),
        (lambda by_T: [(m, 3 * e) for m, e in gains(by_T)], "errors are not right"),
        (lambda by_T: [(m, e, 4) for m, e in gains(by_T)], "two numbers"),
    ],
    "2.5": [
        ((1.7, 2.2), "Expected a function"),
        (lambda model: (1.7, 2.2), "Two models"),
        (of_one_table, "Two models"),
        (lambda model: 2.05, "two numbers"),
        (lambda model: {"seen": 1.7, "unseen": 2.2}, "two numbers"),
        (lambda model: ["1.7", "2.2"], "two numbers"),
        (scored(UNSEEN, SEEN), "come first"),
        (scored(DEV, DEV), "all of dev"),
        (scored(TRAIN, DEV), "all of train"),
        (scored(TRAIN, UNSEEN), "*dev* names"),
        (scored(SEEN, DEV), "leave out"),
        (scored(DEV, []), "ValueError"),
        (scored(TEST, UNSEEN), "off"),
        (by_name, "mean over names"),
        (in_bits, "bits"),
    ],
}
