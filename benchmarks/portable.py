"""Are the pages true on other processors, and with other seeds? `make portable`

Each page that expects something of a trained number runs once under each setting:
other kernels of torch and MKL, as they are on other processors; two threads; other
seeds, which are shifted in around torch's generators, so that no page knows of it. Then
a table tells, for each expectation, its band, the values that it took, and the margin
that the worst of them left: in numbers, and in standard deviations of the values. A
margin below zero is a miss, and the status is 1. So is a page that breaks down.

    python benchmarks/portable.py                       all pages, all settings
    python benchmarks/portable.py --pages 03_activations --settings default "seed + 1"
"""

import argparse
import math
import os
import statistics
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import torch
from execution import pages, run

from charlm.book.expectations import band

KERNELS = {
    "as it is": {},
    "default": {
        "ATEN_CPU_CAPABILITY": "default",
        "MKL_CBWR": "COMPATIBLE",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
    },
    "avx2": {
        "ATEN_CPU_CAPABILITY": "avx2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
    },
    "avx512": {"ATEN_CPU_CAPABILITY": "avx512"},
    "MKL compatible": {"MKL_CBWR": "COMPATIBLE"},
}
SHIFTS = {f"seed + {shift}": shift for shift in range(1, 6)}
THREADS = "two threads"
SHIFT = """
import torch

class Shifted(torch.Generator):
    def manual_seed(self, seed):
        return super().manual_seed(seed + 1_000_003 * {shift})

torch.Generator = Shifted
plain_seed = torch.manual_seed
torch.manual_seed = lambda seed: plain_seed(seed + 1_000_003 * {shift})
torch.manual_seed(0)
"""
TWO_THREADS = """
import torch

torch.set_num_threads(2)
torch.set_num_threads = lambda n: setattr(torch, "get_num_threads", lambda: n)
"""


def settings():
    """The names of all settings whose instructions this processor has."""
    has_avx512 = torch.backends.cpu.get_cpu_capability() == "AVX512"
    kernels = [name for name in KERNELS if name != "avx512" or has_avx512]
    return [*kernels, *SHIFTS, THREADS]


def execution(page, setting):
    """What comes of a page under a setting; one line says that it is done."""
    if setting in SHIFTS:
        done = run(page, SHIFT.format(shift=SHIFTS[setting]))
    elif setting == THREADS:
        done = run(page, TWO_THREADS, OMP_NUM_THREADS="2")
    else:
        done = run(page, **KERNELS[setting])
    broken = "  BROKEN" if done.error else ""
    print(f"{page}, {setting}: {done.seconds:.0f} s of CPU{broken}", flush=True)
    return done


def margin(record):
    """How far inside the band the value is; negative outside, and for nan."""
    if math.isnan(record["value"]):
        return -math.inf
    return min(record["value"] - record["low"], record["high"] - record["value"])


def row(page, name, records):
    """One expectation: the smallest margin, the same in deviations, the table's row."""
    values = [record["value"] for record in records]
    least = min(map(margin, records))
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    size = least / spread if spread else math.copysign(math.inf, least)
    within = band(records[0]["low"], records[0]["high"])
    taken = f"{min(values):.4g} to {max(values):.4g} ({len(values)})"
    line = f"| {page} | {name} | {within} | {taken} | {least:.3g} | {size:.1f} |"
    return least, size, line


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    expecting = pages("book.expectations import")
    parser.add_argument("--pages", nargs="+", choices=expecting, default=expecting)
    parser.add_argument("--settings", nargs="+", choices=settings(), default=settings())
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    given = parser.parse_args()

    work = [(page, setting) for setting in given.settings for page in given.pages]
    work.sort(key=lambda job: job[1] == THREADS)  # those keep two cores busy each
    beside = [job for job in work if job[1] != THREADS]
    with ThreadPoolExecutor(given.jobs) as pool:
        done = list(pool.map(lambda job: execution(*job), beside))
    done += [execution(*job) for job in work[len(beside) :]]

    found = defaultdict(list)
    for (page, _), result in zip(work, done):
        for record in result.records:
            found[page, record["name"]].append(record)
    rows = [row(*key, records) for key, records in found.items()]
    rows.sort(key=lambda row: (row[0] >= 0, row[1]))
    print("| page | expectation | band | values | margin | in deviations |")
    print("|---|---|---|---|---|---|")
    print(*(line for *_, line in rows), sep="\n")
    for (page, setting), result in zip(work, done):
        if result.error:
            print(f"\n{page}, {setting}:\n{result.error}")
    print(f"{sum(result.seconds for result in done):.0f} s of CPU in all")
    broken = any(result.error for result in done)
    return 1 if broken or any(least < 0 for least, *_ in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
