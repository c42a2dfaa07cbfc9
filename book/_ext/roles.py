"""Two roles: {cited}`2.454` and {run-time}`page`.

`cited` marks a figure that a lecture or a paper gives; every other figure in prose
is glued from the cell that measured it, and a test tells the two apart by this role.
`run-time` shows how long the cells of its own page took when they were executed.
"""

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

logger = logging.getLogger(__name__)


class run_time(nodes.Inline, nodes.TextElement):
    """Stands for the time until the page has been read."""


def cited_role(name, rawtext, text, lineno, inliner, options=None, content=None):
    return [nodes.inline(rawtext, text, classes=["cited"])], []


def run_time_role(name, rawtext, text, lineno, inliner, options=None, content=None):
    return [run_time(rawtext)], []


def duration(seconds):
    """A time as one says it: "under 1 s", "12 s", "3 min"."""
    if seconds < 1:
        return "under 1 s"
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


class ShowRunTime(SphinxPostTransform):
    default_priority = 10

    def run(self):
        pages = getattr(self.env, "nb_metadata", {})
        seconds = pages.get(self.env.docname, {}).get("exec_data", {}).get("runtime")
        for node in list(self.document.findall(run_time)):
            if seconds is None:
                logger.warning(
                    "run-time: no cell of this page is executed", location=node
                )
            node.replace_self(nodes.Text(duration(seconds or 0)))


def setup(app):
    app.add_node(run_time)
    app.add_role("cited", cited_role)
    app.add_role("run-time", run_time_role)
    app.add_post_transform(ShowRunTime)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
