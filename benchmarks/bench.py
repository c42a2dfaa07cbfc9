"""The package beside the plain code that a learner would write: `make bench`.

Each pair is first checked to give equal results, or to be nets of equal size, then
timed in one run on one thread. Every benchmark has a file of its own part of the work.
"""

import platform

import budget
import loops
import measure
import products
import sampling
import scale
import sequences
import torch
import training


def main() -> None:
    torch.set_num_threads(1)
    print(f"Python {platform.python_version()}, torch {torch.__version__}, one thread")

    print()
    scale.main()
    print(f"\n{products.HEADER}")
    for part in products.table():
        print(part, flush=True)

    print(f"\n{measure.HEADER}   (* timed on a part of the task and scaled up)")
    benchmarks: list[measure.Benchmark | training.Race | sequences.Race] = [
        *loops.BENCHMARKS,
        *training.RACES,
        *sampling.BENCHMARKS,
        *sequences.RACES,
        *sequences.sampling_benchmarks(),
    ]
    for benchmark in benchmarks:
        print(benchmark.times(), flush=True)

    print()
    for line in budget.table():
        print(line, flush=True)


if __name__ == "__main__":
    main()
