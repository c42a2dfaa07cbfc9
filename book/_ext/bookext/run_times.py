"""You know beforehand how long code runs: under a title, above a slow cell, in prose.

The role {run-time}`page` stands for the time of its own page's cells. All times are
those of the execution, also where the outputs come from the cache (see `execution`).
"""

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

logger = logging.getLogger(__name__)

SLOW = 5.0  # seconds


class run_time(nodes.Inline, nodes.TextElement):
    """Stands for the time until the page has been read."""


def run_time_role(name, rawtext, text, lineno, inliner, options=None, content=None):
    return [run_time(rawtext)], []


def duration(seconds):
    """A time as you would say it: "under 1 s", "12 s", "3 min"."""
    if seconds < 1:
        return "under 1 s"
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def line(style, text):
    return nodes.raw("", f'<p class="{style}">{text}</p>', format="html")


class ShowRunTimes(SphinxPostTransform):
    default_priority = 900  # after MyST-NB has folded cells, which it takes by place

    def run(self, **options):
        if places := list(self.document.findall(run_time)):
            time = duration(self.seconds_of_page(places[0]))
            for node in places:
                node.replace_self(nodes.Text(time))
            title = self.document.next_node(nodes.title)
            badge = line("run-time", f"Code ran in {time}")
            title.parent.insert(title.parent.index(title) + 1, badge)
        for cell, seconds in self.slow_cells():
            cell.insert(0, line("slow-cell", f"This cell ran for {duration(seconds)}."))

    def seconds_of_page(self, place):
        pages = getattr(self.env, "nb_metadata", {})
        seconds = pages.get(self.env.docname, {}).get("exec_data", {}).get("runtime")
        if seconds is None:
            logger.warning("run-time: no cell of this page is executed", location=place)
        return seconds or 0

    def slow_cells(self):
        """(cell, its time) of each cell that took long and shows its code."""
        language = self.env.metadata[self.env.docname].get("language_info", {})
        seconds = language.get("seconds", {})
        for cell in list(self.document.findall(nodes.container)):
            took = seconds.get(str(cell.get("cell_index")), 0)
            first = cell[0] if cell.children else cell
            if took >= SLOW and "cell_input" in first["classes"]:
                yield cell, took


def setup(app):
    app.add_node(run_time)
    app.add_role("run-time", run_time_role)
    app.add_post_transform(ShowRunTimes)
