"""Entries of the reference: what autodoc makes, how types stand, where they lead."""

import re
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest
from bookext.reference import (
    BUILT,
    ELSEWHERE,
    USED,
    WRITTEN_OUT,
    all_places,
    autodoc,
    find_way,
    mend_types,
    names_met,
    split_entries,
)
from docutils import nodes

from charlm import backprop, evaluate, train, vocab
from charlm.book import plots


@pytest.mark.parametrize(
    "module, name, first, also",
    [
        (vocab, "BOUNDARY", ".. autodata:: charlm.vocab.BOUNDARY", []),
        (plots, "STYLE", ".. autodata:: charlm.book.plots.STYLE", ["no-value"]),
        (train, "fit", ".. autofunction:: charlm.train.fit", []),
        (train, "Step", ".. autoclass:: charlm.train.Step", ["members"]),
        (vocab, "InputError", ".. autoexception::", ["show-inheritance"]),
        (backprop, "Comparison", ".. autoclass::", ["exclude-members: name"]),
        (backprop, "Comparison", ".. autoclass::", ["special-members: __call__"]),
    ],
)
def test_each_kind_of_name_has_its_directive(module, name, first, also):
    head, *options = autodoc(module, name)
    assert head.startswith(first)
    assert all(f"   :{option}" in "\n".join(options) for option in also)
    assert not any(re.search(r": \w.*:$", option) for option in options)


@pytest.mark.parametrize(
    "what, arguments, result",
    [("function", "(n)", "int"), ("method", "(n)", "int"), ("class", "(n)", None)],
)
def test_a_result_stands_behind_the_arrow(what, arguments, result):
    """And is no longer there for autodoc to list it after the parameters."""
    types = {"n": f"{WRITTEN_OUT} | None", "return": "int"}
    app = SimpleNamespace(env=SimpleNamespace(temp_data={"annotations": {"f": types}}))
    assert mend_types(app, what, "f", len, {}, "(n)", None) == (arguments, result)
    assert types == {"n": "ArrayLike | None"}


def test_a_protocol_has_no_arguments():
    app = SimpleNamespace(env=SimpleNamespace(temp_data={}))
    signed = mend_types(app, "class", "", evaluate.Model, {}, "(*args)", None)
    assert signed == ("", None)


def cell(source, *tags):
    block = nodes.literal_block(source, source)
    box = nodes.container("", nodes.container("", block, classes=["cell_input"]))
    box[0].parent["classes"] = ["cell", *(f"tag_{tag}" for tag in tags)]
    return box


def section(title, *children):
    found = nodes.section("", nodes.title("", title), *children)
    found["ids"] = [title.lower()]
    return found


def places(*sections, is_chapter=True, package):
    page = section("Page", *sections)
    return names_met(page, package, is_chapter)


def test_a_name_is_built_where_it_is_imported_shown_or_made_by_hand(tmp_path):
    package = tmp_path / "tiny"
    shown = nodes.literal_block("def shown(): pass", "def shown(): pass")
    shown["source"] = str(package / "one.py")
    found = places(
        section("First", cell("def hand(): pass", "scratch"), cell("import os")),
        section("Second", cell("from tiny import one\nfrom tiny.one import a, hand")),
        section("Third", cell("one.b(a)\none.shown()"), nodes.container("", shown)),
        section("Exercises", section("1", cell("from tiny.one import late"))),
        package=package,
    )
    assert found[BUILT, "tiny.one.a"] == ("second", "Second")
    assert found[BUILT, "tiny.one.hand"] == ("first", "First")
    assert found[BUILT, "tiny.one.shown"] == found[USED, "tiny.one.b"]
    assert found[USED, "tiny.one.b"] == ("third", "Third")
    assert not any("late" in name for _, name in found)


def test_an_appendix_builds_only_what_it_shows(tmp_path):
    sections = section("First", cell("from tiny.one import a"))
    found = places(sections, is_chapter=False, package=tmp_path / "tiny")
    assert found == {(USED, "tiny.one.a"): ("first", "First")}


def test_a_cell_of_the_shell_leads_nowhere(tmp_path):
    text = section("First", cell("%%sh\nls from here"), cell("1 +"))
    assert places(text, package=tmp_path) == {}


def book(pages):
    """What Sphinx knows of a book: {page: {(word, name): (id, title)}}."""
    index = {"index": list(pages)}
    toc = nodes.reference("", "The title", anchorname="#contexts")
    return SimpleNamespace(
        config=SimpleNamespace(root_doc="index"),
        toctree_includes=index,
        metadata={"index": {}} | {page: {"met": met} for page, met in pages.items()},
        tocs={"book/02_mlp": nodes.bullet_list("", toc)},
    )


def test_a_name_that_is_built_in_other_words_leads_there():
    name, other = "charlm.data.windows", "charlm.data.batches"
    found = {(BUILT, name): ("why", "Why"), (USED, other): ("how", "How")}
    assert all_places(book({"book/02_mlp": found})) == {
        name: (BUILT, "book/02_mlp", "contexts", "The title"),
        other: (USED, "book/02_mlp", "how", "How"),
    }
    assert all_places(book({"book/02_mlp": {}})) == {}


@pytest.mark.parametrize("full", ELSEWHERE)
def test_the_exceptions_are_names_and_sections_of_the_book(full):
    module, _, name = full.rpartition(".")
    _, page, anchor = ELSEWHERE[full]
    text = (Path(__file__).parents[2] / f"{page}.md").read_text("utf-8")
    heads = [line.lstrip("# ") for line in text.splitlines() if line[:2] == "##"]
    assert hasattr(import_module(module), name)
    assert anchor in [nodes.make_id(head) for head in heads]


def test_a_neighbour_leads_to_a_chapter_and_nowhere_else():
    found = {
        "one.a": (BUILT, "book/02_mlp", "how", "How"),
        "one.b": (USED, "book/using", "five", "Five"),
    }
    assert find_way(found, "one.b", "one.b", "one.c") == found["one.b"]
    assert find_way(found, "one.c", "one.a", "one.c") == (
        "See",
        "book/02_mlp",
        "how",
        "How",
    )
    assert find_way(found, "one.c", "one.b", "one.c") is None
    assert find_way(found, "one.c", "one.c") is None


def test_a_parameter_s_text_is_no_type():
    lines = ["x : (B, T)", "    of ids", "**more : for torch", "a: b", "Raises : "]
    split_entries(None, "", "", None, {}, lines)
    assert lines == [
        *("x", "    (B, T)", "    of ids", "**more", "    for torch"),
        *("a: b", "Raises : "),
    ]
