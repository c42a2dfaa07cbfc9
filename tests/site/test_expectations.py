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


FAILS = """
```{code-cell} ipython3
:tags: [raises-exception]
:raises: RAISES

CODE
```
"""


def test_a_cell_that_has_to_fail_fails_as_announced(tmp_path, monkeypatch):
    """It shows one line; a strict build fails at another error, and at none."""
    monkeypatch.setenv("CHARLM_STRICT", "1")

    def page(raises, code):
        cell = FAILS.replace("RAISES", raises).replace("CODE", code)
        return write_book(tmp_path, {"page": f"{NOTEBOOK}\n# A page\n{cell}"})

    status, log = build(page("division by zero", "def f():\n    1 / 0\n\n\nf()"))
    assert status == 0, log
    html = (tmp_path / "_build/html/page.html").read_text(encoding="utf-8")
    shown = BeautifulSoup(html, "html.parser").select_one(".output.traceback pre")
    assert shown and shown.text.strip() == "ZeroDivisionError: division by zero"
    notebook = (tmp_path / "_build/html/notebooks/page.ipynb").read_text()
    assert "ZeroDivisionError" in notebook and "def f" in notebook
    assert "Traceback" not in notebook
    for code, what in (("1 / 1", "it raises no error"), ("[][0]", "list index out")):
        status, log = build(page("division by zero", code))
        assert status != 0 and what in log and "should fail with" in log, log
        assert "What to do: make the cell fail in this way" in log
    monkeypatch.delenv("CHARLM_STRICT")
    status, log = build(page("division by zero", "1 / 1"))
    assert status == 0 and "it raises no error" in log.splitlines()[-1], log
    html = (tmp_path / "_build/html/page.html").read_text(encoding="utf-8")
    assert "On this machine it came out differently" in html
