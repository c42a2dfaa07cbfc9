"""A number that misses its band is shown: in a note on the page, and by the build.

A page states the bands by `charlm.book.expectations`. A cell tagged `expect` shows no
code, and nothing at all as long as its expectations are met; a note takes its place
where one is missed. The build ends with the list of such places; with CHARLM_STRICT=1
each is a warning, so the build fails, but for times, which other programs disturb.
"""

import atexit
import os
import re
from html import unescape

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

logger = logging.getLogger(__name__)
TAG = "expect"
SAID = re.compile(r'data-(timed-)?expectation="([^"]*)"')
LAST_WORDS = """
On this machine some results came out differently from what the text was written for.
The pages are made all the same, and each says so at its place:"""


class PlaceNotes(SphinxTransform):
    """Put in place of each cell tagged `expect` its notes, mostly none."""

    default_priority = 10

    def apply(self):
        missed = []
        for cell in list(self.document.findall(nodes.container)):
            if TAG not in (cell.get("cell_metadata") or {}).get("tags", []):
                continue
            notes = []
            for output in cell.findall(nodes.raw):
                if said := SAID.findall(output.astext()):
                    missed += [
                        (cell.line, unescape(text), bool(timed)) for timed, text in said
                    ]
                    notes.append(output.deepcopy())
            place = cell.parent.index(cell)
            cell.parent[place : place + 1] = notes
        self.env.metadata[self.env.docname]["missed"] = missed


def tell(app, exception):
    if exception:
        return
    found = [
        (docname, *note)
        for docname, notes in sorted(app.env.metadata.items())
        for note in notes.get("missed", [])
    ]
    strict = os.environ.get("CHARLM_STRICT") == "1"
    for docname, line, text, timed in found:
        if strict and not timed:
            logger.warning("expectation missed: %s", text, location=(docname, line))
    lines = [
        f"{docname}.md, line {line}: {text}"
        for docname, line, text, timed in found
        if timed or not strict
    ]
    if lines:
        atexit.register(print, LAST_WORDS, *lines, sep="\n")  # the very last lines


def setup(app):
    app.add_transform(PlaceNotes)
    app.connect("build-finished", tell, priority=900)
