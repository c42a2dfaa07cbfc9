"""One page, executed from a fresh kernel in a process of its own, as the build does it.

    python benchmarks/execution.py PAGE PRELUDE

executes the cells of book/PAGE.md after the code PRELUDE, and prints the CPU seconds.
"""

import json
import math
import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbclient
from nbformat.v4 import new_code_cell

from charlm.book.expectations import RECORD

BOOK = Path(__file__).parents[1] / "book"
LONGEST = 3600  # seconds for a cell
CELL = "```{code-cell}"


def pages(having=CELL):
    """The names of the executed pages whose text has a certain piece in it."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in BOOK.glob("*.md")}
    return sorted(
        name for name, text in texts.items() if CELL in text and having in text
    )


@dataclass(frozen=True)
class Execution:
    """What came of it: expectations, the end of a traceback or "", CPU seconds."""

    records: list[dict]
    error: str
    seconds: float


def run(page, prelude="", **environment):
    """Execute a page on one thread, with more variables in its environment."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "record")
        file.touch()
        done = subprocess.run(
            [sys.executable, __file__, page, prelude],
            env={
                **os.environ,
                "OMP_NUM_THREADS": "1",
                "PYTHONHASHSEED": "0",
                RECORD: str(file),
                **environment,
            },
            capture_output=True,
            text=True,
        )
        records = [json.loads(line) for line in file.read_text().splitlines()]
    seconds = float(done.stdout.split()[-1]) if done.stdout else math.nan
    end = done.stderr.strip().splitlines()[-12:]
    return Execution(records, "\n".join(end) if done.returncode else "", seconds)


def execute(page, prelude):
    """Execute the page's cells after the prelude; an error of a cell is raised."""
    notebook = jupytext.read(BOOK / f"{page}.md", fmt="md:myst")
    notebook.cells.insert(0, new_code_cell(prelude))
    nbclient.NotebookClient(
        notebook,
        timeout=LONGEST,
        kernel_name="python3",
        resources={"metadata": {"path": str(BOOK)}},
    ).execute()


if __name__ == "__main__":
    try:
        execute(*sys.argv[1:])
    finally:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(usage.ru_utime + usage.ru_stime)
