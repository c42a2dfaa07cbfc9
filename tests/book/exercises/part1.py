"""Right and wrong answers to the exercises of Part 1."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from charlm.counts import NGram
from charlm.data import load_words, split_words, windows
from charlm.evaluate import Evaluation, evaluate, word_losses
from charlm.vocab import Vocabulary

WORDS = load_words()
VOCAB = Vocabulary.from_words(WORDS)
TRAIN, DEV, _ = split_words(WORDS)
BIGRAM, TRIGRAM = (
    evaluate(NGram(VOCAB, order, 1).fit(TRAIN), DEV, VOCAB).loss for order in (2, 3)
)
N_DEV = sum(len(name) + 1 for name in DEV)
BACKWARD = [word[::-1] for word in WORDS]
LETTERS = NGram(VOCAB, 1).fit(TRAIN)(torch.zeros(1, 0, dtype=torch.int64)).exp()


def of_names(order, count_on, score_on):
    """The mean of the names' mean losses: a name counts as much as any other."""
    losses = word_losses(NGram(VOCAB, order, 1).fit(count_on), score_on, VOCAB)
    return (losses / torch.tensor([len(name) + 1 for name in score_on])).mean().item()


def additive(steps, rate=20.0, dims=(1, 0)):
    """The votes of the first and of the second character, (54, 27), after training."""
    n = NGram(VOCAB, 3).fit(WORDS).counts().float()
    A, B = torch.zeros(27, 27), torch.zeros(27, 27)
    for _ in range(steps):
        p = torch.softmax(A[:, None] + B, dim=2)
        dlogits = (n.sum(2, keepdim=True) * p - n) / n.sum()
        A, B = A - rate * dlogits.sum(dims[0]), B - rate * dlogits.sum(dims[1])
    return torch.cat([A, B])


TRAINED = additive(1200)


def mixture(words=TRAIN, weights=(0.01, 0.04, 0.16, 0.31, 0.48), smoothing=0.01):
    """The function of contexts (N, 4) that mixes the tables of order 1 to 5."""
    tables = [NGram(VOCAB, n, smoothing).fit(words) for n in range(1, 6)]

    def probs(X):
        parts = [w * t(X[:, 5 - t.order :]).exp() for w, t in zip(weights, tables)]
        return torch.stack(parts).sum(dim=0)

    return probs


MIXED = mixture()


def bigram(words, smoothing=1):
    """The probabilities of the smoothed bigram, (27, 27)."""
    return NGram(VOCAB, 2, smoothing).fit(words)(torch.arange(27)[:, None]).exp()


def with_shares(beta, shares, added=0, words=TRAIN):
    """The loss on test of the words' trigram that is smoothed with such shares."""
    n = NGram(VOCAB, 3).fit(words).counts() + added
    P = (n + beta * shares) / (n.sum(2, keepdim=True) + beta)
    X, Y = windows(split_words(WORDS)[2], VOCAB, 2)
    return -P[X[:, 0], X[:, 1], Y].log().mean().item()


def plain(logits, y):
    return -logits.softmax(1)[torch.arange(len(y)), y].log().mean()


def naive(logits, y):
    p = logits.exp() / logits.exp().sum(1, keepdim=True)
    return -p[torch.arange(len(y)), y].log().mean()


def in_float64(logits, y):
    z = logits.double()
    return (z.exp().sum(1).log() - z[torch.arange(len(y)), y]).mean()


def of_columns(logits, y):
    z = logits - logits.max(0, keepdim=True).values
    return (z.exp().sum(1).log() - z[torch.arange(len(y)), y]).mean()


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
    "1.3": [
        *[(20, 2.22357), [15, 2.2236], torch.tensor([20, 2.22357]), (12, 2.2240)],
        *[(20, 2.224), (10, 2.224), (25, 2.224), (20, 2.2242)],
        (20, with_shares(10, bigram(TRAIN))),  # of another β, by less than a thousandth
    ],
    "1.4": [
        lambda W, x: W[x],
        lambda W, x: F.embedding(x, W),
        lambda W, x: W[x].double(),
    ],
    "1.5": [
        stable,
        lambda z, y: stable(z.double(), y),
        lambda z, y: stable(z, y).item(),
        lambda z, y: stable(z, y)[None],
    ],
    "1.6": [TRAINED, TRAINED.double(), TRAINED.clone().requires_grad_()],
    "1.7": [MIXED, lambda X: MIXED(X).float(), mixture(smoothing=0.02)],
    "1.8": [
        (BACKWARD, 2.4544, 2.1863),
        (BACKWARD, (2.4544, 2.1863)),
        [tuple(BACKWARD), *np.array([2.4544, 2.1863])],
    ],
}

WRONG = {
    "1.1": [
        (2.0937, "first letter"),
        (2.2334, "where a word ends"),
        (1.9430, "after a word is enough"),
        (1.2183, "divide by sums of triples"),
        (1.8657, "another character"),
        (1.8766, "first character"),
        (2.212988 / math.log(2), "bits"),
        (-2.2130, "sign"),
        (-2.0, "mind the sign"),
        (2.1863, "hardly any smoothing"),
        (2.4550, "bigram"),
        (math.exp(2.212988), "perplexity"),
        (2.2204, "counted train only"),
        (4.8, "too high"),
        (2.2142, "on train"),
        (2.2144, "too high"),  # near the loss on train by chance
        (2.2150, "too high"),
        (2.212988 * 229_804, "sum"),
        (3.1645, "whether"),  # N[a, b, c] += 1, then 1 more
        (2.9671, "whether"),  # the same without smoothing
        (3.1461, "one thing more: that table"),  # with one boundary in front
        (2.1629, "all 27 added ones"),
        (2.1654, "all 27 added ones"),  # and 1 below, not 27
        (2.0355, "one thing more: a row sums to more"),  # with one boundary in front
        (2.2364, "denominator"),
        (2.1208, "one thing more: only the den"),
        (2.21, "four decimals"),
        (2.2, "four decimals"),
        (np.float64(2.21), "four decimals"),
        (2.3, "too high"),
        (2.2234, "on dev"),
        (2.2526, "on dev, of the table of train"),
        (of_names(3, WORDS, WORDS), "mean of the names' losses"),
        ((2.213, 2.213), "one number"),
    ],
    "1.2": [
        ((2.2526, 2.4716), "Bigram first"),
        ((2.8271, 2.4716), "unigram and the bigram"),
        ((2.2526, 2.2054), "trigram and the 4-gram"),
        ((2.4716, 2.4716), "Both are the bigram's"),  # a copied line
        ((2.2526, 2.2526), "Both are the trigram's"),
        ((2.4716, 2.2054), "a trigram 3"),
        ((2.4716, 2.9), "The trigram's loss is too high"),
        ((2.9, 2.2526), "The bigram's loss is too high"),
        ((-2.4716, -2.2526), "sign"),
        ((2.47155 / math.log(2), 2.25265 / math.log(2)), "bits"),
        ((2.4550, 2.2130), "all names, and is scored"),
        ((2.4684, 2.2234), "counted the dev names"),
        ((2.45347, 2.21025), "all names, and is scored on test"),
        ([of_names(order, TRAIN, DEV) for order in (2, 3)], "mean of the names'"),
        ((2.4655, 2.2786), "it is scored on"),
        ((2.4533, 2.2142), "on train"),
        ((2.4565, 2.2385), "on test"),
        ((2.4714, 2.2392), "should be 1"),
        ((2.4721, 2.2523), "should be 1"),
        ((2.4716, 2.2401), "should be 1"),
        ((2.4632, 2.2509), "other names dealt"),  # shuffled with seed 0
        ((2.4513, 2.2371), "other names dealt"),  # and with seed 1337
        ((2.4564, 2.2349), "other names dealt"),  # 90 and 10 percent
        ((2.5887, 2.4156), "not shuffled"),
        ((2.45541, 2.22044), "loss on all names; score on dev"),
        ((2.46824, 2.22442), "counted train and dev"),
        ((math.exp(2.47155), math.exp(2.25265)), "perplexity"),
        ((N_DEV * BIGRAM, N_DEV * TRIGRAM), "sum"),
        ((N_DEV * BIGRAM / 3226, N_DEV * TRIGRAM / 3226), "per name"),
        ((N_DEV * BIGRAM / 19723, N_DEV * TRIGRAM / 19723), "Ends of names"),
        ((2.47155, 2.1358085), "two boundaries in front"),
        ((2.47, 2.25), "four decimals"),
        ((2.4716, 2.25), "four decimals"),
        ((math.inf, math.inf), "infinite"),
        (2.4716, "two numbers"),
    ],
    "1.3": [
        ((1, 2.2358), "lower loss on dev"),
        ((20, 2.22399), "smoothing of P₂"),
        ((20, 2.22411), "smoothing of P₂"),
        ((20, math.exp(2.22357)), "perplexity"),
        ((20, 2.2385), "trigram with one α"),
        ((100, 2.23), "lower loss on dev"),
        ((2.22357, 20), "β first"),
        ((20, 2.23753), "on dev"),
        ((20, 2.1911), "has counted"),
        ((20, 2.4565), "bigram's loss"),
        ((20, 2.2254), "one α for all"),  # what the page has printed is not enough
        ((20, 2.22), "four decimals"),
        ((20, 2.3), "too high"),
        ((20, 2.2229), "counted all names"),
        ((15, with_shares(15, bigram(WORDS))), "counted all names"),
        ((20, with_shares(20, bigram(WORDS, smoothing=0))), "counted all names"),
        ((20, math.inf), "needs its smoothing"),
        ((20, -math.inf), "Add β below"),
        ((15, with_shares(15, bigram(TRAIN), added=1)), "without an added 1"),
        ((30, with_shares(30, bigram(TRAIN), added=1)), "without an added 1"),
        ((20, with_shares(20, bigram(TRAIN)[:, None])), "middle character"),
        ((20, with_shares(20, bigram(TRAIN).T)), "transposed"),
        ((20, with_shares(20, bigram(TRAIN)[:, :, None])), "has a and b"),
        ((17, with_shares(17, bigram(TRAIN)[:, :, None])), "has a and b"),
        ((20, 2.2279), "is a keepdim missing"),
        ((20, with_shares(20, torch.ones(27, 27) / 27)), "same for all letters"),
        ((10, with_shares(10, LETTERS)), "letters alone"),
        ((20, with_shares(20, LETTERS)), "letters alone"),
        ((8, with_shares(8, LETTERS)), "letters alone"),  # the best for this P₂
        ((8, with_shares(8, bigram(TRAIN)[:, None])), "middle character"),
        ((5, with_shares(5, torch.ones(27, 27) / 27)), "same for all letters"),
        ((1, with_shares(1, bigram(TRAIN))), "lower loss on dev"),
        *[
            ((20, with_shares(last, bigram(TRAIN))), "another β")  # the loop's last one
            for last in (1, 3, 5, 40, 50, 100, 1000)
        ],
        ((100, with_shares(20, bigram(TRAIN))), "lower loss on dev"),
        ((100, with_shares(100, bigram(TRAIN))), "lower loss on dev"),
        *[
            ((beta, with_shares(beta, bigram(TRAIN), words=words)), "more than train")
            for beta in (0.001, 0.1, 1, 20)  # the dev loss falls with β where n has dev
            for words in (WORDS, [*TRAIN, *DEV])
        ],
        ((0.1, with_shares(0.1, bigram(WORDS), words=WORDS)), "more than train"),
        ((0, math.inf), "positive"),
        ((math.inf, 2.4565), "positive"),
        (2.2236, "two numbers"),
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
        (F.cross_entropy, "does the work"),
        (
            lambda z, y: (z.logsumexp(1) - z[torch.arange(len(y)), y]).mean(),
            "does the work",
        ),
        (torch.nn.CrossEntropyLoss(), "does the work"),
        (lambda z, y: F.nll_loss(z.log_softmax(1), y), "does the work"),
        (lambda z, y: -z.log_softmax(1)[range(len(y)), y].mean(), "does the work"),
        (plain, "a logarithm was taken of 0"),
        (
            lambda z, y: (z.softmax(1) + 1e-9).log()[range(len(y)), y].mean().neg(),
            "cut off",
        ),
        (lambda z, y: -z.log_softmax(1)[:, y].mean(), "rectangle"),
        (naive, "overflow"),
        (in_float64, "overflowed"),
        (of_columns, "each row"),
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
        (2.34, "the tensor W"),  # typed numbers are no net
        (torch.tensor(2.3374), "of shape"),
        (TRAINED.T, "of shape"),
        (torch.zeros(54, 27), "train longer"),
        (additive(100), "train longer"),
        (additive(100, dims=(0, 1)), "over the other character"),
        (300 * TRAINED, "Its loss is 28"),  # too large for a softmax, not for its log
        (TRAINED.roll(27, 0), "first character's"),
        (torch.full((54, 27), math.nan), "finite"),
        (torch.zeros(54, 27, dtype=torch.int64), "finite"),
    ],
    "1.7": [
        (2.031, "Expected a function"),  # typed numbers are no mixture
        (torch.tensor(2.031), "Expected a function"),
        (lambda X: MIXED(X)[:5], "it should be"),
        (lambda X: MIXED(X).log(), "logarithms"),
        (lambda X: MIXED(X) * 1.02, "sum to 1"),
        (mixture(weights=(0.1, 0.3, 0.3, 0.2, 0.2)), "sum to 1"),
        (mixture(weights=(0, 0, 0, 1, 0), smoothing=0.1), "best single"),
        (mixture(weights=(0, 1, 0, 0, 0)), "best single"),
        (mixture(weights=(0.2,) * 5), "best single"),
        (mixture(weights=(0.1, 0.1, 0.2, 0.3, 0.3)), "hint 3"),
        (mixture(WORDS), "more than train"),
        (mixture([*TRAIN, *DEV[:300]]), "more than train"),
        (mixture([*TRAIN, *split_words(WORDS)[2]]), "more than train"),
        (mixture(weights=(0, 0, 0, 0, 1), smoothing=0), "probability 0"),
    ],
    "1.8": [
        ((BACKWARD, 2.1863, 2.4544), "Bigram first"),
        ((BACKWARD, 2.8229, 2.4544), "unigram and the bigram"),
        ((BACKWARD, 2.1863, 1.8849), "trigram and the 4-gram"),
        ((BACKWARD, 2.4544, 2.4544), "Both are the bigram's"),
        ((BACKWARD, 2.1863, 2.1863), "Both are the trigram's"),
        ((BACKWARD, 2.4544, 1.8849), "a trigram 3"),
        ((BACKWARD, 2.4550, 2.2128), "smoothing"),
        ((BACKWARD, math.inf, math.inf), "some pair was not counted"),
        ((BACKWARD, 2.4525, 2.1815), "all names"),
        ((BACKWARD, 2.45, 2.19), "four decimals"),
        ((BACKWARD, 2.4544, 2.2), "four decimals"),
        ((BACKWARD, 2.6, 2.3), "too high"),
        ((WORDS[::-1], 2.4544, 2.1863), "reverses the list"),
        ((WORDS, 2.4544, 2.1863), "spelled forward"),
        ((BACKWARD[:100], 2.4544, 2.1863), "not all names"),
        ((2.4544, 2.1863), "the list of all names"),
        ((BACKWARD, (2.1863, 2.4544)), "Bigram first"),
        (2.4544, "the names and two losses"),
    ],
}
