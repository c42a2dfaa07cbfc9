"""Each chapter is a notebook to download and to run: notebooks/<name>.ipynb.

The code cells and their outputs come from the execution cache, so a build that
executes nothing writes the same files; the text comes from the built page, where
every reference and every number is already in place. Cells tagged `remove-cell` or
`expect` serve the page alone and stay out: a notebook has to run without them. It
installs the commit that it was built from, and so does Binder.
"""

import os
import re
import subprocess
from base64 import b64encode
from html import escape
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

import nbformat
from bs4 import BeautifulSoup, Tag
from myst_nb.core.read import is_myst_markdown_notebook
from myst_nb.ext.glue import GLUE_PREFIX
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import charlm
from bookext.execution import executed
from bookext.markdown import NOT_TEXT, Converter, blocks

FIRST = """\
# Run this first: it installs the book's package, where that is missing.
from importlib.util import find_spec

if find_spec("charlm") is None:
    %pip install -q "charlm @ git+{repository}"

import torch

torch.set_num_threads(1)  # networks as small as these are faster on one thread\
"""
FOLDED = "*The next cell is folded: {what}. Click on it to open it.*"
GITHUB = "https://github.com/"
COLAB = "https://colab.research.google.com/github/"
BINDER = "https://mybinder.org/v2/gh/"
METADATA = {
    "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
    "language_info": {"name": "python"},
}


def revision(folder):
    """The commit that is built; where git is not asked, the release's tag."""
    try:
        done = subprocess.run(
            ["git", "-C", folder, "rev-parse", "HEAD"], capture_output=True, text=True
        )
        commit = done.stdout.strip() if done.returncode == 0 else ""
    except OSError:  # there is no git
        commit = ""
    return commit or os.environ.get("GITHUB_SHA") or f"v{charlm.__version__}"


def target(docname):
    return f"notebooks/{PurePosixPath(docname).name}.ipynb"


def chapters(app):
    """The pages that show code cells."""
    root = Path(app.srcdir)
    for docname in sorted(app.env.found_docs):
        path = root / f"{docname}.md"
        if path.is_file() and runs(path.read_text(encoding="utf-8")):
            yield docname


def runs(text):
    return is_myst_markdown_notebook(text) and "```{code-cell}" in text


def as_image(svg, alt):
    """A drawing as HTML: Jupyter shows no SVG of a notebook that it did not run."""
    data = b64encode(svg.encode()).decode()
    return f'<img alt="{escape(alt)}" src="data:image/svg+xml;base64,{data}">'


def outputs(cell):
    alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
    shown = [output for output in cell.outputs if not is_glue(output)]
    for output in shown:
        if "image/svg+xml" in output.get("data", {}):
            svg = output.data.pop("image/svg+xml")
            output.data["text/html"] = as_image(svg, alt)
    return shown


def is_glue(output):
    """Whether it is there for the prose alone: no page shows it at its place."""
    kinds = output.get("data", {})
    return bool(kinds) and all(kind.startswith(GLUE_PREFIX) for kind in kinds)


def code_cell(cell, count):
    tags = cell.metadata.get("tags", [])
    metadata: dict[str, Any] = {}
    if kept := [tag for tag in tags if "hide" not in tag]:
        metadata["tags"] = kept
    if "hide-cell" in tags:
        metadata["jupyter"] = {"source_hidden": True, "outputs_hidden": True}
    elif "hide-input" in tags:
        metadata["jupyter"] = {"source_hidden": True}
    new = new_code_cell(cell.source, metadata=metadata, execution_count=count)
    new.outputs = outputs(cell)
    for output in new.outputs:
        if "execution_count" in output:
            output.execution_count = count
    return new


def what_is_folded(cell):
    shown = cell.metadata.get("mystnb", {}).get("code_prompt_show", "the code")
    return re.sub(r"^Show ", "", shown)


def assemble(article, code, converter, repository):
    """The notebook of an article and of its code cells, which it shows in order."""
    for element in article.select(NOT_TEXT):
        element.decompose()
    code, cells = iter(code), []
    text: list[Tag] = []

    def finish_text():
        if text and (markdown := converter.convert_cell(text)):
            cells.append(new_markdown_cell(markdown))
        text.clear()

    for block in blocks(article):
        if "cell" in block.get("class", []):
            finish_text()
            cell, count = next(code), sum(c.cell_type == "code" for c in cells) + 2
            new = code_cell(cell, count)
            if "jupyter" in new.metadata:
                folded = FOLDED.format(what=what_is_folded(cell))
                cells.append(new_markdown_cell(folded))
            cells.append(new)
        else:
            if block.name in ("h1", "h2", "h3"):
                finish_text()
            text.append(block)
    finish_text()
    if next(code, None) is not None:
        raise ValueError("the page shows fewer cells than the chapter has")
    first = new_code_cell(FIRST.format(repository=repository), execution_count=1)
    cells.insert(1, first)
    for number, cell in enumerate(cells, 1):
        cell.id = f"cell-{number}"
    return new_notebook(cells=cells, metadata=METADATA)


def write(app, exception):
    if exception or app.builder.name != "html":
        return
    repository = app.config.html_theme_options["repository_url"]
    pinned = f"{repository}@{revision(app.srcdir)}"
    pin_binder(Path(app.outdir, "binder", "requirements.txt"), repository, pinned)
    for docname in chapters(app):
        page = Path(app.builder.get_outfilename(docname))
        file = Path(app.outdir, target(docname))
        is_newer = file.exists() and file.stat().st_mtime > page.stat().st_mtime
        if is_newer and f"git+{pinned}" in file.read_text(encoding="utf-8"):
            continue  # the page was not written again, and this is the same commit
        soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
        address = f"{app.config.html_baseurl}{app.builder.get_target_uri(docname)}"
        code = [
            cell
            for cell in executed(app, docname).cells
            if cell.cell_type == "code"
            and not {"remove-cell", "expect"} & set(cell.metadata.get("tags", []))
        ]
        notebook = assemble(
            soup.select_one("article.bd-article"),
            code,
            Converter(address, page),
            pinned,
        )
        file.parent.mkdir(exist_ok=True)
        nbformat.write(notebook, file)


def pin_binder(file, repository, pinned):
    """Let Binder install the commit: what it finds was copied from book/front/."""
    if file.exists():
        text = file.read_text(encoding="utf-8")
        text = re.sub(rf"git\+{re.escape(repository)}\b\S*", f"git+{pinned}", text)
        file.write_text(text, encoding="utf-8")


def add_links(app, pagename, templatename, context, doctree):
    """Put the ways to a chapter's notebook below its title."""
    if doctree is None or pagename not in set(chapters(app)):
        return
    file = target(pagename)
    place = app.config.html_theme_options["repository_url"].removeprefix(GITHUB)
    colab = f"{COLAB}{place}/blob/gh-pages/{file}"
    binder = f"{BINDER}{place}/gh-pages?labpath={quote(file, '')}"
    links = (
        f'<a href="{context["pathto"](file, 1)}" download>Download the notebook</a>'
        f'<a href="{colab}">Open in Colab</a>'
        f'<a href="{binder}">Open in Binder</a>'
    )
    nav = f'<nav class="notebook-links" aria-label="Notebook">{links}</nav>'
    context["body"] = context["body"].replace("</h1>", f"</h1>\n{nav}", 1)


def setup(app):
    app.connect("html-page-context", add_links)
    app.connect("build-finished", write, priority=600)
