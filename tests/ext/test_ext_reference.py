"""Entries of the reference: what autodoc makes, how types stand, where they lead."""

import re
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest
from bookext.elsewhere import BUILT, ELSEWHERE
from bookext.reference import (
    WRITTEN_OUT,
    all_places,
    autodoc,
    find_way,
    mend_types,
    sources_with,
    split_entries,
)
from bookext.used_names import USED, home, names_met
from docutils import nodes

from charlm import backprop, evaluate, vocab
from charlm.book import plots

train = import_module("charlm.train")  # the attribute of this name is the tool's


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


def places(*sections, package):
    return names_met(section("Page", *sections), package)


def test_a_name_is_built_where_it_is_shown_or_made_by_hand(tmp_path):
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
    assert found[USED, "tiny.one.a"] == ("second", "Second")
    assert (BUILT, "tiny.one.a") not in found
    assert found[BUILT, "tiny.one.hand"] == ("first", "First")
    assert found[BUILT, "tiny.one.shown"] == found[USED, "tiny.one.b"]
    assert found[USED, "tiny.one.b"] == ("third", "Third")
    assert not any("late" in name for _, name in found)


def test_twins_in_two_modules_are_told_apart(tmp_path):
    found = places(
        section("First", cell("from tiny import one\none.Layer()")),
        section("Second", cell("from tiny.two import Layer")),
        package=tmp_path / "tiny",
    )
    assert found[USED, "tiny.one.Layer"] == ("first", "First")
    assert found[USED, "tiny.two.Layer"] == ("second", "Second")


@pytest.mark.parametrize(
    "module, name, full",
    [
        ("charlm.runs", "train", "charlm.runs.trainer.train"),
        ("charlm.runs", "open_run", "charlm.runs.run.open_run"),
        ("charlm.vocab", "BOUNDARY", "charlm.vocab.BOUNDARY"),
        ("charlm", "layers", "charlm.layers"),
        ("tiny.one", "a", "tiny.one.a"),
    ],
)
def test_a_name_is_known_by_where_it_is_defined(module, name, full):
    assert home(module, name) == full


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
    assert all_places(book({"book/01_bigrams": {}})).keys() == {name}


@pytest.mark.parametrize("full", ELSEWHERE)
def test_the_exceptions_are_names_and_sections_of_the_book(full):
    module, _, name = full.rpartition(".")
    _, page, anchor, says = ELSEWHERE[full]
    text = (Path(__file__).parents[2] / f"{page}.md").read_text("utf-8")
    parts = re.split(r"^#+ (.+)$", text, flags=re.MULTILINE)
    sections = dict(zip(map(nodes.make_id, parts[1::2]), parts[2::2]))
    assert hasattr(import_module(module), name)
    assert says in sections[anchor]


def test_what_a_source_has_is_used_with_it():
    others = ["fit", "training_steps", "Step", "History", "Examples"]
    assert list(sources_with(train, "History", others)) == ["fit"]
    assert list(sources_with(train, "Step", others)) == ["training_steps"]
    assert list(sources_with(backprop, "compare", ["cross_entropy_backward"])) == []


def test_a_name_that_no_page_has_leads_to_a_chapter_that_uses_it_or_nowhere():
    found = {
        "one.a": (BUILT, "book/02_mlp", "how", "How"),
        "one.b": (USED, "book/using", "five", "Five"),
    }
    assert find_way(found, "one.b", "one.a") == found["one.b"]
    way = ("Used with a in", "book/02_mlp", "how", "How")
    assert find_way(found, "one.c", "one.b", "one.a") == way
    assert find_way(found, "one.c", "one.b") is None
    assert find_way(found, "one.c") is None


def test_a_parameter_s_text_is_no_type():
    lines = ["x : (B, T)", "    of ids", "**more : for torch", "a: b", "Raises : "]
    split_entries(None, "", "", None, {}, lines)
    assert lines == [
        *("x", "    (B, T)", "    of ids", "**more", "    for torch"),
        *("a: b", "Raises : "),
    ]
