"""Wall time to a dev loss: the lecture's 200,000 steps of 32, and a shorter way.

The shorter way has the same parameters and the same data. Its batches are larger, with
AdamW and a rate that falls to zero; each example asks for all that followed its context
in train; and the tree computes each distinct piece of a batch once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from math import inf
from statistics import mean
from time import perf_counter

import torch
import torch.nn.functional as F
from measure import Times, seconds
from torch import Tensor, nn

from charlm import layers
from charlm.data import batches, load_words, soft_targets, split_words, windows
from charlm.evaluate import losses
from charlm.memoized import MemoizedWaveNet
from charlm.models import MLP
from charlm.train import adamw, cosine, training_steps
from charlm.vocab import Vocabulary

WORDS = load_words()
VOCAB = Vocabulary.from_words(WORDS)
TRAIN, DEV, _ = split_words(WORDS)
PLAIN_STEPS, PLAIN_SAMPLE = 200_000, 50  # all, and how many are timed at a time
EVAL_EVERY = 100


@dataclass(frozen=True)
class Race:
    """A net twice, the plain one and ours, the dev loss to reach, and our recipe."""

    name: str
    plain: Callable[[], layers.Sequential]
    ours: Callable[[torch.Generator], MLP | MemoizedWaveNet]
    dev_loss: float
    steps: int
    batch_size: int
    rate: float
    decay: float
    target: float = 10

    def times(self, seed: int = 42) -> Times:
        """Return our time to the dev loss, evaluations included, and the plain one's.

        Plain steps are timed again and again while ours go on, so that a busy machine
        slows both alike.
        """
        net = self.plain()
        start = perf_counter()
        generator = torch.Generator().manual_seed(seed)
        model = self.ours(generator)
        (X, Y), dev = (windows(w, VOCAB, model.block_size) for w in (TRAIN, DEV))
        assert count(net) == count(model)
        steps = training_steps(
            model,
            adamw(model, self.rate, self.decay),
            batches(
                X,
                soft_targets(X, Y, len(VOCAB)),
                self.batch_size,
                generator=generator,
                steps=self.steps,
            ),
            cosine(self.rate, self.steps, warmup=self.steps // 10),
        )
        best, ours, plain = inf, 0.0, list[float]()
        lecture = plain_steps(net, X, Y)
        next(lecture)
        for step in steps:
            if (step.index + 1) % EVAL_EVERY:
                continue
            best = min(best, losses(model, *dev).mean().item())
            ours += perf_counter() - start
            plain.append(seconds(lambda: list(islice(lecture, PLAIN_SAMPLE))))
            if best <= self.dev_loss:
                break
            start = perf_counter()
        task = f"{self.name}, {count(model):,} parameters, to dev {self.dev_loss}"
        return Times(
            task,
            plain=mean(plain) / PLAIN_SAMPLE * PLAIN_STEPS,
            ours=ours if best <= self.dev_loss else inf,
            target=self.target,
            scaled=True,
        )


def count(net: layers.Layer | nn.Module) -> int:
    """Return the number of parameters."""
    return sum(p.numel() for p in net.parameters())


def plain_steps(net: layers.Layer, X: Tensor, Y: Tensor) -> Iterator[float]:
    """Take the lecture's steps one by one: batches of 32, plain gradient descent."""
    parameters = net.parameters()
    while True:
        ix = torch.randint(0, X.shape[0], (32,))
        logits = net(X[ix])
        loss = F.cross_entropy(logits, Y[ix])
        for p in parameters:
            p.grad = None
        loss.backward()
        for p in parameters:
            assert p.grad is not None
            p.data += -0.1 * p.grad
        yield loss.item()


def plain_mlp() -> layers.Sequential:
    """The lecture's MLP with batch normalization, of hand-made layers."""
    return layers.Sequential(
        layers.Embedding(27, 10),
        layers.Flatten(),
        layers.Linear(30, 200, bias=False),
        layers.BatchNorm1d(200),
        layers.Tanh(),
        layers.Linear(200, 27, gain=0.1),
    )


def plain_wavenet() -> layers.Sequential:
    """The lecture's last net, of hand-made layers."""
    levels = [
        layer
        for n_in in (24, 128, 128)
        for layer in (
            layers.FlattenConsecutive(2),
            layers.Linear(2 * n_in, 128, bias=False),
            layers.BatchNorm1d(128),
            layers.Tanh(),
        )
    ]
    return layers.Sequential(
        layers.Embedding(27, 24), *levels, layers.Linear(128, 27, gain=0.1)
    )


RACES = [
    Race(
        "MLP",
        plain_mlp,
        lambda generator: MLP(len(VOCAB), batch_norm=True, generator=generator),
        dev_loss=2.105,
        steps=1200,
        batch_size=512,
        rate=0.03,
        decay=0.1,
    ),
    Race(
        "WaveNet",
        plain_wavenet,
        lambda generator: MemoizedWaveNet(len(VOCAB), generator=generator),
        dev_loss=1.993,
        steps=1000,
        batch_size=1024,
        rate=0.01,
        decay=0.5,
    ),
]
