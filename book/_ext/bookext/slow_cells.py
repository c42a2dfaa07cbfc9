"""A cell that took long says so above its code: "This cell ran for 12 s."

The execution cache keeps a page's total time only, and finds a page by all metadata of
its cells. So `cells` moves each cell's time, which nbclient records there, to a field
that the cache gives back without looking at it: the description of the language.
"""

from docutils import nodes
from bookext.roles import duration
from sphinx.transforms.post_transforms import SphinxPostTransform

SLOW = 5.0  # seconds


class TellSlowCells(SphinxPostTransform):
    default_priority = 10

    def run(self):
        language = self.env.metadata[self.env.docname].get("language_info", {})
        seconds = language.get("seconds", {})
        for cell in list(self.document.findall(nodes.container)):
            took = seconds.get(str(cell.get("cell_index")), 0)
            first = cell[0] if cell.children else None
            if took < SLOW or "cell_input" not in (first or {}).get("classes", []):
                continue
            note = f'<p class="slow-cell">This cell ran for {duration(took)}.</p>'
            cell.insert(0, nodes.raw("", note, format="html"))


def setup(app):
    app.add_post_transform(TellSlowCells)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
