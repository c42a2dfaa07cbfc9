"""Figures to play with need no server: the directive {living} brings data and models.

    ```{living} heat-map
    :data: heat_map
    What a reader sees where scripts are off: a picture and a sentence.
    ```

    ```{living} playground
    :models: bigram wavenet
    :start: emm
    ```

The script `living/<name>.js` takes the place of the content. Data and models are the
outputs of the cells that computed them (`charlm.book.living`), so they come from the
execution cache as all outputs do: data go into the page, models into files beside it.
With `:models:` the data say which models to read: those named, or all of the book;
`:start:` is what the reader finds typed.
"""

import base64
import json
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.osutil import relative_uri

from bookext.pages import in_order

logger = logging.getLogger(__name__)

JSON, MODEL = "text/x-json", "application/x-safetensors"
FOLDER = "_static/models"
NEEDS = {  # the scripts that a kind needs before its own
    "attention": ["models"],
    "playground": ["models"],
    "deep-net": ["net"],
    "one-letter": ["models", "joins"],
    "receptive-field": ["joins"],
}


class living(nodes.General, nodes.Element):
    """A figure that a script takes over; its children are what stands there before."""


class Living(SphinxDirective):
    required_arguments = 1
    option_spec: ClassVar = {
        "data": directives.unchanged_required,
        "models": directives.unchanged,
        "start": directives.unchanged,
    }
    has_content = True

    def run(self):
        self.assert_has_content()
        node = living(kind=self.arguments[0], **self.options)
        node["docname"] = self.env.docname
        if self.options.get("models") == "":
            self.env.metadata[self.env.docname]["all_models"] = True
        self.set_source_info(node)
        self.state.nested_parse(self.content, self.content_offset, node)
        return [node]


def outputs(app, docname, mime):
    """{name: content} of what the cells of a page have glued with this type."""
    path = Path(app.outdir).parent / "jupyter_execute" / f"{docname}.glue.json"
    if not path.exists():
        return {}
    glued = json.loads(path.read_text(encoding="utf-8"))
    return {name: x["data"][mime] for name, x in glued.items() if mime in x["data"]}


def models(app):
    """{name: content} of the models of all pages, in the order of the book."""
    return {
        name.removeprefix("model_"): text
        for page in in_order(app.env)
        for name, text in outputs(app, page, MODEL).items()
    }


def data_of(app, node):
    """The text of what a figure's script is given, or nothing."""
    if name := node.get("data"):
        found = outputs(app, node["docname"], JSON)
        if name in found:
            return found[name]
        logger.warning("living: no cell publishes %r", name, location=node)
    elif "models" in node:
        known = models(app)
        names = node["models"].split() or list(known)
        for name in names:
            if name not in known:
                logger.warning("living: no cell publishes %r", name, location=node)
        here = app.builder.get_target_uri(node["docname"])
        folder, start = relative_uri(here, FOLDER), node.get("start", "")
        return json.dumps({"folder": folder, "models": names, "start": start})
    return ""


def visit(self, node):
    data = data_of(self.builder.app, node).replace("<", r"\u003c")
    self.body.append(
        f'<figure class="living" data-living="{node["kind"]}">'
        f'<script type="application/json">{data}</script>'
        '<div class="living-still">'
    )


def depart(self, node):
    self.body.append("</div></figure>")


def add_scripts(app, pagename, templatename, context, doctree):
    """Give a page the scripts and styles that its own figures need, and no others."""
    kinds = {node["kind"] for node in doctree.findall(living)} if doctree else set()
    needed = [name for kind in sorted(kinds) for name in [*NEEDS.get(kind, []), kind]]
    for name in dict.fromkeys(["common", *needed]) if kinds else []:
        app.add_js_file(f"living/{name}.js", loading_method="defer")
    if kinds:
        app.add_css_file("living.css", priority=900)  # after book.css


def write_models(app, exception):
    """Write each published model as a file; and as a script, for pages opened as files.

    A browser lets no page that was opened from a folder read the files beside it.
    """
    if exception or app.builder.format != "html":
        return
    folder = Path(app.outdir, FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in models(app).items():
        (folder / f"{name}.safetensors").write_bytes(base64.b64decode(text))
        script = f"charlm.models[{json.dumps(name)}] = {json.dumps(text)}\n"
        (folder / f"{name}.js").write_text(script, encoding="utf-8")


def outdated(app, env):
    """The pages that show all models: their list may have changed elsewhere."""
    return [name for name, notes in env.metadata.items() if "all_models" in notes]


def setup(app):
    app.add_node(living, html=(visit, depart))
    app.add_directive("living", Living)
    app.connect("env-updated", outdated)
    app.connect("html-page-context", add_scripts)
    app.connect("build-finished", write_models, priority=300)
