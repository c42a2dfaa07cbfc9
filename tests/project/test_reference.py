"""Each public name has one entry in the reference, and the example below it uses it."""

import ast
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest
from bookext.fingerprint import CELL, cell_tree, cells
from sphinx.pycode import ModuleAnalyzer

import charlm

BOOK = Path(__file__).parents[2] / "book"
PAGES = {path.stem: path.read_text("utf-8") for path in sorted(BOOK.glob("api_*.md"))}
ENTRIES = re.compile(r"^```\{reference\} (\S+)\n(.*?)^```$", re.M | re.S)
# What the page "The package, name by name" says is left out, and why.
LEFT_OUT = re.compile(
    r"charlm\.(__main__|_formats|runs\.(cli|progress|picture|terminal|hints|backoff)"
    r"|book\.(expectations|glue|exercises\..*))"
)


def public_names():
    """The functions, classes and described constants of the public modules."""
    for found in pkgutil.walk_packages(charlm.__path__, "charlm."):
        if LEFT_OUT.fullmatch(found.name):
            continue
        module = importlib.import_module(found.name)
        for name, thing in vars(module).items():
            is_own = getattr(thing, "__module__", "") == found.name and name[0] != "_"
            if is_own and (inspect.isfunction(thing) or inspect.isclass(thing)):
                yield f"{found.name}.{name}"
        described = ModuleAnalyzer.for_module(found.name).find_attr_docs()
        yield from (f"{found.name}.{name}" for owner, name in described if not owner)


def entries(text):
    """(full name, the syntax tree of the code cell that follows) of each entry."""
    for match in ENTRIES.finditer(text):
        below = CELL.search(text, match.end())
        tree = cell_tree(cells(below[0])[0]) if below else ast.Module([], [])
        yield from ((f"{match[1]}.{name}", tree) for name in match[2].split())


ALL = [entry for text in PAGES.values() for entry in entries(text)]


def test_each_public_name_has_one_entry():
    assert sorted(name for name, _ in ALL) == sorted(set(public_names()))


def is_used(full, tree):
    """Whether code imports a name from its module, and then takes it at least once."""
    module, _, name = full.rpartition(".")
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == module
        for alias in node.names
    }
    taken = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return name in imported and name in taken


def test_the_example_below_an_entry_uses_it():
    assert [name for name, tree in ALL if not is_used(name, tree)] == []


@pytest.mark.parametrize(
    "code, found",
    [
        ("from a.b import c\nc()", True),
        ("from a.b import c", False),
        ("from a import b\nb.c()", False),
        ("c()", False),
    ],
)
def test_an_example_that_does_not_use_its_name_is_found(code, found):
    assert is_used("a.b.c", ast.parse(code)) == found


def test_the_first_page_names_every_page():
    overview = (BOOK / "api.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[\]\((api_\w+)\.md\) ", overview, re.M)
    assert sorted(rows) == sorted(PAGES)
