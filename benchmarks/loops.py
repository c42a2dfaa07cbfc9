"""Parts 1 and 4: windows, counts, samples of the bigram, gradients by hand."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from measure import Benchmark
from torch import Tensor

from charlm import backprop
from charlm.counts import NGram
from charlm.data import load_words, windows
from charlm.sample import sample_words
from charlm.vocab import Vocabulary

WORDS = load_words()
VOCAB = Vocabulary.from_words(WORDS)
BIGRAM = NGram(VOCAB, 2).fit(WORDS)
P = BIGRAM(torch.arange(len(VOCAB))[:, None]).exp()  # (V, V)

BLOCK_SIZE = 3
N_SAMPLES = 10_000
SEED = 2147483647


def plain_windows() -> tuple[Tensor, Tensor]:
    stoi = VOCAB.ids | {".": 0}
    X, Y = [], []
    for word in WORDS:
        context = [0] * BLOCK_SIZE
        for char in word + ".":
            ix = stoi[char]
            X.append(context)
            Y.append(ix)
            context = [*context[1:], ix]
    return torch.tensor(X), torch.tensor(Y)


def plain_bigrams() -> Tensor:
    stoi = VOCAB.ids | {".": 0}
    N = torch.zeros((len(VOCAB), len(VOCAB)), dtype=torch.int64)
    for word in WORDS:
        chars = [".", *word, "."]
        for ch1, ch2 in pairwise(chars):
            ix1 = stoi[ch1]
            ix2 = stoi[ch2]
            N[ix1, ix2] += 1
    return N


def plain_samples(n: int) -> list[str]:
    generator = torch.Generator().manual_seed(SEED)
    words = []
    for _ in range(n):
        out = []
        ix = 0
        while True:
            drawn = torch.multinomial(P[ix], 1, replacement=True, generator=generator)
            ix = int(drawn.item())
            if ix == 0:
                break
            out.append(VOCAB.labels[ix])
        words.append("".join(out))
    return words


def our_samples() -> list[str]:
    generator = torch.Generator().manual_seed(SEED)
    return sample_words(BIGRAM, VOCAB, N_SAMPLES, generator=generator)


def equal_windows() -> bool:
    ours, plain = windows(WORDS, VOCAB, BLOCK_SIZE), plain_windows()
    return all(map(torch.equal, ours, plain))


def same_bigrams(words: list[str], others: list[str]) -> bool:
    """Whether two draws of words could be from one model: are bigrams as frequent?"""
    counts, other = (NGram(VOCAB, 2).fit(drawn).counts() for drawn in (words, others))
    first, second = counts / len(words), other / len(others)
    expected = (counts + other).clamp_min(1) / (len(words) + len(others))
    error = (expected * (1 / len(words) + 1 / len(others))).sqrt()
    return bool(((first - second).abs() < 6 * error).all())


def mlp_parameters() -> dict[str, Tensor]:
    g = torch.Generator().manual_seed(SEED)
    V, C, H = len(VOCAB), 10, 200
    shapes = {"C": (V, C), "W1": (BLOCK_SIZE * C, H), "gamma": (H,), "beta": (H,)}
    shapes |= {"W2": (H, V), "b2": (V,)}
    return {k: 0.3 * torch.randn(s, generator=g) for k, s in shapes.items()}


X, Y = (t[:32] for t in windows(WORDS[:20], VOCAB, BLOCK_SIZE))
BY_HAND = mlp_parameters()
BY_AUTOGRAD = {k: p.requires_grad_() for k, p in mlp_parameters().items()}
STEPS, RATE = 100, 0.01


@torch.no_grad()
def our_steps(P: dict[str, Tensor] = BY_HAND, steps: int = STEPS) -> None:
    for _ in range(steps):
        _, grads, _ = backprop.mlp_gradients(P, X, Y)
        for k in P:
            P[k] -= RATE * grads[k]


def autograd_steps(P: dict[str, Tensor] = BY_AUTOGRAD, steps: int = STEPS) -> None:
    """The operations of `mlp_gradients` forwards; autograd goes back."""
    for _ in range(steps):
        hpre = P["C"][X].flatten(1) @ P["W1"]
        centered = hpre - hpre.sum(0) / len(X)
        var = centered.square().sum(0) / len(X)
        xhat = centered * (var + backprop.EPS).rsqrt()
        h = (P["gamma"] * xhat + P["beta"]).tanh()
        loss = F.cross_entropy(h @ P["W2"] + P["b2"], Y)
        for p in P.values():
            p.grad = None
        loss.backward()
        for p in P.values():
            assert p.grad is not None
            p.data -= RATE * p.grad


def equal_steps() -> bool:
    ours, theirs = mlp_parameters(), mlp_parameters()
    our_steps(ours, 5)
    autograd_steps({k: p.requires_grad_() for k, p in theirs.items()}, 5)
    return all(torch.allclose(ours[k], theirs[k], atol=1e-6) for k in ours)


BENCHMARKS = [
    Benchmark(
        f"windows of {len(WORDS):,} names, block_size {BLOCK_SIZE}",
        ours=lambda: windows(WORDS, VOCAB, BLOCK_SIZE),
        plain=plain_windows,
        equal=equal_windows,
        target=20,
    ),
    Benchmark(
        f"counts of the bigrams of {len(WORDS):,} names",
        ours=lambda: NGram(VOCAB, 2).fit(WORDS).counts(),
        plain=plain_bigrams,
        equal=lambda: torch.equal(BIGRAM.counts(), plain_bigrams()),
        target=50,
        repeats=3,
    ),
    Benchmark(
        f"samples of {N_SAMPLES:,} names from the bigram",
        ours=our_samples,
        plain=lambda: plain_samples(N_SAMPLES // 20),
        equal=lambda: same_bigrams(our_samples(), plain_samples(2_000)),
        target=30,
        share=1 / 20,
        repeats=20,
    ),
    Benchmark(
        f"{STEPS} steps of the MLP, gradients by hand",
        ours=our_steps,
        plain=autograd_steps,
        equal=equal_steps,
        target=1.3,
        repeats=20,
    ),
]
