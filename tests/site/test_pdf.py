"""The whole book as one PDF: contents, bookmarks, links, and the cover's link to it."""

import subprocess
import sys

import pytest
from books import ROOT, build, write_book

PAGES = {
    "index": "# Cover\n\n<!-- pdf -->\n",
    "one": """# Part 1: First

See [below](#same), [there](two.md#same), and [elsewhere](https://example.org/).

## Same

:::{dropdown} Hint 1
Folded away.
:::
""",
    "two": "# Second & last\n\n" + "A line.\n\n" * 60 + "## Same\n\nThe end.\n",
}


def make_pdf(book):
    command = [sys.executable, str(ROOT / "book" / "pdf.py")]
    return subprocess.run(command, cwd=book, capture_output=True, text=True)


@pytest.fixture(scope="module")
def book(tmp_path_factory, browser):
    pytest.importorskip("pypdf")
    book = write_book(tmp_path_factory.mktemp("book"), PAGES)
    status, log = build(book)
    assert status == 0, log
    done = make_pdf(book)
    assert done.returncode == 0, done.stderr
    return book


@pytest.fixture(scope="module")
def reader(book):
    from pypdf import PdfReader

    return PdfReader(book / "_build" / "html" / "charlm.pdf")


def text(reader, number):
    return " ".join(reader.pages[number - 1].extract_text().split())


def test_contents_name_the_sheets(reader):
    assert len(reader.pages) == 6
    assert "Character-Level Language Modeling" in text(reader, 1)
    assert "CC BY 4.0" in text(reader, 1)
    contents = text(reader, 2)
    assert "Part 1: First 3 Same 3 Second & last 4 Same" in contents
    (last,) = [n for n in (4, 5, 6) if "The end." in text(reader, n)]
    assert f"Same {last}" in contents.partition("last")[2]
    for number in range(2, 7):
        words = text(reader, number).split()
        assert str(number) in (words[0], words[-1])
    assert "Folded" not in text(reader, 3) and "Hint" not in text(reader, 3)


def test_bookmarks_lead_to_pages_and_sections(reader):
    first, below, second, [last] = reader.outline
    assert [first.title, second.title] == ["Part 1: First", "Second & last"]
    assert [item.title for item in (*below, last)] == ["Same", "Same"]
    number = reader.get_destination_page_number
    assert (number(first), number(second)) == (2, 3) and number(last) > 3


def test_links_stay_inside_where_they_can(reader):
    links = [link.get_object() for link in reader.pages[2]["/Annots"]]
    inside = [link["/Dest"].strip("/") for link in links if "/Dest" in link]
    assert inside == ["one--same", "two--same"]
    outside = [link["/A"]["/URI"] for link in links if "/A" in link]
    assert outside == ["https://example.org/"]


def test_the_cover_links_it_once(book):
    cover = book / "_build" / "html" / "index.html"
    before = cover.read_text(encoding="utf-8")
    assert before.count('href="charlm.pdf"') == 1
    assert make_pdf(book).returncode == 0
    assert cover.read_text(encoding="utf-8") == before
