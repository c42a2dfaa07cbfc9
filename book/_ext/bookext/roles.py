"""Each number in prose is measured here or cited: {cited}`2.454` marks the latter.

Every other decimal is glued from the cell that measured it, and a test tells the two
apart by this role.
"""

from docutils import nodes


def cited(name, rawtext, text, lineno, inliner, options=None, content=None):
    return [nodes.inline(rawtext, text, classes=["cited"])], []


def setup(app):
    app.add_role("cited", cited)
