"""A second execution of each chapter, from a fresh kernel, gives the same text."""

import asyncio
import os
import re

import pytest
from books import ROOT
from fingerprint import add_to_kernelspec, fingerprint
from jupyter_cache import get_cache
from myst_nb.core.read import is_myst_markdown_notebook, read_myst_markdown_notebook
from nbclient import NotebookClient

CHAPTERS = [
    path
    for path in sorted((ROOT / "book").glob("*.md"))
    if is_myst_markdown_notebook(path.read_text(encoding="utf-8"))
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


def read(path):
    text = path.read_text(encoding="utf-8")
    text = add_to_kernelspec(text, fingerprint(ROOT / "charlm", text))
    return read_myst_markdown_notebook(text, path=path)


async def execute(path, core):
    """The chapter, executed here and now."""
    where = {"metadata": {"path": path.parent}}
    async with core:
        client = NotebookClient(read(path), timeout=600, resources=where)
        return await client.async_execute()


async def execute_all():
    core = asyncio.Semaphore(os.cpu_count())
    return await asyncio.gather(
        *(execute(path, core) for path in reversed(CHAPTERS)), return_exceptions=True
    )


@pytest.fixture(scope="module")
def executed():
    """Chapter -> its second execution, or the error that stopped it."""
    return dict(zip(reversed(CHAPTERS), asyncio.run(execute_all()), strict=True))


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapter_gives_the_same_text_again(site, executed, path):
    notebook = executed[path]
    if isinstance(notebook, Exception):
        raise notebook
    cache = get_cache(ROOT / "_build" / ".jupyter_cache")
    try:
        built = cache.get_cache_bundle(cache.match_cache_notebook(read(path)).pk).nb
    except KeyError:
        pytest.fail("the site is older than this chapter: run `make book`")
    for again, first in zip(code_cells(notebook), code_cells(built), strict=True):
        assert texts(again) == texts(first), again.source
