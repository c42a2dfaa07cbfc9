"""A page and its cells become a notebook; tests/site/test_notebooks.py reads all."""

import shutil
import subprocess
from pathlib import Path

import pytest
from bookext.markdown import Converter
from bookext.notebooks import assemble, code_cell, pin_binder, revision, runs
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_output

import charlm

PAGE = """<article><section id="a"><h1>A</h1><p>One.</p><div class="cell">x</div>
<section><h2>B</h2><p>Two.</p><div class="cell">y</div></section></section></article>"""


def notebook(*cells):
    article = BeautifulSoup(PAGE, "html.parser").article
    converter = Converter("https://example.org/a.html", Path("a.html"))
    return assemble(article, cells, converter, "https://example.org/repository")


def test_text_and_code_take_turns_as_on_the_page():
    x, y = new_code_cell("x"), new_code_cell("y", metadata={"tags": ["hide-input"]})
    made = notebook(x, y)
    first = made.cells[1].source
    assert "git+https://example.org/repository" in first
    folded = "*The next cell is folded: the code. Click on it to open it.*"
    expected = ["# A\n\nOne.", first, "x", "## B\n\nTwo.", folded, "y"]
    assert [cell.source for cell in made.cells] == expected
    assert len({cell.id for cell in made.cells}) == len(expected)


def git(folder, *arguments):
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    done = subprocess.run(
        ["git", *who, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_the_commit_that_is_built_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_SHA", "b" * 40)
    assert revision(tmp_path) == "b" * 40
    monkeypatch.delenv("GITHUB_SHA")
    assert revision(tmp_path) == f"v{charlm.__version__}"
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "one")
    assert revision(tmp_path) == git(tmp_path, "rev-parse", "HEAD")
    monkeypatch.setenv("PATH", "")
    assert revision(tmp_path) == f"v{charlm.__version__}"


def test_binder_installs_that_commit(tmp_path):
    front = Path(__file__).parents[2] / "book/front/binder/requirements.txt"
    file = tmp_path / "requirements.txt"
    shutil.copy(front, file)
    repository = "https://github.com/charlm-book/charlm"
    for commit in ("a" * 40, "b" * 40):  # an older build lies there already
        pin_binder(file, repository, f"{repository}@{commit}")
        lines = file.read_text().splitlines()
        assert lines[-1] == f"charlm @ git+{repository}@{commit}"
    assert lines[:-1] == front.read_text().splitlines()[:-1]
    pin_binder(tmp_path / "none", repository, "a")
    assert not (tmp_path / "none").exists()


def test_a_cell_that_the_page_does_not_show_is_a_fault():
    with pytest.raises(ValueError, match="fewer cells"):
        notebook(*map(new_code_cell, "xyz"))


@pytest.mark.parametrize(
    "tag, hidden",
    [
        ("hide-input", {"source_hidden": True}),
        ("hide-cell", {"source_hidden": True, "outputs_hidden": True}),
        ("timing", None),
    ],
)
def test_what_is_folded_on_the_page_is_folded_there(tag, hidden):
    made = code_cell(new_code_cell("x", metadata={"tags": [tag]}), 5)
    assert made.metadata.get("jupyter") == hidden and made.execution_count == 5
    assert made.metadata.get("tags") == (None if hidden else [tag])


def test_a_drawing_is_shown_where_nothing_was_run():
    cell = new_code_cell("x", metadata={"mystnb": {"image": {"alt": 'Say "a"'}}})
    cell.outputs = [new_output("display_data", {"image/svg+xml": "<svg/>"})]
    (output,) = code_cell(cell, 1).outputs
    assert list(output.data) == ["text/html"]
    assert output.data["text/html"].startswith(
        '<img alt="Say &quot;a&quot;" src="data:'
    )


def test_a_page_runs_if_it_has_cells_and_says_so():
    head = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n"
    cell = "```{code-cell}\n1\n```\n"
    assert runs(head + cell)
    assert not runs(head) and not runs(cell)
