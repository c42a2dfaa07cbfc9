"""Links back lead to where a word is explained, and to the pages that cite a work."""

from collections import defaultdict
from types import SimpleNamespace

import pytest
from bookext.backlinks import add_links, explained, note_terms
from docutils import nodes
from sphinx import addnodes


@pytest.fixture
def env():
    """A book of a cover, two parts and a glossary; no page has been read."""
    titles = {"cover": "A book", "one": "Part 1: A", "two": "Part 2: B", "words": "W"}
    return SimpleNamespace(
        config=SimpleNamespace(root_doc="cover"),
        toctree_includes={"cover": ["one", "two", "words"]},
        titles={page: nodes.title("", title) for page, title in titles.items()},
        domaindata={},
        metadata=defaultdict(dict),
        docname="",
    )


def use(word):
    return addnodes.pending_xref("", nodes.Text(word), reftype="term", reftarget=word)


def read(env, page, *paragraphs):
    """Let a page of one section have been read."""
    env.docname = page
    section = nodes.section("", *paragraphs, ids=[f"in-{page}"])
    note_terms(SimpleNamespace(env=env), section)


def test_a_word_is_explained_where_it_first_stands_out_or_else_first(env):
    read(env, "two", nodes.paragraph("", "", nodes.strong("", "", use("loss"))))
    read(env, "one", nodes.paragraph("", "", use("Loss"), use("step")))
    assert explained(env) == {"loss": ("two", "in-two"), "step": ("one", "in-one")}
    read(env, "one", nodes.paragraph("", "", nodes.emphasis("", "", use("Loss"))))
    assert explained(env) == {"loss": ("one", "in-one")}


def test_an_entry_of_the_glossary_ends_with_the_place(env):
    read(env, "one", nodes.paragraph("", "", use("loss")))
    definition = nodes.definition("", nodes.paragraph("", "Less is better."))
    other = nodes.definition("", nodes.paragraph("", "Linked by no page."))
    items = [
        nodes.definition_list_item("", nodes.term("", "Loss"), definition),
        nodes.definition_list_item("", nodes.term("", "Step"), other),
    ]
    glossary = addnodes.glossary("", nodes.definition_list("", *items))
    builder = SimpleNamespace(get_relative_uri=lambda here, there: f"{there}.html")
    app = SimpleNamespace(env=env, config=env.config, builder=builder)
    add_links(app, nodes.section("", glossary), "words")
    assert definition.astext() == "Less is better. (Part 1)"
    assert definition.next_node(nodes.reference)["refuri"] == "one.html#in-one"
    assert other.astext() == "Linked by no page."
