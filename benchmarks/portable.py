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
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jupytext
import nbclient
import torch
from nbformat.v4 import new_code_cell

from charlm.book.expectations import RECORD, band

BOOK = Path(__file__).parents[1] / "book"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
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
SETTINGS = [*KERNELS, *(f"seed + {shift}" for shift in range(1, 6)), "two threads"]
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


def pages():
    """The pages that expect something, by name."""
    return sorted(
        path.stem
        for path in BOOK.glob("*.md")
        if "book.expectations import" in path.read_text(encoding="utf-8")
    )


def here(setting):
    """Whether this processor has the setting's instructions."""
    if setting not in ("avx2", "avx512"):
        return True
    best = torch.backends.cpu.get_cpu_capability()
    return setting == "avx2" or best == "AVX512"


def prelude(setting):
    """The code that runs in a page's kernel before its first cell."""
    if setting.startswith("seed"):
        return SHIFT.format(shift=int(setting.split("+")[1]))
    return TWO_THREADS if setting == "two threads" else ""


def execute(page, setting):
    """Run a page in this process's child kernel, with the setting's prelude."""
    notebook = jupytext.read(BOOK / f"{page}.md", fmt="md:myst")
    notebook.cells.insert(0, new_code_cell(prelude(setting)))
    nbclient.NotebookClient(
        notebook,
        timeout=3600,
        kernel_name="python3",
        resources={"metadata": {"path": str(BOOK)}},
    ).execute()


def run(page, setting):
    """A page under a setting, in a process of its own: records, error, CPU seconds."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "record")
        file.touch()
        env = {**os.environ, **ONE_THREAD, **KERNELS.get(setting, {})}
        if setting == "two threads":
            env["OMP_NUM_THREADS"] = "2"
        done = subprocess.run(
            [sys.executable, __file__, "--execute", page, setting],
            env=env | {RECORD: str(file)},
            capture_output=True,
            text=True,
        )
        records = [json.loads(line) for line in file.read_text().splitlines()]
    seconds = float(done.stdout.split()[-1]) if done.stdout else math.nan
    lines = done.stderr.strip().splitlines()
    error = "" if done.returncode == 0 else "\n".join(lines[-12:])
    print(f"{page}, {setting}: {seconds:.0f} s of CPU", *lines[-1:] * bool(error))
    sys.stdout.flush()
    return records, error, seconds


def margin(record):
    """How far inside the band the value is; negative outside, and for nan."""
    if math.isnan(record["value"]):
        return -math.inf
    return min(record["value"] - record["low"], record["high"] - record["value"])


def table(found):
    """The rows of the table, the smallest margin first, and whether all are met.

    found
        {(page, name): records}
    """
    rows = []
    for (page, name), records in found.items():
        values = [record["value"] for record in records]
        least = min(map(margin, records))
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        size = least / spread if spread else math.copysign(math.inf, least)
        rows.append((size, least, page, name, records[0], values))
    rows.sort(key=lambda row: (row[1] >= 0, row[0]))
    lines = ["| page | expectation | band | values | margin | in deviations |"]
    lines += ["|---|---|---|---|---|---|"]
    for size, least, page, name, record, values in rows:
        taken = f"{min(values):.4g} to {max(values):.4g} ({len(values)})"
        within = band(record["low"], record["high"])
        lines.append(
            f"| {page} | {name} | {within} | {taken} | {least:.3g} | {size:.1f} |"
        )
    return lines, all(row[1] >= 0 for row in rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", nargs="+", choices=pages(), default=pages())
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=SETTINGS)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--execute", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.execute:
        try:
            execute(*given.execute)
        finally:
            usage = resource.getrusage(resource.RUSAGE_CHILDREN)
            print(usage.ru_utime + usage.ru_stime)
        return 0
    settings = [setting for setting in given.settings if here(setting)]
    work = [(page, s) for s in settings for page in given.pages if s != "two threads"]
    alone = [(page, s) for s in settings for page in given.pages if s == "two threads"]
    with ThreadPoolExecutor(given.jobs) as pool:
        results = list(pool.map(lambda job: run(*job), work))
    results += [run(*job) for job in alone]  # they keep two cores busy each
    found, broken = defaultdict(list), []
    for (page, setting), (records, error, _) in zip(work + alone, results):
        for record in records:
            found[page, record["name"]].append(record)
        broken += [f"{page}, {setting}:\n{error}"] if error else []
    lines, met = table(found)
    print(*lines, *broken, sep="\n")
    print(f"{sum(r[2] for r in results):.0f} s of CPU in all")
    return 0 if met and not broken else 1


if __name__ == "__main__":
    sys.exit(main())
