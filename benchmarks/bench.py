"""The package beside the plain loops that a learner would write.

    python benchmarks/bench.py

Each pair is first checked to give equal results, then timed in one run on one thread;
each time is the best of several.
"""

import platform
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from time import perf_counter

import torch
from torch import Tensor

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


@dataclass
class Benchmark:
    """One task done twice; `share` is the part of it that the plain loop does."""

    task: str
    ours: Callable[[], object]
    plain: Callable[[], object]
    equal: Callable[[], bool]
    target: float
    share: float = 1.0
    repeats: int = 5


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
            ix = torch.multinomial(P[ix], 1, replacement=True, generator=generator)
            ix = ix.item()
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


def equal_samples(n: int = 2_000) -> bool:
    """Random words are equal in distribution: their bigrams are equally frequent."""
    ours, plain = our_samples(), plain_samples(n)
    first, second = (
        NGram(VOCAB, 2).fit(words).counts() / len(words) for words in (ours, plain)
    )
    expected = first.clamp_min(1 / len(ours))
    error = (expected * (1 / len(ours) + 1 / n)).sqrt()
    return bool(((first - second).abs() < 6 * error).all())


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
        equal=equal_samples,
        target=30,
        share=1 / 20,
        repeats=20,
    ),
]


def seconds(function: Callable[[], object]) -> float:
    start = perf_counter()
    function()
    return perf_counter() - start


def best_times(b: Benchmark) -> tuple[float, float]:
    """Time both in turn, so that a busy machine slows both alike."""
    times = [
        (seconds(b.plain) / b.share, min(seconds(b.ours) for _ in range(3)))
        for _ in range(b.repeats)
    ]
    plain, ours = zip(*times, strict=True)
    return min(plain), min(ours)


def main() -> None:
    torch.set_num_threads(1)
    print(
        f"Python {platform.python_version()}, torch {torch.__version__}, one thread\n"
    )
    print(f"{'task':44} {'plain':>10} {'ours':>10} {'ratio':>7} {'target':>7}")
    for b in BENCHMARKS:
        if not b.equal():
            print(f"{b.task:44} the results differ")
            continue
        plain, ours = best_times(b)
        ratio = plain / ours
        scaled = "*" if b.share < 1 else " "
        verdict = "" if ratio >= b.target else "  missed"
        print(
            f"{b.task:44} {plain * 1e3:7.1f} ms{scaled}{ours * 1e3:7.1f} ms"
            f" {ratio:6.0f}x {b.target:6.0f}x{verdict}"
        )
    print("\n* timed on a part of the task and scaled up")


if __name__ == "__main__":
    main()
