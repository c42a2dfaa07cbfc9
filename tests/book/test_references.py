"""Each work in the bibliography is cited, and the papers where their ideas are used."""

import re
from pathlib import Path

import pytest
from pybtex.database import parse_file

BOOK = Path(__file__).parents[2] / "book"
WORKS = parse_file(BOOK / "references.bib").entries
CITED = {
    path.stem: {
        key.strip()
        for keys in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", path.read_text("utf-8"))
        for key in keys.split(",")
    }
    for path in BOOK.glob("*.md")
}
USED_IN = {
    "shannon1951": "01_bigrams",
    "bengio2003": "02_mlp",
    "loshchilov2017": "02_mlp",
    "glorot2010": "03_activations",
    "he2015": "03_activations",
    "ioffe2015": "03_activations",
    "oord2016wavenet": "05_wavenet",
}


def test_each_work_is_cited_and_each_citation_is_a_work():
    assert set.union(*CITED.values()) == set(WORKS)


def test_a_paper_is_cited_where_it_is_used():
    assert [w for w, chapter in USED_IN.items() if w not in CITED[chapter]] == []


@pytest.mark.parametrize("work", WORKS)
def test_a_work_says_who_when_and_where_to_find_it(work):
    fields = WORKS[work].fields
    assert WORKS[work].persons["author"] and {"title", "year"} <= fields.keys()
    assert WORKS[work].type == "book" or fields.keys() & {"doi", "url"}
    assert fields.get("url", "https://").startswith("https://")
    assert not fields.get("doi", "").startswith("http")


def test_no_work_stands_twice():
    titles = [
        re.sub(r"\W", "", work.fields["title"]).lower() for work in WORKS.values()
    ]
    assert len(titles) == len(set(titles))
