"""A downloaded notebook runs alone, in a fresh kernel, to the text that it shows.

A sample does, and what has changed since the commit before, up to a limit of time. The
others are slow: `make check SELECT=slow` executes them too.
"""

import asyncio
import builtins
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import gettempdir

import pytest
from books import ROOT
from downloads import CHAPTERS, downloaded
from jupyter_cache import get_cache
from nbclient import NotebookClient

SAMPLE = ["04_backprop", "data"]
LIMIT = 120  # seconds that the build took for the pages that have changed
BASE = os.environ.get("BASE", "HEAD~1")
ADDRESS = re.compile(r"\b0x[0-9a-f]+")
FOLDER = re.compile(rf"{re.escape(os.path.realpath(gettempdir()))}/\w+/")


def changed():
    """The chapters whose text is another than in the commit BASE, if git has it."""
    diff = ["git", "diff", "--name-only", BASE, "--", "book/*.md"]
    done = subprocess.run(diff, cwd=ROOT, capture_output=True, text=True)
    return {Path(line).stem for line in done.stdout.splitlines()} & set(CHAPTERS)


def seconds():
    """How long the build took to execute each chapter, where it has noted that."""
    cache = ROOT / "_build" / ".jupyter_cache"
    records = get_cache(cache).list_cache_records() if cache.exists() else []
    return {
        Path(record.uri).stem: record.data["execution_seconds"] for record in records
    }


def chosen(changed, seconds, limit=LIMIT):
    """The sample, and of what has changed the quickest, as many as the limit allows."""
    found = {*SAMPLE}
    for name in sorted(changed - found, key=lambda name: (seconds.get(name, 0), name)):
        limit -= seconds.get(name, 0)
        if limit >= 0:
            found.add(name)
    return found


AGAIN = chosen(changed(), seconds())
NOTEBOOKS = [
    pytest.param(name, marks=[pytest.mark.slow] * (name not in AGAIN))
    for name in CHAPTERS
]


def texts(cell):
    """The text outputs of a cell; what it measures in time is left out."""
    if "timing" in cell.metadata.get("tags", []):
        return []
    plain = "".join(map(plain_text, cell.outputs))
    return FOLDER.sub("", ADDRESS.sub("0x", plain))


def plain_text(output):
    if output.output_type == "stream":  # a page shows nothing of stderr
        text = output.text if output.name == "stdout" else ""
        return text.replace("\r\n", "\n")  # of a command in a terminal
    if output.output_type == "error":
        return f"{output.ename}: {output.evalue}"
    return output.data.get("text/plain", "")


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def executed(name, folder):
    """The notebook, executed in a folder where nothing else is."""
    where = {"metadata": {"path": folder}}
    client = NotebookClient(downloaded(name), timeout=600, resources=where)
    own = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    own["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), own["PATH"]])
    with ThreadPoolExecutor(1) as pool:  # the browser's loop may run in this thread
        return pool.submit(asyncio.run, client.async_execute(env=own)).result()


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook_gives_the_same_text_again(site, tmp_path, name):
    notebook = executed(name, tmp_path)
    shown = code_cells(downloaded(name))
    for again, first in zip(code_cells(notebook), shown, strict=True):
        assert texts(again) == texts(first), again.source


def test_what_is_executed_again():
    assert chosen({"a", "b", "c"}, {"a": 3, "b": 2, "c": 1}, 4) == {*SAMPLE, "b", "c"}
    assert set(SAMPLE) <= AGAIN <= set(CHAPTERS)


def test_no_cell_needs_what_another_notebook_or_a_removed_cell_defines(site):
    """In all notebooks, without executing them: each name is defined before."""
    ruff = [str(Path(sys.executable).with_name("ruff")), "check", "--isolated"]
    options = ["--select", "F821,F822,F823", "--target-version", "py311"]
    done = subprocess.run(
        [*ruff, *options, "--output-format", "json", site / "notebooks"],
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, 1), done.stderr
    found = [
        (Path(fault["filename"]).stem, fault["cell"], fault["message"])
        for fault in json.loads(done.stdout)
    ]
    assert [fault for fault in found if not wanted(*fault)] == []


def wanted(name, number, message):
    """Whether a cell shows this error on purpose, or has deleted a name of its own."""
    cell = downloaded(name).cells[number - 1]
    [missing] = re.findall(r"`(\w+)`", message)[:1]
    own = f"del {missing}" in cell.source and hasattr(builtins, missing)
    return own or "raises-exception" in cell.metadata.get("tags", [])
