"""The notebooks that readers download, from the built site."""

import nbformat
from bookext.notebooks import runs
from books import ROOT, SITE

CHAPTERS = [
    path.stem
    for path in sorted((ROOT / "book").glob("*.md"))
    if runs(path.read_text(encoding="utf-8"))
]


def downloaded(name):
    return nbformat.read(SITE / "notebooks" / f"{name}.ipynb", as_version=4)
