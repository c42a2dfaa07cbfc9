"""Of the names that CHANGELOG calls changed, the old are gone and the new are there."""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CHANGES = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
NAME = re.compile(r"`(charlm(?:\.\w+)+)`")


def rows(head):
    """The two cells of each row of the table with this first head."""
    start = rf"^\| {head} before \| now \|\n\|---.*\n"
    (table,) = re.findall(start + r"((?:\|.*\n)+)", CHANGES, re.M)
    return re.findall(r"^\| (.+?) \| (.+?) \|$", table, re.M)


def is_module(name):
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def there(name):
    """Whether a dotted name is a module, or what one has, at any depth."""
    module, rest = name, list[str]()
    while not is_module(module):
        module, _, last = module.rpartition(".")
        rest.insert(0, last)
    thing: Any = importlib.import_module(module)
    for part in rest:
        thing = getattr(thing, part, None)
    return thing is not None


@pytest.mark.parametrize("head", ["module", "name"])
def test_what_was_is_gone_and_what_is_now_is_there(head):
    before = [name for old, _ in rows(head) for name in NAME.findall(old)]
    now = [name for _, new in rows(head) for name in NAME.findall(new)]
    assert len(before) == len(set(before)) > 12 and now
    stays = {"charlm.runs"}  # a file that has become a folder
    assert [name for name in before if there(name) and name not in stays] == []
    assert [name for name in now if not there(name)] == []


def test_the_other_names_it_tells_of_are_there():
    (new,) = re.findall(r"^New in the reference: (?:.+\n)+", CHANGES, re.M)
    assert [name for name in NAME.findall(new) if not there(name)] == []
