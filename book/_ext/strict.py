"""A build with a warning or a failed cell fails, and fails again until it is mended.

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

from failure import BuildFailed, Failure, full_text, last_lines
from fingerprint import CELL, OPTIONS
from sphinx.application import ENV_PICKLE_FILENAME
from sphinx.util.console import strip_escape_sequences
from sphinx.util.logging import WarningStreamHandler

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


def last_words(app, exception, warnings):
    """Write all that went wrong to a file, and return what the person should see."""
    failures = failures_of(app, exception) + [of_warning(app, w) for w in warnings]
    kind = "traceback" if any(failure.details for failure in failures) else "report"
    try:
        log_file(app).write_text(full_text(failures), encoding="utf-8")
        log = f"The full {kind} is in {os.path.relpath(log_file(app))}."
    except OSError as error:
        log = f"The full {kind} could not be written: {error.strerror}."
    return "\n" + last_lines(failures, log)


def failures_of(app, exception):
    if exception is None:
        return []
    if isinstance(exception, BuildFailed):
        return exception.failures
    cause = exception
    while cause.__cause__:
        cause = cause.__cause__
    env = getattr(app, "env", None)
    docname = env.temp_data.get("docname") if env else None  # the page that was read
    page = os.path.relpath(env.doc2path(docname), app.srcdir) if docname else ""
    error = f"{type(cause).__name__}: {cause}"
    return [
        Failure(page, None, "", error, details="".join(format_exception(exception)))
    ]


def of_warning(app, record):
    error = TAG.sub("", logging.LogRecord.getMessage(record))
    if missing := re.search(r"nonexisting document '(.+)'", error):
        path = Path(app.config.external_toc_path)
        rows = path.read_text(encoding="utf-8").splitlines()
        line = next((n for n, r in enumerate(rows, 1) if r.endswith(missing[1])), None)
    else:
        location = strip_escape_sequences(getattr(record, "location", None) or "")
        path, line = re.fullmatch(r"(.*?)(?::(\d+))?:*", location, re.S).groups()
        path, line = Path(path), line and int(line)
    page = os.path.relpath(path, app.srcdir) if path.is_absolute() else str(path)
    text = path.read_text(encoding="utf-8") if line and path.is_file() else ""
    return Failure(page, line, there(text, line), error)


def there(text, line):
    """The cell around a line of a page; else the line itself."""
    for cell in CELL.finditer(text):
        first = text.count("\n", 0, cell.start()) + 1
        if line and first <= line <= first + cell[0].count("\n"):
            return OPTIONS.sub("", cell[2])
    return "".join(text.splitlines()[line - 1 : line]) if line else ""


def stop(number, frame):
    sys.exit(f"\n{STOPPED}")


def setup(app):
    warnings = []
    for handler in logging.getLogger("sphinx").handlers:
        if isinstance(handler, WarningStreamHandler):
            handler.addFilter(lambda record: warnings.append(record) or True)

    def ended(app, exception):
        finish(app, exception, warnings)

    def failed(kind, error, trace):  # before the build began, in the set-up
        print(last_words(app, error.__cause__ or error, warnings), file=sys.stderr)

    app.connect("config-inited", begin)
    app.connect("build-finished", ended, priority=1000)
    sys.excepthook = failed
    signal.signal(signal.SIGINT, stop)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
