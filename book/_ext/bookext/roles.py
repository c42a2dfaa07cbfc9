"""Two roles: {cited}`2.454` and {run-time}`page`.

`cited` marks a figure that a lecture or a paper gives; every other figure in prose
is glued from the cell that measured it, and a test tells the two apart by this role.
`run-time` shows how long the cells of its own page took when they were executed, there
and on a badge under the title.
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
        places = list(self.document.findall(run_time))
        if not places:
            return
        pages = getattr(self.env, "nb_metadata", {})
        seconds = pages.get(self.env.docname, {}).get("exec_data", {}).get("runtime")
        if seconds is None:
            logger.warning(
                "run-time: no cell of this page is executed", location=places[0]
            )
        for node in places:
            node.replace_self(nodes.Text(duration(seconds or 0)))
        self.add_badge(duration(seconds or 0))

    def add_badge(self, time):
        """The time once more under the page's title, where one looks for it."""
        title = self.document.next_node(nodes.title)
        badge = f'<p class="run-time">Code ran in {time}</p>'
        title.parent.insert(
            title.parent.index(title) + 1, nodes.raw("", badge, format="html")
        )


def setup(app):
    app.add_node(run_time)
    app.add_role("cited", cited_role)
    app.add_role("run-time", run_time_role)
    app.add_post_transform(ShowRunTime)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
