"""A thousand names from WaveNet: one at a time, and all at once."""

from collections import deque
from functools import cache

import torch
import torch.nn.functional as F
from loops import same_bigrams
from measure import Benchmark
from training import TRAIN, VOCAB

from charlm.data import batches, windows
from charlm.memoized import MemoizedWaveNet
from charlm.sample import sample_words
from charlm.train import adamw, training_steps

N = 1000


@cache
def wavenet(steps: int = 200) -> MemoizedWaveNet:
    """Return one that has been trained a little, so that its names have an end."""
    generator = torch.Generator().manual_seed(42)
    tree = MemoizedWaveNet(len(VOCAB), generator=generator)
    examples = windows(TRAIN, VOCAB, tree.block_size)
    drawn = batches(*examples, 512, generator=generator, steps=steps)
    deque(training_steps(tree, adamw(tree, 0.005), drawn), maxlen=0)
    return tree.eval()  # of a single context, it is the plain tree


@torch.no_grad()
def plain_names(n: int) -> list[str]:
    model = wavenet()
    generator = torch.Generator().manual_seed(1)
    names = []
    for _ in range(n):
        out = []
        context = [0] * model.block_size
        while True:
            logits = model(torch.tensor([context]))
            probs = F.softmax(logits, dim=1)
            ix = int(torch.multinomial(probs, 1, generator=generator).item())
            if ix == 0:
                break
            context = [*context[1:], ix]
            out.append(VOCAB.labels[ix])
        names.append("".join(out))
    return names


def our_names(n: int = N) -> list[str]:
    generator = torch.Generator().manual_seed(1)
    return sample_words(wavenet(), VOCAB, n, generator=generator)


BENCHMARKS = [
    Benchmark(
        f"samples of {N:,} names from WaveNet",
        ours=our_names,
        plain=lambda: plain_names(N // 10),
        equal=lambda: same_bigrams(our_names(10_000), plain_names(N)),
        target=25,
        share=1 / 10,
        repeats=10,
    )
]
