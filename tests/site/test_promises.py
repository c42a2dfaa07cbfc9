"""What the build promises, tried on tiny books."""

import textwrap

import pytest
from books import NOTEBOOK, build, write_book

BROKEN = {
    "reference": "# A\n\nSee {ref}`nowhere`.\n",
    "link": "# A\n\nSee [this](nowhere.md).\n",
    "formula": "# A\n\n$\\frac{1$\n",
    "command": "# A\n\n$$\\nothing$$\n",
    "value": NOTEBOOK + "# A\n\n{glue:text}`x`\n",
}


def test_each_fault_is_told_in_every_build(tmp_path):
    """And a mended page is told no more, until the last of them lets the build pass."""
    book = write_book(tmp_path, {"index": "# A\n", **BROKEN})
    left = [*BROKEN]
    for mended in ([], ["reference", "formula"], left):
        for name in mended:
            (book / f"{name}.md").write_text("# A\n\nMended.\n")
        left = [name for name in left if name not in mended]
        status, log = build(book)
        assert (status != 0) == bool(left), log
        assert [name for name in BROKEN if f"{name}.md:" in log] == left, log


def test_a_cell_that_raises_fails_every_build(tmp_path):
    book = write_book(
        tmp_path, {"index": NOTEBOOK + "# A\n\n```{code-cell}\n1 / 0\n```\n"}
    )
    for _ in range(2):
        status, log = build(book)
        assert status != 0 and "ZeroDivisionError" in log, log
    write_book(tmp_path, {"index": "# A\n\nMended.\n"})
    status, log = build(book)
    assert status == 0, log


def test_a_page_may_write_a_file_that_it_names(tmp_path):
    """It is executed once, though the file was not there before."""
    cell = "```{code-cell}\nwith open('made.txt', 'a') as f:\n    f.write('1')\n```\n"
    status, log = build(write_book(tmp_path, {"index": NOTEBOOK + "# A\n\n" + cell}))
    assert status == 0, log
    assert (tmp_path / "made.txt").read_text() == "1"


def test_a_figure_is_shown_whatever_backend_the_reader_prefers(tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    cell = "```{code-cell}\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]);\n```\n"
    status, log = build(write_book(tmp_path, {"index": NOTEBOOK + "# A\n\n" + cell}))
    assert status == 0, log
    assert list((tmp_path / "_build" / "html" / "_images").iterdir())


def chapter(name):
    return NOTEBOOK + f"# {name}\n\n```{{code-cell}}\nfrom tiny import {name}\n```\n"


@pytest.fixture
def book(tmp_path):
    package = tmp_path / "tiny"
    package.mkdir()
    sources = {
        "__init__.py": "",
        "base.py": "def f():\n    'Doc.'\n    return 1\n",
        "one.py": "from .base import f\n",
        "two.py": "from pathlib import Path\nD = Path(__file__).with_name('d.txt')\n",
        "d.txt": "data",
    }
    for name, text in sources.items():
        (package / name).write_text(text)
    pages = {"index": chapter("one"), "second": chapter("two")}
    return write_book(tmp_path, pages, package="tiny")


def executed(book):
    status, log = build(book)
    assert status == 0, log
    return {n for n in ("index", "second") if f"{n}.md: Executed notebook" in log}


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_only_the_chapters_that_use_what_changed_execute_again(book):
    assert executed(book) == {"index", "second"}
    edit(
        book / "index.md",
        "# one",
        textwrap.dedent("""\
        # One

        Prose."""),
    )
    edit(book / "tiny" / "base.py", "Doc.", "Better.")
    assert executed(book) == set()
    edit(book / "tiny" / "base.py", "return 1", "return 2")
    assert executed(book) == {"index"}
    edit(book / "tiny" / "d.txt", "data", "more")
    assert executed(book) == {"second"}
    edit(book / "tiny" / "base.py", "return 2", "return 1")
    assert executed(book) == set(), "an earlier state is still in the cache"


def test_data_beside_a_page_executes_it_again_and_a_tag_does_not(book):
    page, data = book / "second.md", book / "beside.csv"
    data.write_text("7 + 7")
    edit(page, "import two", "import two\nprint(eval(open('beside.csv').read()))")
    assert executed(book) == {"index", "second"}
    data.write_text("7 + 8")
    assert executed(book) == {"second"}
    edit(page, "{code-cell}\n", "{code-cell}\n:tags: [hide-input]\n\n")
    assert executed(book) == set()
    html = (book / "_build" / "html" / "second.html").read_text()
    assert "tag_hide-input" in html and ">15\n" in html


def test_outdated_chapters_execute_side_by_side(tmp_path):
    """Each of the two waits until the other has begun: one alone would never end."""
    meet = """# A

```{{code-cell}}
from pathlib import Path
from time import monotonic, sleep
Path("{0}").touch()
end = monotonic() + 60
while not Path("{1}").exists():
    assert monotonic() < end, "the other page does not run"
    sleep(0.1)
```
"""
    pages = {"index": meet.format("one", "two"), "b": meet.format("two", "one")}
    pages = {name: NOTEBOOK + text for name, text in pages.items()}
    status, log = build(write_book(tmp_path, pages))
    assert status == 0, log
