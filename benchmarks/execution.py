"""One page, executed from a fresh kernel in a process of its own, as the build does it.

    python benchmarks/execution.py PAGE PRELUDE

executes the cells of book/PAGE.md after the code PRELUDE, and prints the dev losses of
the models that it publishes, and the CPU seconds.
"""

import base64
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
    """Expectations, the end of a traceback or "", CPU seconds, losses of its models."""

    records: list[dict]
    error: str
    seconds: float
    losses: dict[str, float]


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
    said = done.stdout.splitlines()
    losses = json.loads(said[-2]) if said else {}
    seconds = float(said[-1]) if said else math.nan
    end = done.stderr.strip().splitlines()[-12:]
    return Execution(records, "\n".join(end * bool(done.returncode)), seconds, losses)


def execute(notebook):
    """Execute the cells; an error of a cell is raised."""
    nbclient.NotebookClient(
        notebook,
        timeout=LONGEST,
        kernel_name="python3",
        resources={"metadata": {"path": str(BOOK)}},
    ).execute()


def published(notebook):
    """{name: dev loss} of the models that the cells have published for the site."""
    found = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            for kind, content in output.get("data", {}).items():
                if kind.endswith("safetensors"):
                    raw = base64.b64decode(content)
                    end = 8 + int.from_bytes(raw[:8], "little")
                    notes = json.loads(raw[8:end])["__metadata__"]
                    name = output["metadata"]["scrapbook"]["name"]
                    found[name.removeprefix("model_")] = json.loads(notes["loss"])
    return found


if __name__ == "__main__":
    page, prelude = sys.argv[1:]
    notebook = jupytext.read(BOOK / f"{page}.md", fmt="md:myst")
    notebook.cells.insert(0, new_code_cell(prelude))
    try:
        execute(notebook)
    finally:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(json.dumps(published(notebook)))
        print(usage.ru_utime + usage.ru_stime)
