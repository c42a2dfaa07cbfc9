"""The module map of the built site is that of today's docstrings."""

import re

from bs4 import BeautifulSoup
from modules import first_lines


def words(text):
    return re.findall(r"\w+", text)


def test_the_map_is_not_older_than_the_modules(site):
    """If it is, an output comes from the execution cache: `make clean book`."""
    html = (site / "book" / "architecture.html").read_text(encoding="utf-8")
    rows = BeautifulSoup(html, "html.parser").select("article .cell_output tbody tr")
    shown = [words(row.get_text(" ")) for row in rows]
    assert sorted(shown) == sorted(words(f"{n} {line}") for n, line in first_lines())
