"""A measured number below zero gets a minus sign: many do not read a hyphen aloud.

Only decimals do, in text that is not code: they come from cells, whose format writes
hyphens.
"""

import re

from docutils import nodes

HYPHEN = re.compile(r"(?<![\w.\-–/])-(?=\d*\.\d)")
CODE = nodes.literal, nodes.math, nodes.FixedTextElement


def with_minus(app, doctree, page):
    for text in list(doctree.findall(nodes.Text)):
        if HYPHEN.search(text) and not isinstance(text.parent, CODE):
            text.parent.replace(text, nodes.Text(HYPHEN.sub("−", text)))


def setup(app):
    app.connect("doctree-resolved", with_minus)
