"""No fault is published: a build with a warning or a failed cell fails, every time.

Its last lines say why (see `failure`), in place of tracebacks: those go to a file.

Sphinx reports most warnings while it reads a page, and does not read an unchanged
page twice: a second run would pass. So each build leaves a mark that only a clean
end removes. The next build that finds the mark reads every page again; the executed
cells stay in the execution cache, so this costs seconds.
"""

import logging
import os
import re
import signal
import sys
from pathlib import Path
from traceback import format_exception

from sphinx.application import ENV_PICKLE_FILENAME
from sphinx.util.logging import WarningStreamHandler

from bookext.failure import BuildFailed, Failure, full_text, last_lines
from bookext.fingerprint import CELL, OPTIONS

STOPPED = "The build was stopped: the next one keeps the pages that were executed."
TAG = re.compile(r" \[[\w.]+\]$")  # the kind of a warning, as Sphinx and MyST add it


def begin(app, config):
    mark = Path(app.doctreedir, "unfinished")
    if mark.exists():
        Path(app.doctreedir, ENV_PICKLE_FILENAME).unlink(missing_ok=True)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()


def finish(app, exception, warnings):
    """Leave with the last lines, which the interpreter prints at the very end."""
    if exception or warnings:
        sys.exit(last_words(app, exception, warnings))
    Path(app.doctreedir, "unfinished").unlink(missing_ok=True)
    log_file(app).unlink(missing_ok=True)


def log_file(app):
    return Path(app.outdir).parent / "failure.log"


def keep(app, text):
    """Write a text below _build; return the file."""
    path = log_file(app)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return inside(app, path)


def last_words(app, exception, warnings):
    """Write all that went wrong to a file, and return what the person should see."""
    failures = failures_of(app, exception) + [of_warning(app, w) for w in warnings]
    kind = "traceback" if any(failure.details for failure in failures) else "report"
    try:
        log = f"The full {kind} is in {keep(app, full_text(failures))}."
    except OSError as error:  # the disk is full
        log = f"The full {kind} could not be written: {error.strerror}."
    return "\n" + last_lines(failures, log)


def inside(app, path):
    """A path, or each path in a text, as seen from the book's folder."""
    return str(path).replace(f"{app.srcdir}{os.sep}", "")


def failures_of(app, exception):
    if exception is None:
        return []
    if isinstance(exception, BuildFailed):
        return exception.failures
    cause = exception
    while cause.__cause__:
        cause = cause.__cause__
    page = ""
    if (env := getattr(app, "env", None)) and (docname := env.temp_data.get("docname")):
        page = inside(app, env.doc2path(docname))  # which was being read
    error = inside(app, f"{type(cause).__name__}: {cause}")
    details = "".join(format_exception(exception))
    return [Failure(page, None, "", error, details=details)]


def of_warning(app, record):
    error = TAG.sub("", inside(app, logging.LogRecord.getMessage(record)))
    if missing := re.search(r"nonexisting document '(.+)'", error):
        path = app.config.external_toc_path
        rows = Path(path).read_text(encoding="utf-8").splitlines()
        line = next((n for n, r in enumerate(rows, 1) if r.endswith(missing[1])), None)
    else:
        location = (getattr(record, "location", None) or "").rstrip(":")
        path, _, number = location.rpartition(":")
        line = int(number) if number.isdecimal() else None
        path = path if line else location
    there = source_at(Path(path), line) if line and Path(path).is_file() else ""
    return Failure(inside(app, path), line, there, error)


def source_at(path, line):
    """The cell around a line of a page; else the line itself."""
    text = path.read_text(encoding="utf-8")
    for cell in CELL.finditer(text):
        first = text.count("\n", 0, cell.start()) + 1
        if first <= line <= first + cell[0].count("\n"):
            return OPTIONS.sub("", cell[2])
    return "".join(text.splitlines()[line - 1 : line])


def stop(number, frame):
    sys.exit(f"\n{STOPPED}")


def setup(app):
    warnings: list[logging.LogRecord] = []

    def keep_record(record):
        warnings.append(record)
        return True

    for handler in logging.getLogger("sphinx").handlers:
        if isinstance(handler, WarningStreamHandler):
            handler.addFilter(keep_record)

    def ended(app, exception):
        finish(app, exception, warnings)

    def failed(kind, error, trace):  # before the build began, in the set-up
        print(last_words(app, error.__cause__ or error, warnings), file=sys.stderr)

    app.connect("config-inited", begin)
    app.connect("build-finished", ended, priority=1000)
    sys.excepthook = failed
    signal.signal(signal.SIGINT, stop)
