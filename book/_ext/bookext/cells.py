"""How a page is executed: each cell is timed, and the cell that fails is named.

Its kernel ends with the build, too, when the build is stopped in the middle of a cell.
"""

import re
from datetime import datetime
from threading import Event
from traceback import format_exception

from bookext.failure import Failure, one_line
from jupyter_cache.executors.utils import single_nb_execution
from jupyter_client import AsyncKernelManager
from myst_nb.core.execute import cache
from nbclient.exceptions import CellExecutionError, CellTimeoutError

COLOR = re.compile(r"\x1b\[[\d;]*m")
FILE = re.compile(r" \(\d+\.py, line \d+\)$")  # of a syntax error in a cell
IN_CELL = re.compile(r"Cell In\[\d+\], line (\d+)")

kernels = set()
stopped = Event()


class Kernel(AsyncKernelManager):
    """A kernel that can be found again, to be stopped."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        kernels.add(self)


class CellFailed(Exception):
    """A cell did not come to its end; the cause says why.

    Parameters
    ----------
    line : where the cell begins in the page; None if no cell had begun
    source : its source
    """

    def __init__(self, line=None, source=""):
        super().__init__(line, source)
        self.line = line
        self.source = source


def stop():
    """End all kernels now, in the middle of a cell, and begin no other cell."""
    stopped.set()
    for kernel in kernels.copy():
        if kernel.has_kernel and kernel.provisioner.process:
            kernel.provisioner.process.kill()


def execute(notebook, **options):
    """What MyST-NB calls to execute a page: the same, with the time of each cell."""
    cell_failed = CellFailed()

    def begin(cell, cell_index):
        nonlocal cell_failed
        line = notebook.metadata["source_map"][cell_index]
        cell_failed = CellFailed(line, cell.source)
        if stopped.is_set():
            raise cell_failed

    try:
        result = single_nb_execution(
            notebook,
            record_timing=True,
            on_cell_execute=begin,
            kernel_manager_class=Kernel,
            shutdown_kernel="immediate",
            **options,
        )
    except RuntimeError as error:  # of a kernel that died
        raise cell_failed from error
    if result.err:
        raise cell_failed from result.err
    notebook.metadata.setdefault("language_info", {})["seconds"] = seconds(notebook)
    return result


def seconds(notebook):
    """The run time of each cell, taken out of its metadata: {index: seconds}."""
    seconds = {}
    for index, cell in enumerate(notebook.cells):
        times = cell.metadata.pop("execution", {})
        if {"iopub.execute_input", "shell.execute_reply"} <= set(times):
            begin, end = times["iopub.execute_input"], times["shell.execute_reply"]
            took = datetime.fromisoformat(end) - datetime.fromisoformat(begin)
            seconds[str(index)] = round(took.total_seconds(), 1)
    return seconds


def failure(page, text, error):
    """What to say about the page of this text, whose execution raised an error."""
    details = COLOR.sub("", "".join(format_exception(error)))
    cause = error.__cause__ if isinstance(error, CellFailed) else error
    line, source = getattr(error, "line", None), getattr(error, "source", "")
    message = f"{type(cause).__name__}: {cause}"
    if isinstance(cause, CellTimeoutError):
        message = message.splitlines()[0]  # below it, there is the cell
    elif isinstance(cause, CellExecutionError):
        details = COLOR.sub("", str(cause))
        message = FILE.sub("", f"{cause.ename}: {cause.evalue}").removesuffix(": ")
        message = one_line(message, 120) + code_at_fault(text, error, details)
    return Failure(page, line, source, message, details=details)


def code_at_fault(text, failed, traceback):
    """The line of the cell where its error was raised, as " (line 9: a / b)"."""
    match = IN_CELL.search(traceback)
    lines = failed.source.splitlines()
    try:
        below = int(match[1]) - 1
        first = text.splitlines().index(lines[0], failed.line) + 1
        return f" (line {first + below}: {one_line(lines[below], 60)})"
    except (TypeError, ValueError, IndexError):  # of a magic command, or a loaded file
        return ""


def setup(app):
    cache.single_nb_execution = execute
    return {"parallel_read_safe": True, "parallel_write_safe": True}
