"""Expectations of a page (`charlm.book.expectations`): where one was missed, a note.

A cell tagged `expect` shows no code. It shows nothing at all as long as its
expectations are met; a note takes its place where one is missed. The build ends with
the list of such places; with CHARLM_STRICT=1 each is a warning, so the build fails.
"""

import atexit
import os

from bs4 import BeautifulSoup
from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

logger = logging.getLogger(__name__)
TAG = "expect"
LAST_WORDS = """
On this machine some numbers came out differently from what the text was written for.
The pages are made all the same, and each says so at its place:"""


class PlaceNotes(SphinxTransform):
    """Put in place of each cell tagged `expect` its notes, mostly none."""

    default_priority = 10

    def apply(self):
        missed = []
        for cell in list(self.document.findall(nodes.container)):
            if TAG not in (cell.get("cell_metadata") or {}).get("tags", []):
                continue
            notes = [raw for raw in cell.findall(nodes.raw) if is_note(raw)]
            missed += [(cell.line, words) for note in notes for words in said(note)]
            place = cell.parent.index(cell)
            cell.parent[place : place + 1] = [note.deepcopy() for note in notes]
        misses(self.env)[self.env.docname] = missed


def is_note(raw):
    return "html" in raw.get("format", "") and "data-expectation" in raw.astext()


def said(note):
    """What a note says, each missed expectation as one line of text."""
    soup = BeautifulSoup(note.astext(), "html.parser")
    return [tag["data-expectation"] for tag in soup.select("[data-expectation]")]


def misses(env):
    """The missed expectations of all pages: {docname: [(line, text), ...]}."""
    if not hasattr(env, "missed_expectations"):
        env.missed_expectations = {}
    return env.missed_expectations


def tell(app, exception):
    if exception:
        return
    found = [
        (docname, line, text)
        for docname, missed in sorted(misses(app.env).items())
        for line, text in missed
    ]
    if os.environ.get("CHARLM_STRICT") == "1":
        for docname, line, text in found:
            logger.warning("expectation missed: %s", text, location=(docname, line))
    elif found:
        lines = [f"{docname}.md, line {line}: {text}" for docname, line, text in found]
        atexit.register(print, LAST_WORDS, *lines, sep="\n")  # the very last lines


def setup(app):
    app.add_transform(PlaceNotes)
    app.connect("build-finished", tell, priority=900)
    app.connect("env-purge-doc", lambda app, env, doc: misses(env).pop(doc, None))
    return {"parallel_read_safe": False, "parallel_write_safe": True}
