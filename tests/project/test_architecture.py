"""The page on the repository's folders is true: its places exist, its map is whole."""

import re
from pathlib import Path

from chapters import code_cells
from modules import PLACE, first_lines

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "book" / "architecture.md").read_text(encoding="utf-8")
TOOL = re.compile(
    r"^(?:from|import) charlm\.runs|^```\{(?:reference|command-line)\} charlm\.runs",
    re.MULTILINE,
)


def test_each_place_that_it_names_is_there():
    places = set(PLACE.findall(PAGE))
    assert {"charlm/train.py", "tests/book/exercises/", "_toc.yml"} <= places
    assert [place for place in places if not any(ROOT.glob(place))] == []


def test_it_names_each_folder_of_the_tests():
    named = re.findall(r"`tests/(\w+)/", PAGE)
    folders = {path.parent for path in (ROOT / "tests").glob("*/*.py")}
    assert {folder.name for folder in folders} <= {*named, "tests"}


def test_the_pages_that_need_the_tool_are_named():
    """Who deletes the tool has to rewrite these pages, and no chapter."""
    answer = PAGE.partition("*What may I delete")[2].partition("\n## ")[0]
    pages = {
        path.name
        for path in (ROOT / "book").glob("*.md")
        if TOOL.search(path.read_text(encoding="utf-8"))
    }
    assert set(re.findall(r"\]\((\w+\.md)\)", answer)) == pages


def test_its_map_has_each_module_once():
    names: dict[str, object] = {}
    rows: list[str] = []
    for _, _, source in code_cells(PAGE):
        *lines, last = source.splitlines()
        exec("\n".join(lines), names)
        rows += eval(last, names).data.splitlines()[2:]
    assert sorted(rows) == sorted(f"| `{n}` | {line} |" for n, line in first_lines())
