"""The reference as a built page: entries, ways back, and the program's own words."""

import json
import re
from typing import Any

import pytest
from bookext.elsewhere import ELSEWHERE
from books import NOTEBOOK, build, write_book
from bs4 import BeautifulSoup
from visits import opened

from charlm.runs.cli import app

CHAPTER = f"""{NOTEBOOK}# Part 7: Sevens

## Seven at once

```{{code-cell}}
from tiny.one import seven
seven(7)
```
"""
ENTRY = f"""{NOTEBOOK}# The package

## `tiny.one`

```{{reference}} tiny.one
seven
eight
```

```{{code-cell}}
from tiny.one import eight
eight("a")
```
"""
COMMANDS = (
    "# The commands\n\n```{command-line} charlm.runs.cli\n```\n\n## After\n\nText.\n"
)
MODULE = '''
def seven(n: int) -> list[int]:
    """Return 7, n times, in one row: (n,). See `eight`."""
    return [7] * n


def eight(first_of_all_arguments: str, another_argument_that_is_long: int = 8) -> None:
    """Return nothing.

    Parameters
    ----------
    first_of_all_arguments
        Unused.
    another_argument_that_is_long
        Unused, too.

    Raises
    ------
    ValueError
        Never.
    """
'''


def read(folder):
    """The built pages by name."""
    files = (folder / "_build" / "html").glob("*.html")
    return {f.stem: BeautifulSoup(f.read_text(), "html.parser") for f in files}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The pages as built; after a section's new title, a new docstring, new code."""
    folder = tmp_path_factory.mktemp("reference")
    package = folder / "tiny"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "one.py").write_text(MODULE)
    texts = {"index": "# A\n\nB.\n", "7": CHAPTER, "api": ENTRY, "line": COMMANDS}
    book = write_book(folder, texts, package="tiny")
    edits = [
        (folder / "7.md", CHAPTER),
        (folder / "7.md", CHAPTER.replace("Seven at once", "Seven again")),
        (package / "one.py", MODULE.replace("Return 7", "Return seven")),
        (package / "one.py", MODULE.replace("[7] * n", "n * [7]")),
    ]
    built = []
    for file, text in edits:
        file.write_text(text)
        status, log = build(book)
        assert status == 0, log
        built.append(read(folder))
    return built


def words(element):
    return " ".join(element.get_text().split())


def test_an_entry_has_types_errors_and_a_way_back(pages):
    seven, eight = pages[0]["api"].select("dl.py")
    assert words(seven.dt).startswith("seven(n) → list[int]")
    assert seven.select_one("dd a.reference")["href"] == "#tiny.one.eight"
    assert "Raises : ValueError – Never." in eight.get_text(" ", strip=True)
    back = [words(entry.select_one(".way-back")) for entry in (seven, eight)]
    assert back == [
        "First used in Part 7, Seven at once",
        "Used with seven in Part 7, Seven at once",
    ]
    assert seven.select_one(".way-back a")["href"] == "7.html#seven-at-once"


def test_a_way_back_follows_its_section(pages):
    """The page of the reference is written again, though nothing in it changed."""
    link = pages[1]["api"].select_one(".way-back a")
    assert (words(link), link["href"]) == ("Part 7, Seven again", "7.html#seven-again")


def test_an_entry_follows_its_docstring(pages):
    assert [("Return seven" in words(page["api"])) for page in pages] == [0, 0, 1, 0]


def test_each_parameter_has_a_line_with_its_type(pages):
    lists = [entry.select("dd li") for entry in pages[0]["api"].select("dl.py")]
    assert words(pages[0]["api"].select("dl.py dd dd")[0]) == "n (int)"
    assert [words(item) for item in lists[1]] == [
        "first_of_all_arguments (str) – Unused.",
        "another_argument_that_is_long (int) – Unused, too.",
    ]


def test_names_in_cells_lead_to_their_entries(pages):
    """In each build, whether the page was read again, written again, or neither."""
    for built in pages:
        links = {
            name: [
                (words(link), link["href"])
                for link in built[name].select(".cell_input a")
            ]
            for name in ("7", "api")
        }
        assert links == {
            "7": [("seven", "api.html#tiny.one.seven")] * 2,
            "api": [("eight", "api.html#tiny.one.eight")] * 2,
        }


def ways_back(site):
    """(full name, the words of its way back, the section that it leads to)."""
    pages: dict[str, BeautifulSoup] = {}
    for path in sorted((site / "book").glob("api_*.html")):
        reference = BeautifulSoup(path.read_text("utf-8"), "html.parser")
        for link in reference.select(".way-back a"):
            line: Any = link.find_parent(class_="way-back")
            entry = line.find_parent("dl", class_="py").dt["id"]
            page, _, anchor = str(link["href"]).partition("#")
            if page not in pages:
                text = (site / "book" / page).read_text("utf-8")
                pages[page] = BeautifulSoup(text, "html.parser")
            yield entry, words(line), pages[page].find(id=anchor), pages[page]


def test_each_way_back_leads_to_that_very_name(site):
    """And not to a twin: the page imports it from its module, or shows its source."""
    faults = []
    for full, line, section, page in ways_back(site):
        module, _, name = full.rpartition(".")
        helper = re.match(r"Used with (\w+) in", line)
        wanted = helper[1] if helper else name
        code = page.select_one("article").get_text()
        parent, _, last = module.rpartition(".")
        twin = f"from {module} import|from {parent} import .*{last}|{module}"
        reexported = f"from {parent} import"
        if full in ELSEWHERE:
            continue  # tests/ext/test_ext_reference.py looks at its section
        if not re.search(rf"\b{wanted}\b", section.get_text()):
            faults.append((full, line))
        elif not re.search(f"{twin}|{reexported}", code):
            faults.append((full, "a twin"))
    assert faults == []


@pytest.mark.parametrize(
    "full, page",
    [
        ("charlm.layers.ReLU", "03_activations.html"),
        ("charlm.layers.Unflatten", "05_wavenet.html"),
        ("charlm.models.NeuralBigram", "01_bigrams.html"),
        ("charlm.models.BatchNorm1d", "05_wavenet.html"),
        ("charlm.layers.BatchNorm1d", "03_activations.html"),
        ("charlm.runs.run.open_run", "using.html"),
        ("charlm.runs.trainer.train", "using.html"),
    ],
)
def test_names_that_once_led_astray(site, full, page):
    titles = {name: found for name, _, _, found in ways_back(site)}
    shown = BeautifulSoup((site / "book" / page).read_text("utf-8"), "html.parser")
    assert titles[full].title == shown.title


def test_each_entry_of_code_links_to_its_source(site):
    """Offline too: the source is a page of the site, at the line of the name."""
    linked = 0
    for path in sorted((site / "book").glob("api_*.html")):
        page = BeautifulSoup(path.read_text("utf-8"), "html.parser")
        for entry in page.select("dl.py.function > dt, dl.py.class > dt"):
            (link,) = entry.select("a:has(.viewcode-link)")
            file, _, anchor = str(link["href"]).partition("#")
            source = BeautifulSoup((path.parent / file).read_text(), "html.parser")
            name = str(entry["id"]).rpartition(".")[2]
            at: Any = source.find(id=anchor)
            assert re.search(rf"(?:def|class)\s+{name}\b", at.get_text())
            linked += 1
    assert linked > 80


@pytest.mark.parametrize(
    "page, name, entry",
    [
        ("01_bigrams", "NGram", "api_words.html#charlm.counts.NGram"),
        ("02_mlp", "fit", "api_training.html#charlm.train.fit"),
        ("evaluation", "paired", "api_training.html#charlm.evaluate.paired"),
        ("using", "train", "api_runs.html#charlm.runs.trainer.train"),
        ("using", "NGram", "api_words.html#charlm.counts.NGram"),
    ],
)
def test_names_in_the_chapters_cells_lead_here(site, page, name, entry):
    text = (site / "book" / f"{page}.html").read_text("utf-8")
    links = BeautifulSoup(text, "html.parser").select(".cell_input a")
    found = {str(link["href"]) for link in links if words(link) == name}
    assert f"../book/{entry}" in found


def test_a_link_in_code_is_seen_and_keeps_the_code_s_color(browser, site):
    url = (site / "book" / "02_mlp.html").as_uri()
    style = "e => [getComputedStyle(e).color, getComputedStyle(e).textDecorationLine]"
    for scheme in ("light", "dark"):
        with opened(browser, url, scheme=scheme) as (page, _):
            link = page.locator("pre a.sphinx-codeautolink-a").first
            color, _ = page.locator("pre").first.evaluate(style)
            assert link.evaluate(style) == [color, "underline"]


def test_the_contents_list_the_entries(pages):
    contents = pages[0]["api"].select_one("nav.rail")
    assert [words(entry) for entry in contents.select(".rail-sections a")] == [
        "tiny.one",
        "seven()",
        "eight()",
    ]


def test_every_command_has_its_section(pages):
    page = pages[0]["line"].select_one("article")
    commands: list[Any] = app.registered_commands
    names = [command.name or command.callback.__name__ for command in commands]
    heads = ["The commands", "charlm", *(f"charlm {name}" for name in names), "After"]
    found = [words(head).rstrip("#").strip() for head in page.select("h1, h2, h3")]
    assert found == heads
    assert "--resume" in page.get_text() and "–resume" not in page.get_text()


def test_json_that_a_session_prints_is_json(site):
    page = BeautifulSoup(
        (site / "book" / "command_line.html").read_text(), "html.parser"
    )
    printed = [cell.get_text().strip() for cell in page.select(".cell_output pre")]
    found = [json.loads(text) for text in printed if text.startswith("{")]
    assert any("bits_per_char" in entry for entry in found)
