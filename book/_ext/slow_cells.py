"""A cell that took long says so above its code: "This cell ran for 12 s."

The execution cache keeps a page's total time only, and finds a page by all metadata of
its cells. So each cell's time, which nbclient can record there, moves to a field that
the cache gives back without looking at it: the description of the kernel's language.
"""

from datetime import datetime

from docutils import nodes
from jupyter_cache.executors.utils import single_nb_execution
from myst_nb.core.execute import cache
from roles import duration
from sphinx.transforms.post_transforms import SphinxPostTransform

SLOW = 5.0  # seconds


def execute(notebook, **options):
    """What MyST-NB calls to execute a page: the same, with the time of each cell."""
    result = single_nb_execution(notebook, record_timing=True, **options)
    seconds = {}
    for index, cell in enumerate(notebook.cells):
        times = cell.metadata.pop("execution", {})
        if {"iopub.execute_input", "shell.execute_reply"} <= set(times):
            begin, end = times["iopub.execute_input"], times["shell.execute_reply"]
            took = datetime.fromisoformat(end) - datetime.fromisoformat(begin)
            seconds[str(index)] = round(took.total_seconds(), 1)
    notebook.metadata.setdefault("language_info", {})["seconds"] = seconds
    return result


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
    cache.single_nb_execution = execute
    app.add_post_transform(TellSlowCells)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
