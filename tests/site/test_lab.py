"""`jupyter lab book/` opens the chapters, and one that it saves is still a chapter."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import jupytext
import pytest
from books import ROOT
from downloads import CHAPTERS
from jupytext.cli import jupytext as convert
from myst_nb.core.read import is_myst_markdown_notebook, read_myst_markdown_notebook

BIN = Path(sys.executable).parent
ADDRESS = re.compile(r"http://\S+?/(?=lab)")


def request(url, **content):
    method = "PUT" if content else "GET"
    data = json.dumps(content).encode() if content else None
    headers = {"Content-Type": "application/json", "Authorization": "token key"}
    with urlopen(Request(url, data, headers, method=method), timeout=30) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a JupyterLab set up as `make book` does, and its book folder."""
    home = tmp_path_factory.mktemp("home")
    book = home / "book"
    shutil.copytree(ROOT / "book", book)
    (line,) = re.findall(r"jupytext-config .*", (ROOT / "Makefile").read_text())
    settings = home / "etc" / "labconfig" / "default_setting_overrides.json"
    command, *arguments = line.replace("$(LAB)", str(settings)).split()
    subprocess.run([BIN / command, *arguments], check=True)
    (home / "tmp").mkdir()
    options = [
        "--no-browser",
        "--allow-root",
        "--port=0",
        "--IdentityProvider.token=key",
    ]
    place = {"HOME": str(home), "JUPYTER_CONFIG_PATH": str(home / "etc")}
    log = home / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [BIN / "jupyter-lab", book, *options],
            env=os.environ | place | {"JUPYTER_CONFIG_DIR": str(home / "config")},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield answering(log), book
    finally:
        server.terminate()
        server.wait()


def answering(log):
    """The address that the server's log gives, once the server answers there."""
    for _ in range(240):
        if found := ADDRESS.search(log.read_text()):
            url = found[0]
            try:
                request(url + "api")
                return url
            except URLError:
                pass
        time.sleep(0.25)
    pytest.fail(log.read_text())


def test_a_chapter_opens_as_a_notebook(lab):
    url, _ = lab
    settings = "lab/api/settings/@jupyterlab/docmanager-extension:plugin"
    viewers = request(url + settings)["schema"]["properties"]["defaultViewers"]
    assert viewers["default"]["markdown"] == "Jupytext Notebook"
    chapter = request(url + "api/contents/01_bigrams.md")
    assert chapter["type"] == "notebook" and len(chapter["content"]["cells"]) > 100


def test_a_chapter_that_it_saves_builds_as_before(lab):
    url, book = lab
    path = book / "03_activations.md"
    before = path.read_text(encoding="utf-8")
    chapter = request(url + "api/contents/03_activations.md")
    cells = chapter["content"]["cells"]
    cells[0]["source"] = cells[0]["source"].replace("# Part 3", "# Part three")
    saved = {"type": "notebook", "format": "json", "content": chapter["content"]}
    request(url + "api/contents/03_activations.md", **saved)
    after = path.read_text(encoding="utf-8")
    assert "# Part three" in after
    assert_same_chapter(before.replace("# Part 3", "# Part three"), after)


def assert_same_chapter(before, after):
    """Alike in text, in code, in options and in what makes the build execute it."""
    assert is_myst_markdown_notebook(after)
    first, again = map(read_myst_markdown_notebook, (before, after))
    assert again.metadata["kernelspec"] == first.metadata["kernelspec"]
    assert set(again.metadata) == set(first.metadata)
    assert len(again.cells) == len(first.cells)
    for one, other in zip(first.cells, again.cells):
        assert other.source.strip() == one.source.strip()
        assert stripped(other.metadata) == stripped(one.metadata)


def stripped(metadata):
    """The options of a cell, without spaces at the ends of texts."""
    return json.loads(re.sub(r'\s+"', '"', json.dumps(metadata, sort_keys=True)))


@pytest.mark.parametrize("name", CHAPTERS)
def test_jupytext_keeps_a_chapter(name, tmp_path):
    path = ROOT / "book" / f"{name}.md"
    text = path.read_text(encoding="utf-8")
    shutil.copy(path, tmp_path)
    shutil.copy(ROOT / "book" / "jupytext.toml", tmp_path)
    for form, end in [("ipynb", "md"), ("md:myst", "ipynb")]:
        assert convert(["--quiet", "--to", form, str(tmp_path / f"{name}.{end}")]) == 0
    assert_same_chapter(text, (tmp_path / f"{name}.md").read_text(encoding="utf-8"))
    notebook = jupytext.read(tmp_path / f"{name}.ipynb")
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(cells) == text.count("```{code-cell}")
