"""Living figures: the directive {living}, its data, and the models that pages read.

    ```{living} heat-map
    :data: heat_map
    What a reader sees where scripts are off: a picture and a sentence.
    ```

The script `living/<name>.js` takes the place of the content. Its data and the models
are outputs of the cells that computed them (`charlm.publish`), so they come from the
execution cache as all outputs do: data go into the page, models into files beside it.
"""

import base64
import json
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

logger = logging.getLogger(__name__)

JSON, MODEL = "text/x-json", "application/x-safetensors"


class living(nodes.General, nodes.Element):
    """A figure that a script takes over; its children are what stands there before."""


class Living(SphinxDirective):
    required_arguments = 1
    option_spec: ClassVar = {"data": directives.unchanged_required}
    has_content = True

    def run(self):
        self.assert_has_content()
        node = living(kind=self.arguments[0], data=self.options.get("data"))
        node["docname"] = self.env.docname
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


def visit(self, node):
    kind, data = node["kind"], ""
    if name := node["data"]:
        found = outputs(self.builder.app, node["docname"], JSON)
        if name in found:
            data = found[name].replace("<", r"\u003c")
        else:
            logger.warning("living: no cell publishes %r", name, location=node)
    self.body.append(
        f'<figure class="living" data-living="{kind}">'
        f'<script type="application/json">{data}</script>'
        '<div class="living-still">'
    )


def depart(self, node):
    self.body.append("</div></figure>")


def add_scripts(app, pagename, templatename, context, doctree):
    """Give a page the scripts of its own figures, and no others."""
    kinds = {node["kind"] for node in doctree.findall(living)} if doctree else set()
    for name in ["common", *sorted(kinds)] if kinds else []:
        app.add_js_file(f"living/{name}.js", loading_method="defer")


def write_models(app, exception):
    """Write each published model as a file; and as a script, for pages opened as files.

    A browser lets no page that was opened from a folder read the files beside it.
    """
    if exception or app.builder.format != "html":
        return
    folder = Path(app.outdir, "_static", "models")
    folder.mkdir(parents=True, exist_ok=True)
    for docname in app.env.found_docs:
        for name, text in outputs(app, docname, MODEL).items():
            (folder / f"{name}.safetensors").write_bytes(base64.b64decode(text))
            script = f"charlm.models[{json.dumps(name)}] = {json.dumps(text)}\n"
            (folder / f"{name}.js").write_text(script, encoding="utf-8")


def setup(app):
    app.add_node(living, html=(visit, depart))
    app.add_directive("living", Living)
    app.connect("html-page-context", add_scripts)
    app.connect("build-finished", write_models)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
