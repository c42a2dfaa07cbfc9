"""A good place to stop: `{pause} 90` before a section says what is left of 90 minutes.

The share is that of the words, prose and code, from there to the exercises.
"""

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

EXERCISES = "exercises"
STEP = 5  # minutes


class pause(nodes.General, nodes.Element):
    """A place between two sections, and the minutes of the whole page."""


class Pause(SphinxDirective):
    required_arguments = 1

    def run(self):
        return [pause(minutes=int(self.arguments[0]))]


def words(doctree):
    """(number of words, pause or None) of each text and pause before the exercises."""
    for node in doctree.findall():
        if isinstance(node, nodes.section) and EXERCISES in node["ids"]:
            return
        if isinstance(node, pause):
            yield 0, node
        elif isinstance(node, nodes.Text):
            yield len(node.split()), None


def fill(app, doctree, docname):
    read = list(words(doctree))
    whole, so_far = sum(number for number, _ in read), 0
    for number, place in read:
        so_far += number
        if place is not None:
            left = place["minutes"] * (1 - so_far / whole)
            about = max(STEP, STEP * round(left / STEP))
            text = f"A good place to stop: about {about} minutes remain."
            place.replace_self(nodes.paragraph("", text, classes=["pause"]))


def setup(app):
    app.add_node(pause)
    app.add_directive("pause", Pause)
    app.connect("doctree-resolved", fill)
