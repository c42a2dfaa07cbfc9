"""Each downloaded notebook runs alone, in a fresh kernel, to the text that it shows."""

import asyncio
import os
import re
from concurrent.futures import ThreadPoolExecutor

import nbformat
import pytest
from books import ROOT, SITE
from nbclient import NotebookClient
from notebooks import runs

CHAPTERS = [
    path.stem
    for path in sorted((ROOT / "book").glob("*.md"))
    if runs(path.read_text(encoding="utf-8"))
]
ADDRESS = re.compile(r"\b0x[0-9a-f]+")


def texts(cell):
    """The text outputs of a cell; what it measures in time is left out."""
    if "timing" in cell.metadata.get("tags", []):
        return []
    plain = [
        o.text if o.output_type == "stream" else o.data.get("text/plain", "")
        for o in cell.outputs
    ]
    return ADDRESS.sub("0x", "".join(plain))


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def downloaded(name):
    return nbformat.read(SITE / "notebooks" / f"{name}.ipynb", as_version=4)


async def execute(name, folder, core):
    """The notebook, executed in a folder where nothing else is."""
    where = {"metadata": {"path": folder}}
    async with core:
        client = NotebookClient(downloaded(name), timeout=600, resources=where)
        return await client.async_execute()


async def execute_all(folder):
    core = asyncio.Semaphore(os.cpu_count())
    last_first = (execute(name, folder, core) for name in reversed(CHAPTERS))
    return await asyncio.gather(*last_first, return_exceptions=True)


@pytest.fixture(scope="module")
def executed(site, tmp_path_factory):
    """Chapter -> its notebook as executed here, or the error that stopped it."""
    everything = execute_all(tmp_path_factory.mktemp("alone"))
    with ThreadPoolExecutor(1) as pool:  # the browser's loop runs in this thread
        results = pool.submit(asyncio.run, everything).result()
    return dict(zip(reversed(CHAPTERS), results, strict=True))


@pytest.mark.parametrize("name", CHAPTERS)
def test_notebook_gives_the_same_text_again(executed, name):
    notebook = executed[name]
    if isinstance(notebook, Exception):
        raise notebook
    shown = code_cells(downloaded(name))
    for again, first in zip(code_cells(notebook), shown, strict=True):
        assert texts(again) == texts(first), again.source
