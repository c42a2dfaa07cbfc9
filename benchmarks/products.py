"""How much of a training step is matrix products, how fast those can be, and the rest.

The rest is shared out by the profiler, which slows small operations most: of these it
makes too much.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import repeat
from statistics import median

import torch
from measure import seconds
from torch.profiler import ProfilerActivity, profile
from training import RACES, TRAIN, VOCAB, Race, plain_steps

from charlm.data import soft_targets, windows
from charlm.train import adamw, training_steps

os.environ["KINETO_LOG_LEVEL"] = "6"  # the profiler prints nothing of its own
REPEATS = 20
HEADER = (
    f"{'a training step of':32} {'step':>9} {'products':>9} {'share':>6}"
    f" {'GFLOP/s':>8} {'bare mm':>8}"
)


@dataclass(frozen=True)
class Products:
    """Seconds of a step, of the matrix products in it, and of the same ones alone."""

    task: str
    step: float
    inside: float
    bare: float
    flops: float
    others: dict[str, float]

    def __str__(self) -> str:
        rest = ", ".join(
            f"{name} {share:.0%}" for name, share in list(self.others.items())[:6]
        )
        return (
            f"{self.task:32} {self.step * 1e3:6.2f} ms {self.inside * 1e3:6.2f} ms"
            f" {self.inside / self.step:6.0%} {self.flops / self.inside / 1e9:8.0f}"
            f" {self.flops / self.bare / 1e9:8.0f}\n    of the rest: {rest}"
        )


def measure(task: str, step: Callable[[], object]) -> Products:
    """Take the same step again and again; every time is the best of several."""
    whole = min(seconds(step) for _ in range(5 * REPEATS))
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as recorded:
        for _ in range(REPEATS):
            step()
    calls: Counter[tuple[int, int, int]] = Counter()
    inside: dict[tuple[int, int, int], float] = {}
    for event in recorded.events():
        if event.name in ("aten::mm", "aten::addmm"):
            (m, k), (_, n) = [s for s in event.input_shapes if len(s) == 2]
            best = inside.get((m, k, n), torch.inf)
            inside[m, k, n] = min(best, event.self_cpu_time_total / 1e6)
            calls[m, k, n] += 1
    bare = {shape: bare_time(*shape) for shape in calls}
    each = {shape: count / REPEATS for shape, count in calls.items()}
    return Products(
        task,
        whole,
        inside=sum(each[s] * inside[s] for s in calls),
        bare=sum(each[s] * bare[s] for s in calls),
        flops=sum(2 * each[m, k, n] * m * k * n for m, k, n in calls),
        others=others(recorded),
    )


def others(recorded: profile) -> dict[str, float]:
    """Return the shares of what is no matrix product in its time, the largest first."""
    calls = defaultdict(list)
    for event in recorded.events():
        if event.name not in ("aten::mm", "aten::addmm"):
            name = event.name.removeprefix("aten::").rpartition("#")[2]
            calls[name].append(event.self_cpu_time_total)
    # The median of the calls: on a shared machine some take a hundred times as long.
    times = {name: median(each) * len(each) for name, each in calls.items()}
    whole = sum(times.values())
    largest = sorted(times, key=lambda name: -times[name])
    return {name: times[name] / whole for name in largest}


def bare_time(m: int, k: int, n: int) -> float:
    """Return the seconds of one torch.mm (m, k) @ (k, n): the best of many."""
    a, b = torch.randn(m, k), torch.randn(k, n)
    return min(seconds(lambda: torch.mm(a, b)) for _ in range(5 * REPEATS))


def parts(race: Race) -> Iterator[Products]:
    """Yield what our step of a race is made of, and the plain one."""
    generator = torch.Generator().manual_seed(1)
    model = race.ours(generator)
    X, Y = windows(TRAIN, VOCAB, model.block_size)
    shares = soft_targets(X, Y, len(VOCAB))
    at = torch.randint(len(X), (race.batch_size,), generator=generator)
    steps = training_steps(model, adamw(model, 1e-4), repeat((X[at], shares[at])))
    yield measure(f"{race.name}, ours, batch {race.batch_size}", lambda: next(steps))
    lecture = plain_steps(race.plain(), X, Y)
    yield measure(f"{race.name}, plain, batch 32", lambda: next(lecture))


def table() -> Iterator[Products]:
    """Yield the parts of the steps of all races."""
    for race in RACES:
        yield from parts(race)
