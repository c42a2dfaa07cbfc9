"""Recurrent nets and a transformer, beside the design of makemore.py.

There, a batch is 32 padded words with one target at each place, AdamW keeps a rate of
0.0005, and sampling reads the whole word again for each character, 50 words at once.
Here, both have the same nets; ours are trained on each distinct prefix once, with all
that followed it in train as its target, and are sampled with a state.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from math import inf
from time import process_time

import torch
import torch.nn.functional as F
from loops import same_bigrams
from measure import Benchmark, Times
from torch import Tensor
from training import DEV, TRAIN, VOCAB

from charlm.attention import GPT
from charlm.data import soft_targets, windows
from charlm.evaluate import losses
from charlm.prefixes import batches_of_words
from charlm.recurrent import GRU, RNN
from charlm.sample import sample_words
from charlm.train import Step, adamw, cosine, training_steps

Net = RNN | GRU | GPT
T = 16
PLAIN_STEPS, PLAIN_SAMPLE = 5_000, 10  # all, and how many are timed at a time
EVAL_EVERY = 25
SAMPLES, PLAIN_SAMPLES = 1_000, 50


def padded(words: list[str]) -> tuple[Tensor, Tensor]:
    """Return words as rows that begin with the boundary, and targets: (W, T) twice.

    A target is -1 where there is nothing to predict.
    """
    idx = torch.zeros(len(words), T, dtype=torch.int64)
    targets = torch.full((len(words), T), -1)
    for row, word in enumerate(words):
        ids = VOCAB.encode(word)
        idx[row, 1 : len(ids) + 1] = torch.tensor(ids)
        targets[row, : len(ids) + 1] = torch.tensor([*ids, 0])
    return idx, targets


def plain_steps(net: Net, seed: int = 1) -> Iterator[float]:
    """Take the steps of makemore.py, one by one."""
    idx, targets = padded(TRAIN)
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(
        net.parameters(), lr=5e-4, weight_decay=0.01, betas=(0.9, 0.99), eps=1e-8
    )
    while True:
        at = torch.randint(len(idx), (32,), generator=generator)
        logits = net.all_places(idx[at])
        loss = F.cross_entropy(
            logits.flatten(0, 1), targets[at].flatten(), ignore_index=-1
        )
        net.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        yield loss.item()


@dataclass(frozen=True)
class Race:
    """A net twice: the dev loss of the plain way after 5,000 steps, and our recipe."""

    name: str
    net: Callable[[torch.Generator], Net]
    dev_loss: float
    steps: int
    rate: float
    decay: float
    target: float = 5

    def our_steps(self, net: Net, generator: torch.Generator) -> Iterator[Step]:
        """Train the net by our recipe, step by step."""
        X, Y = windows(TRAIN, VOCAB, T)
        targets = soft_targets(X, Y, len(VOCAB))
        return training_steps(
            net,
            adamw(net, self.rate, self.decay),
            batches_of_words(X, targets, 256, generator=generator, steps=self.steps),
            cosine(self.rate, self.steps, warmup=self.steps // 10),
        )

    def times(self, seed: int = 42) -> Times:
        """Return our CPU time to the dev loss, evaluations included, and the plain one.

        Plain steps are timed again and again while ours go on, so that a busy machine
        slows both alike.
        """
        lecture = plain_steps(self.net(torch.Generator().manual_seed(seed)))
        next(lecture)
        start = process_time()
        generator = torch.Generator().manual_seed(seed)
        net = self.net(generator)
        steps, dev = self.our_steps(net, generator), windows(DEV, VOCAB, T)
        best, ours, plain, timed = inf, 0.0, 0.0, 0
        for step in steps:
            if (step.index + 1) % EVAL_EVERY:
                continue
            best = min(best, losses(net, *dev).mean().item())
            ours += process_time() - start
            start = process_time()
            list(islice(lecture, PLAIN_SAMPLE))
            plain, timed = plain + process_time() - start, timed + PLAIN_SAMPLE
            if best <= self.dev_loss:
                break
            start = process_time()
        return Times(
            f"{self.name} to dev {self.dev_loss}, CPU time",
            plain=plain / timed * PLAIN_STEPS,
            ours=ours if best <= self.dev_loss else inf,
            target=self.target,
            scaled=True,
        )


@torch.no_grad()
def plain_names(net: Net, n: int) -> list[str]:
    """Draw words 50 at once, each to the last place, the whole row again each time."""
    generator = torch.Generator().manual_seed(1)
    names: list[str] = []
    while len(names) < n:
        idx = torch.zeros(50, 1, dtype=torch.int64)
        for _ in range(T - 1):
            probs = F.softmax(net.all_places(idx)[:, -1], dim=1)
            ids = torch.multinomial(probs, 1, generator=generator)
            idx = torch.cat([idx, ids], dim=1)
        for row in idx[:, 1:].tolist():
            ends = row.index(0) if 0 in row else len(row)
            names.append(VOCAB.decode(row[:ends]))
    return names[:n]


def our_names(net: Net, n: int) -> list[str]:
    generator = torch.Generator().manual_seed(2)
    return sample_words(net, VOCAB, n, generator=generator, max_length=T - 1)


def sampling(race: Race) -> Benchmark:
    """Return the benchmark of drawing names from a net; it is trained first."""
    generator = torch.Generator().manual_seed(42)
    net = race.net(generator)
    deque(race.our_steps(net, generator), maxlen=0)
    net.eval()
    return Benchmark(
        f"samples of {SAMPLES:,} names from the {race.name}",
        ours=lambda: our_names(net, SAMPLES),
        plain=lambda: plain_names(net, PLAIN_SAMPLES),
        equal=lambda: same_bigrams(our_names(net, 10_000), plain_names(net, 1_000)),
        target=20,
        share=PLAIN_SAMPLES / SAMPLES,
        repeats=10,
    )


def rnn(generator: torch.Generator) -> RNN:
    return RNN(len(VOCAB), T, 64, 0.0, generator=generator)


def gru(generator: torch.Generator) -> GRU:
    return GRU(len(VOCAB), T, 64, 0.0, generator=generator)


def gpt(generator: torch.Generator) -> GPT:
    """Four blocks of 64 channels, as makemore.py's transformer has by default."""
    return GPT(len(VOCAB), T, 64, 4, 4, 0.0, generator=generator)


#: The dev loss of the plain way after its 5,000 steps, by `python sequences.py`.
RACES = [
    Race("RNN", rnn, dev_loss=2.18, steps=300, rate=0.01, decay=0.1),
    Race("GRU", gru, dev_loss=2.155, steps=250, rate=0.02, decay=0.1),
    Race("transformer", gpt, dev_loss=2.065, steps=400, rate=0.008, decay=0.3),
]


def sampling_benchmarks() -> list[Benchmark]:
    """Return one for each net: they are trained first, so only when asked for."""
    return [sampling(race) for race in RACES]


def main() -> None:
    """Print the dev loss of the plain way after 5,000 steps, in some minutes."""
    torch.set_num_threads(1)
    dev = windows(DEV, VOCAB, T)
    for race in RACES:
        model = race.net(torch.Generator().manual_seed(42))
        for _ in islice(plain_steps(model), PLAIN_STEPS):
            pass
        print(f"{race.name}: {losses(model, *dev).mean():.4f}", flush=True)


if __name__ == "__main__":
    main()
