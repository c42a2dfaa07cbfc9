"""Training on ten million words: how long it takes to start, and in how much memory.

    python benchmarks/scale.py

Files of one and of ten million words are made. For each file and model a fresh process
does what `charlm train` does, as far as the tenth step and an evaluation; a model that
only counts has no steps, and is trained to its end. It has trained on a few words
before, so that neither what torch loads on its first use nor its memory counts here.
"""

import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from json import dumps, loads
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

MILLION = 10**6
SIZES = (MILLION, 10 * MILLION)
MODELS: dict[str, dict[str, Any]] = {
    "wavenet": {"steps": 10, "eval_every": 10},
    "ngram": {"order": 4},
}
REPEATS = 2
PARTS = ("load", "split", "windows", "first step", "rest", "all")
MAX_MB = 500
MAX_SPLIT = 2  # times as long as reading
MAX_GROWTH = 1.2  # of the time a word
LETTERS = b"aaaaeeeeiiinnnrrlloosstthhdmyukcbgvpjfzwxq"


def write_words(path: Path, n: int, seed: int = 42) -> None:
    """Write n words of 2 to 15 letters, one a line: about 8 bytes a word."""
    rng = np.random.default_rng(seed)
    letters = np.frombuffer(LETTERS, np.uint8)
    with path.open("wb") as file:
        for start in range(0, n, MILLION):
            lengths = 2 + rng.binomial(13, 0.4, min(MILLION, n - start))
            ends = np.cumsum(lengths + 1)
            text = letters[rng.integers(len(letters), size=ends[-1], dtype=np.uint8)]
            text[ends - 1] = ord("\n")
            file.write(text.tobytes())


def peak_mb() -> float:
    """Return the most memory that this process has had so far."""
    status = Path("/proc/self/status")
    if status.exists():  # on Linux getrusage includes the process that started this one
        line = next(s for s in status.read_text().splitlines() if "VmHWM" in s)
        return int(line.split()[1]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def start_training(file: Path, model: str, out: Path) -> dict[str, float]:
    """Train for a few steps, and return the seconds that each part took."""
    from charlm.runs import run as runs
    from charlm.runs import trainer

    seconds: dict[str, float] = {}

    def timed(part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            start = perf_counter()
            result = function(*args)
            seconds[part] = perf_counter() - start
            return result

        return call

    tool: Any = trainer  # a class gives way to a function
    runs.split_packed = timed("split", runs.split_packed)
    tool.Windows = timed("windows", trainer.Windows)
    start = perf_counter()
    run = runs.new(out, file, model=model, **MODELS[model])
    seconds["load"] = perf_counter() - start - seconds["split"]
    if run.config.recipe is None:
        trainer.count(run)
    else:
        steps = iter(trainer.begin(run))
        next(steps)
        seconds["first step"] = perf_counter() - start - sum(seconds.values())
        list(steps)
    everything = perf_counter() - start
    seconds["rest"] = everything - sum(seconds.values())
    seconds["all"] = everything
    return seconds


def measure(file: Path, model: str) -> dict[str, float]:
    """Return the seconds of each part, and the memory beyond torch's own in MB."""
    import torch

    torch.set_num_threads(1)
    out, few = file.with_suffix(".run"), file.with_suffix(".few")
    few.write_bytes(b"".join(file.open("rb").readlines(2**16)))
    start_training(few, model, out)
    shutil.rmtree(out)
    before = peak_mb()
    result = start_training(file, model, out)
    shutil.rmtree(out)
    return result | {"MB": peak_mb() - before}


def best(file: Path, model: str) -> dict[str, float]:
    """Return the figures of the fastest of some fresh processes."""
    command = [sys.executable, __file__, str(file), model]
    answers = [subprocess.check_output(command) for _ in range(REPEATS)]
    return min(map(loads, answers), key=lambda figures: figures["all"])


def main() -> None:
    heads = "".join(f"{part:>12}" for part in (*PARTS, "memory"))
    print(f"{'seconds to start on words':29}{heads}")
    with tempfile.TemporaryDirectory() as folder:
        files = {n: Path(folder, f"{n}.txt") for n in SIZES}
        for n, file in files.items():
            write_words(file, n)
        for model in MODELS:
            times = []
            for n, file in files.items():
                figures = best(file, model)
                times.append(figures["all"])
                row = "".join(f"{figures.get(part, 0.0):12.2f}" for part in PARTS)
                print(f"{model:9}{n:20,}{row}{figures['MB']:9.0f} MB")
            words, growth = SIZES[1] / SIZES[0], times[1] / times[0]
            ratio = figures["split"] / figures["load"]
            what = f"{words:g} times the words, times as long"
            for name, found, most in (
                ("memory, MB", figures["MB"], MAX_MB),
                ("split / load", ratio, MAX_SPLIT),
                (what, growth, MAX_GROWTH * words),
            ):
                verdict = "reached" if found <= most else "missed"
                print(f"{model:9}{name}: {found:.3g}, at most {most:g}: {verdict}")
            print()


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(dumps(measure(Path(sys.argv[1]), sys.argv[2])))
    else:
        main()
