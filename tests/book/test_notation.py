"""The glossary is linked from the chapters: each word where a reader first meets it."""

import re
from functools import cache
from pathlib import Path

import pytest

BOOK = Path(__file__).parents[2] / "book"
CHAPTERS = [*sorted(BOOK.glob("0*.md")), BOOK / "evaluation.md"]

NOTATION = (BOOK / "notation.md").read_text(encoding="utf-8")
GLOSSARY = NOTATION.partition(":::{glossary}\n")[2].partition(":::")[0]
ENTRIES = [re.findall(r"^\S.*$", entry, re.M) for entry in GLOSSARY.split("\n\n")]
WORDS = [word for entry in ENTRIES for word in entry]
ROLE = re.compile(r"\{term\}`(?:[^`<]*<)?([^`<>]+)>?`")
# Words of every day as well: where one stands first, it may mean nothing special.
EVERYDAY = {"Bit", "Dev", "Fused", "Gain", "Gate", "Step", "Test", "Train", "Unit"}


NOT_PROSE = re.compile(
    r"^(?P<fence>`{3,}).*?^(?P=fence)$"  # cells
    r"|^:::\{admonition\} (?:In this part|On this page).*?^:::$"
    r"|^#[^\n]*$|^\s*:[^\n]*$"  # headings, options of a directive
    r"|(?P<tick>`+)[^`]+(?P=tick)",  # code in a line
    re.M | re.S,
)


@cache
def prose(path):
    """The text of a page without cells, headings, code and the box at its start."""
    text = re.sub(r"\{[\w-]+\}`([^`]+)`", r"\1", path.read_text(encoding="utf-8"))
    return NOT_PROSE.sub("", text)


@cache
def linked(path):
    """The words, in lower case, that a page links to the glossary."""
    return {word.lower() for word in ROLE.findall(path.read_text(encoding="utf-8"))}


def test_the_glossary_is_in_alphabetical_order():
    heads = [entry[0].lower() for entry in ENTRIES]
    assert len(heads) > 50 and heads == sorted(heads)


def test_some_chapter_links_to_each_entry():
    somewhere = set().union(*map(linked, CHAPTERS))
    assert [e for e in ENTRIES if somewhere.isdisjoint(map(str.lower, e))] == []


def first_user(word):
    """The first chapter that uses a word, or None."""
    use = re.compile(rf"(?<![\w-]){re.escape(word)}s?(?![\w-])", re.I)
    return next((path for path in CHAPTERS if use.search(prose(path))), None)


def test_the_first_chapter_that_uses_a_word_links_it():
    first = {word: first_user(word) for word in WORDS if word not in EVERYDAY}
    assert [
        (word, path.name)
        for word, path in first.items()
        if path and word.lower() not in linked(path)
    ] == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_links_a_word_no_more_than_once(path):
    found = [w.lower() for w in ROLE.findall(path.read_text(encoding="utf-8"))]
    assert {word for word in found if found.count(word) > 2} == set()
