"""Diagrams are part of their page: its font, its colors, light and dark.

A figure of the class `diagram` is written into the page as it stands in its file. The
colors of the file, which it has when it is opened alone, become those of `tokens.css`.
"""

import re
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.writers.html5 import HTML5Translator

COLORS = {
    "#1d2026": "var(--ink)",
    "#50545e": "var(--soft)",
    "#656a74": "var(--faint)",
    "#8a8a86": "var(--edge)",
    "#d9d5cb": "var(--rule)",
    "#fbfaf7": "var(--paper)",
    "#1f5f9e": "var(--blue)",
    "#eaf1fa": "var(--wash)",
    "#cfe0f4": "var(--strong-wash)",
    "#a8480c": "var(--orange)",
    "#d4601a": "var(--dot)",
    "#fbe9dc": "var(--orange-wash)",
}
COLOR = re.compile("|".join(COLORS))
NAME = re.compile(r'(\bid="|url\(#|href="#)')


def drawing(path, alt, source):
    """The file as an element of a page; its ids begin with its name."""
    text = Path(path).read_text(encoding="utf-8")
    text = COLOR.sub(lambda found: COLORS[found[0]], text)
    text = NAME.sub(rf"\g<1>{Path(path).stem}-", text)
    start = (
        f'<svg class="diagram" role="img" aria-label="{escape(alt)}"'
        f' data-source="{escape(source)}"'
    )
    return text.strip().replace("<svg", start, 1)


def visit(self, node):
    if "diagram" not in node.get("classes", []):
        return HTML5Translator.visit_image(self, node)
    name = self.builder.images[node["uri"]]
    source = f"{self.builder.imgpath}/{name}"
    path = Path(self.builder.srcdir, node["uri"])
    self.body.append(drawing(path, node["alt"], source))
    raise nodes.SkipNode


def depart(self, node):
    HTML5Translator.depart_image(self, node)


def setup(app):
    app.add_node(nodes.image, override=True, html=(visit, depart))
