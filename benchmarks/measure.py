"""A task done twice, in plain code and by the package, and how long each takes."""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter


@dataclass(frozen=True)
class Times:
    """Seconds for one task; `scaled` says that the plain ones are of a part of it."""

    task: str
    plain: float
    ours: float
    target: float
    scaled: bool = False

    @property
    def ratio(self) -> float:
        """How many times faster the package is."""
        return self.plain / self.ours

    def __str__(self) -> str:
        scaled = "*" if self.scaled else " "
        verdict = "" if self.ratio >= self.target else "  missed"
        return (
            f"{self.task:48} {_short(self.plain):>9}{scaled} {_short(self.ours):>9} "
            f"{self.ratio:6.3g}x {self.target:6g}x{verdict}"
        )


HEADER = f"{'task':48} {'plain':>9}  {'ours':>9} {'ratio':>7} {'target':>7}"


def _short(seconds: float) -> str:
    return f"{seconds:.1f} s " if seconds >= 1 else f"{seconds * 1e3:.1f} ms"


def seconds(function: Callable[[], object]) -> float:
    """Return how long a call takes."""
    start = perf_counter()
    function()
    return perf_counter() - start


@dataclass
class Benchmark:
    """One task done twice; `share` is the part of it that the plain code does."""

    task: str
    ours: Callable[[], object]
    plain: Callable[[], object]
    equal: Callable[[], bool]
    target: float
    share: float = 1.0
    repeats: int = 5

    def times(self) -> Times:
        """Return the best times of several: both in turn, so that a busy machine
        slows both alike. Raises AssertionError where the results differ."""
        assert self.equal(), f"{self.task}: the results differ"
        pairs = [
            (seconds(self.plain) / self.share, min(seconds(self.ours) for _ in "123"))
            for _ in range(self.repeats)
        ]
        plain, ours = map(min, zip(*pairs, strict=True))
        return Times(self.task, plain, ours, self.target, self.share < 1)
