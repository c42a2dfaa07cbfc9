"""A build executes only what is outdated, and says which cell failed.

MyST-NB would execute an outdated chapter when Sphinx reads it, one after the other. A
chapter's small networks keep one core busy, so the chapters are executed before that,
side by side on all cores, into MyST-NB's own cache: there it finds the outputs when it
reads them. Stopping the build ends the kernels too, in the middle of a cell.

For that cache a page is another one when a cell gets a tag, or a caption. Then its
outputs are taken over, as long as the same would be executed.
"""

import os
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event
from time import monotonic
from traceback import format_exception
from typing import NamedTuple

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import single_nb_execution
from jupyter_client import AsyncKernelManager
from myst_nb.core.nb_to_tokens import nb_node_to_dict
from myst_nb.core.read import create_nb_reader
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from nbformat import NotebookNode
from sphinx.util import logging

from bookext.failure import BuildFailed, Failure, one_line
from bookext.fingerprint import with_fingerprint
from bookext.raises import cut_down

logger = logging.getLogger(__name__)

COLOR = re.compile(r"\x1b\[[\d;]*m")
FILE = re.compile(r" \(\d+\.py, line \d+\)$")  # of a syntax error in a cell
EXECUTION_TAGS = {"raises-exception", "skip-execution"}
IN_CELL = re.compile(r"Cell In\[\d+\], line (\d+)")

kernels: set[AsyncKernelManager] = set()
stopped = Event()


class Kernel(AsyncKernelManager):
    """A kernel that can be found again, to be stopped."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        kernels.add(self)


def stop():
    """End all kernels now, in the middle of a cell, and begin no other cell."""
    stopped.set()
    for kernel in kernels.copy():
        if process := getattr(kernel.provisioner, "process", None):
            process.kill()


class Page(NamedTuple):
    """A page as MyST-NB will read it; its notebook has no outputs yet."""

    name: str
    path: str
    text: str
    notebook: NotebookNode | None  # None for a page that is not executed


class Cell(NamedTuple):
    """The line of a page where a cell begins, and its source."""

    line: int | None = None  # None before the first
    source: str = ""


def read(app, docname):
    path = app.env.doc2path(docname)
    text = with_fingerprint(app, docname, Path(path).read_text(encoding="utf-8"))
    settings = app.env.myst_config, app.env.mystnb_config
    reader = create_nb_reader(path, *settings, text)
    return Page(docname, path, text, reader and reader.read(text))


def executed(app, docname):
    """The notebook of a page, with the outputs that the page shows."""
    cache = get_cache(app.env.mystnb_config.execution_cache_path)
    return cache.merge_match_into_notebook(read(app, docname).notebook)[1]


def execute(page, config):
    """Bring the cache up to date with one page; return what failed, or None."""
    place, began = Cell(), 0.0
    seconds: dict[str, float] = {}

    def begin(cell, cell_index):
        nonlocal place, began
        place = Cell(page.notebook.metadata["source_map"][cell_index], cell.source)
        began = monotonic()
        if stopped.is_set():
            raise RuntimeError("stopped")

    def end(cell, cell_index, execute_reply):
        seconds[str(cell_index)] = round(monotonic() - began, 1)

    try:
        own = nb_node_to_dict(page.notebook.metadata.get(config.metadata_key, {}))
        config = config.copy(**own)
        cache = get_cache(config.execution_cache_path)
        if config.execution_mode != "cache" or is_known(cache, page.notebook):
            return None
        if take_over(cache, page):
            return None
        result = single_nb_execution(
            page.notebook,
            cwd=str(Path(page.path).parent),
            timeout=config.execution_timeout,
            allow_errors=False,
            on_cell_execute=begin,
            on_cell_executed=end,
            kernel_manager_class=Kernel,
            shutdown_kernel="immediate",
        )
        if result.err:
            raise result.err
        keep(cache, page, result.time, seconds)
        message = "Executed notebook in %.2f seconds"
        logger.info(message, result.time, location=page.name)
    except Exception as error:  # of a cell, of a kernel that died, of a full disk
        return failure(page, place, error)
    return None


def is_known(cache, notebook):
    with suppress(KeyError):
        return bool(cache.match_cache_notebook(notebook))
    return False


def what_runs(notebook):
    """What decides over the outputs of a notebook."""
    return notebook.metadata.kernelspec, [
        (cell.source, EXECUTION_TAGS.intersection(cell.metadata.get("tags", ())))
        for cell in code_cells(notebook)
    ]


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def take_over(cache, page):
    """Keep the outputs of a page that only looked different; say if there are any."""
    notebook = page.notebook
    for record in cache.list_cache_records():
        if record.uri != page.path:
            continue
        with suppress(KeyError):
            found = cache.get_cache_bundle(record.pk).nb
            if what_runs(found) != what_runs(notebook):
                continue
            for cell, known in zip(code_cells(notebook), code_cells(found)):
                cell.outputs = known.outputs
            language = notebook.metadata.language_info = found.metadata.language_info
            keep(cache, page, record.data["execution_seconds"], language["seconds"])
            return True
    return False


def keep(cache, page, seconds, seconds_of_cells):
    """Put an executed notebook into the cache, as MyST-NB would."""
    for cell in code_cells(page.notebook):
        cell.outputs = joined(cell.outputs)
        for output in cell.outputs:
            if output["output_type"] == "error":  # of a cell that has to fail
                cut_down(output)
    # The cache gives this field back without looking at it, unlike those of a cell.
    language = page.notebook.metadata.setdefault("language_info", {})
    language["seconds"] = seconds_of_cells
    bundle = CacheBundleIn(
        page.notebook, page.path, data={"execution_seconds": seconds}
    )
    cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def joined(outputs):
    """A cell's outputs; the pieces in which a kernel sends one print are one again."""
    whole: list[NotebookNode] = []
    for output in outputs:
        last = whole[-1] if whole else {}
        if output["output_type"] == "stream" and output["name"] == last.get("name"):
            last["text"] += output["text"]
        else:
            whole.append(output)
    return whole


def failure(page, cell, error):
    """What to say about a page whose execution raised an error, in a cell or before."""
    details = COLOR.sub("", "".join(format_exception(error)))
    message = f"{type(error).__name__}: {error}"
    if isinstance(error, CellTimeoutError):
        message = message.splitlines()[0]  # the cell follows
    elif isinstance(error, CellExecutionError):
        details = COLOR.sub("", str(error))
        message = FILE.sub("", f"{error.ename}: {error.evalue}").removesuffix(": ")
        message = one_line(message, 120) + code_at_fault(page.text, cell, details)
    file = page.name + Path(page.path).suffix
    return Failure(file, cell.line, cell.source, message, details=details)


def code_at_fault(text, cell, traceback):
    """The line of the cell where its error was raised, as " (line 9: a / b)"."""
    match = IN_CELL.search(traceback)
    if match is None:  # a magic command, or a loaded file
        return ""
    lines, below = cell.source.splitlines(), int(match[1]) - 1
    try:
        first = text.splitlines().index(lines[0], cell.line) + 1
        return f" (line {first + below}: {one_line(lines[below], 60)})"
    except (ValueError, IndexError):
        return ""


def execute_outdated(app, env, docnames):
    config = env.mystnb_config
    if config.execution_mode != "cache":
        return
    get_cache(config.execution_cache_path).list_cache_records()  # creates it
    # The last chapters take longest. All are read before the threads start: in some
    # Pythons two threads cannot parse code at once.
    pages = [read(app, docname) for docname in sorted(docnames, reverse=True)]
    pages = [page for page in pages if page.notebook]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        running = [pool.submit(execute, page, config) for page in pages]
        try:
            results = [page.result() for page in reversed(running)]
        except BaseException:  # Ctrl-C: what has not ended shall not go on
            pool.shutdown(wait=False, cancel_futures=True)
            stop()
            raise
    if failures := [failure for failure in results if failure]:
        raise BuildFailed(failures)


def setup(app):
    os.environ.pop("MPLBACKEND", None)  # a kernel with one of its own shows no figure
    app.connect("env-before-read-docs", execute_outdated)
