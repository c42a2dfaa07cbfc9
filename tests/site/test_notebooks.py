"""The notebooks to download: clean, with their outputs, and the same in every build."""

import base64
import re
from contextlib import suppress
from urllib.parse import unquote, urldefrag

import nbformat
import pytest
import yaml
from books import NOTEBOOK, ROOT, SITE, build, write_book
from bs4 import BeautifulSoup
from downloads import CHAPTERS, downloaded

HOME = yaml.safe_load((ROOT / "_config.yml").read_text())["html"]["baseurl"]
FENCED = re.compile(r"^(`{3,}).*?^\1$", re.S | re.M)
MATH = re.compile(r"\$\$.*?\$\$|(?<!\\)\$[^$]+\$", re.S)
CODE = re.compile(r"(`+)[^`].*?\1|<code>[^<]*</code>", re.S)
PICTURE = re.compile(r"!\[.*?(?<!\\)\]\[(.+?)\]", re.S)
DEFINITION = re.compile(r"^\[(.+?)\]: data:image/([\w+]+);base64,(\S+)$", re.M)


@pytest.fixture(params=CHAPTERS)
def name(site, request):
    return request.param


@pytest.fixture
def notebook(name):
    notebook = downloaded(name)
    nbformat.validate(notebook)
    return notebook


def texts(notebook):
    return [c.source for c in notebook.cells if c.cell_type == "markdown"]


def code(notebook):
    return [c for c in notebook.cells if c.cell_type == "code"]


def test_its_text_is_plain_markdown(notebook):
    for text in texts(notebook):
        prose = DEFINITION.sub("", FENCED.sub("", text))
        prose = CODE.sub("", MATH.sub("", prose))
        assert (
            re.findall(r":::|\{[\w:+-]+\}|^:\w+:|</?(?!details|summary|em)\w+", prose)
            == []
        )
        assert "To play with" not in text or HOME in text


def test_it_says_all_that_the_page_says(notebook, name):
    """Words, in order: of the paragraphs, lists and tables outside code and math."""
    page = BeautifulSoup((SITE / "book" / f"{name}.html").read_text(), "html.parser")
    (article,) = page.select("article.bd-article")
    not_prose = (
        ".cell, .math, pre, code, .sig, script, svg, .headerlink, .notebook-links, img,"
        ".margin-note, .pause"
    )
    for element in article.select(not_prose):
        element.decompose()
    text = "\n\n".join(
        text for text in texts(notebook) if "next cell is folded" not in text
    )
    text = MATH.sub("", CODE.sub("", FENCED.sub("", DEFINITION.sub("", text))))
    text = re.sub(r"\]\(\S+?\)|!\[.*?(?<!\\)\]\[.+?\]|</?\w+>|\\", "", text, flags=re.S)
    text = re.sub(r"\*\[To play with.*?\*", "", text).replace("&lt;", "<")
    text = re.sub(r"^(?:\d|10|11)\. |^ *\|.*---.*$", "", text, flags=re.M)

    def words(text):
        return re.findall(r"[^\W_]+", text)

    assert words(text) == words(article.get_text(" "))


def test_its_pictures_are_in_it(notebook):
    for text in texts(notebook):
        found = {label: (kind, data) for label, kind, data in DEFINITION.findall(text)}
        assert set(PICTURE.findall(text)) == set(found)
        for kind, data in found.values():
            start = {"svg+xml": b"<svg", "png": b"\x89PNG"}[kind]
            assert start in base64.b64decode(data, validate=True)[:200]


def test_its_links_lead_somewhere(notebook):
    for text in texts(notebook):
        for link in re.findall(r"\]\((\S+?)\)", FENCED.sub("", text)):
            assert link.startswith("https://"), link
            path, anchor = urldefrag(link.removeprefix(HOME))
            if link.startswith(HOME):
                page = (SITE / path).read_text(encoding="utf-8")
                assert not anchor or f'id="{unquote(anchor)}"' in page, link


def test_its_first_code_installs_the_package_only_where_it_is_missing(notebook):
    first = code(notebook)[0].source
    assert 'if find_spec("charlm") is None:\n    %pip install' in first
    assert re.search(r"git\+https://\S+/charlm@(?:[0-9a-f]{40}|v[\d.]+)\"", first)
    assert first.count("%pip") == 1 and not code(notebook)[0].outputs


def test_it_has_the_page_s_cells_and_outputs(notebook, name):
    page = BeautifulSoup((SITE / "book" / f"{name}.html").read_text(), "html.parser")
    shown = [
        (source.get_text().strip(), bool(cell.select(".cell_output")))
        for cell in page.select("article div.cell")
        for source in cell.select(".cell_input pre")
    ]
    assert [(c.source.strip(), bool(c.outputs)) for c in code(notebook)[1:]] == shown
    counts = [c.execution_count for c in code(notebook)]
    assert counts == list(range(1, len(counts) + 1))


def test_its_figures_are_shown_without_being_run(notebook):
    """An untrusted notebook's SVG is not: so none is left, and each has its words."""
    kinds = [
        kind for c in code(notebook) for o in c.outputs for kind in o.get("data", {})
    ]
    assert "image/svg+xml" not in kinds
    html = [
        o.get("data", {}).get("text/html", "")
        for c in code(notebook)
        for o in c.outputs
    ]
    for image in re.findall(r"<img .*?>", "".join(html)):
        ((alt, data),) = re.findall(
            r'^<img alt="(.+?)" src="data:image/svg\+xml;base64,(\S+)">$', image
        )
        assert len(alt) > 30 and b"<svg" in base64.b64decode(data)


def test_nothing_of_the_build_is_left(notebook):
    text = "".join(cell.source + str(cell.metadata) for cell in notebook.cells)
    assert "glue" not in text and "remove-cell" not in text
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert set(notebook.metadata.kernelspec) == {"name", "display_name", "language"}


def test_solutions_are_folded(notebook):
    for before, cell in zip(notebook.cells, notebook.cells[1:]):
        folded = cell.metadata.get("jupyter", {}).get("source_hidden", False)
        assert folded == ("next cell is folded" in before.source)


def test_the_page_leads_to_it(site, name):
    page = BeautifulSoup((site / "book" / f"{name}.html").read_text(), "html.parser")
    links = page.select("nav.notebook-links a")
    here, colab, binder = (link["href"] for link in links)
    assert links[0].has_attr("download") and (site / "book" / here).is_file()
    place = f"charlm-book/charlm/blob/gh-pages/notebooks/{name}.ipynb"
    assert colab == f"https://colab.research.google.com/github/{place}"
    labpath = f"charlm-book/charlm/gh-pages?labpath=notebooks%2F{name}.ipynb"
    assert binder == f"https://mybinder.org/v2/gh/{labpath}"


def test_binder_gets_the_torch_of_the_lock(site):
    wanted = (site / "binder" / "requirements.txt").read_text().splitlines()
    lock = (ROOT / "requirements.txt").read_text().splitlines()
    assert next(line for line in wanted if line.startswith("torch==")) in lock


PAGE = f"""{NOTEBOOK}# A

```{{code-cell}}
:tags: [remove-cell]
from myst_nb import glue
glue("a", 2.5, display=False)
```

:::{{admonition}} Of $x$
:class: tip
It is {{glue:text}}`a:.2f`, see [the other](other.md).
:::

```{{code-cell}}
print("one")
import time
print("two", TIME)
```

```{{code-cell}}
:tags: [hide-cell]
import charlm
{{"x": charlm.__name__}}
```
"""


def test_a_build_from_the_cache_writes_the_same_file(tmp_path):
    page = PAGE.replace("TIME", "time.time()")  # another execution would tell
    folder = write_book(tmp_path, {"index": page, "other": "# B\n\nNothing.\n"})
    files = []
    for _ in range(2):
        status, log = build(folder)
        assert status == 0, log
        (path,) = (folder / "_build" / "html" / "notebooks").iterdir()
        files.append(path.read_bytes())
        for html in folder.glob("_build/html/*.html"):
            html.unlink()
        with suppress(FileNotFoundError):
            (folder / "_build" / ".doctrees" / "environment.pickle").unlink()
    assert files[0] == files[1]
    notebook = nbformat.read(path, as_version=4)
    kinds = [cell.cell_type[0] for cell in notebook.cells]
    assert "".join(kinds) == "mccmc"
    assert notebook.cells[0].source == (
        f"# A\n\n> **Of $x$**\n>\n> It is 2.50, see [the other]({HOME}other.html)."
    )
    (stream,) = notebook.cells[2].outputs
    assert stream.text.startswith("one\ntwo ")
    assert notebook.cells[4].outputs[0].data["text/plain"] == "{'x': 'charlm'}"
