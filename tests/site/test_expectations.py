"""A missed expectation: a note on the page, a list at the end, or no page at all."""

import pytest
from books import NOTEBOOK, build, write_book
from bs4 import BeautifulSoup

PAGE = f"""{NOTEBOOK}
# A page

```{{code-cell}} ipython3
print("seen")
```

```{{code-cell}} ipython3
:tags: [expect]

from myst_nb import glue

from charlm.book.expectations import expect

glue("x", 1.5, display=False)
expect("met", 1.5, 1, 2)
expect("missed", 2.5, 1, 2)
```

The number {{glue:text}}`x:.2f`.
"""
SAID = "missed: here 2.5, written for 1 to 2"


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    return write_book(tmp_path_factory.mktemp("book"), {"page": PAGE})


def test_the_page_is_made_with_a_note_at_its_place(book):
    status, log = build(book)
    assert status == 0, log
    assert log.rstrip().splitlines()[-1] == f"page.md, line 15: {SAID}"
    html = (book / "_build/html/page.html").read_text(encoding="utf-8")
    soup = BeautifulSoup(html, "html.parser")
    (note,) = soup.select(".expectation")
    assert note["data-expectation"] == SAID
    assert len(soup.select("div.cell")) == 1  # its cell shows no code
    assert "The number 1.50." in soup.get_text()
    assert "expect(" not in next(book.glob("_build/html/notebooks/*")).read_text()


def test_a_build_with_nothing_to_do_lists_it_again(book):
    status, log = build(book)
    assert status == 0 and SAID in log


def test_a_strict_build_fails(book, monkeypatch):
    monkeypatch.setenv("CHARLM_STRICT", "1")
    for _ in range(2):
        status, log = build(book)
        assert status != 0 and f"page.md:15: WARNING: expectation missed: {SAID}" in log
