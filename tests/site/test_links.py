"""Every link inside the built site leads somewhere, to the very place that it names."""

from functools import cache
from urllib.parse import unquote, urldefrag

import pytest
from bs4 import BeautifulSoup
from visits import PAGES

HOME = "https://charlm-book.github.io/charlm/"
ROOT = "/charlm/"  # the page for lost readers is served below any folder
PLACES = {"a": "href", "link": "href", "img": "src", "script": "src", "iframe": "src"}


@cache
def soup(path):
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


@cache
def anchors(path):
    """The places in a page that a link can name."""
    page = soup(path)
    named = {tag["name"] for tag in page.find_all("a", attrs={"name": True})}
    return {tag["id"] for tag in page.find_all(id=True)} | named


def links(page):
    """All addresses that a page links to or loads."""
    return {
        tag[place]
        for name, place in PLACES.items()
        for tag in page.find_all(name, attrs={place: True})
    }


def fault(site, page, link):
    """What is wrong with a link, or None: also where it leads to another host."""
    address, anchor = urldefrag(link)
    if address.startswith(HOME):
        address = ROOT + address.removeprefix(HOME)
    if "://" in address or address.startswith(("data:", "mailto:", "javascript:")):
        return None
    address = unquote(address.partition("?")[0])
    if address.startswith(ROOT):
        path = site / address.removeprefix(ROOT)
    else:
        path = (page.parent / address).resolve() if address else page
    if path.is_dir():
        path = path / "index.html"
    if not path.is_file():
        return f"{link}: there is no such file"
    if anchor and path.suffix == ".html" and unquote(anchor) not in anchors(path):
        return f"{link}: there is no such place in the page"
    return None


@pytest.mark.parametrize("name", [*PAGES, "index.html"])
def test_each_link_inside_the_site_leads_somewhere(site, name):
    page = site.resolve() / name
    found = (fault(site.resolve(), page, link) for link in links(soup(page)))
    assert sorted(filter(None, found)) == []


def test_glossary_and_references_link_back(site):
    """Every entry names the page that explains the word, or cites the work."""
    for page, entries in {
        "notation": soup(site / "book" / "notation.html").select("dl.glossary dd"),
        "references": soup(site / "book" / "references.html").select(".citation"),
    }.items():
        assert entries, page
        without = [e.text for e in entries if not e.select("a.internal[href*='#']")]
        assert without == []


@pytest.mark.parametrize(
    "link, right",
    [
        ("b.html", True),
        ("#here", True),
        ("b.html#there", True),
        ("/charlm/a.html?q=1#here", True),
        (HOME + "b.html", True),
        ("https://elsewhere.org/absent", True),
        ("absent.html", False),
        ("#there", False),
        ("b.html#here", False),
        (HOME + "absent.html", False),
    ],
)
def test_fault_of_a_link_is_found(tmp_path, link, right):
    (tmp_path / "a.html").write_text('<p id="here"></p>')
    (tmp_path / "b.html").write_text('<a name="there"></a>')
    assert (fault(tmp_path, tmp_path / "a.html", link) is None) == right
