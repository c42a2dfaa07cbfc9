"""A build with a warning or a failed cell fails, and fails again until it is mended.

Sphinx reports most warnings while it reads a page, and does not read an unchanged
page twice: a second run would pass. So each build leaves a mark that only a clean
end removes. The next build that finds the mark reads every page again; the executed
cells stay in the execution cache, so this costs seconds.
"""

from pathlib import Path

from sphinx.application import ENV_PICKLE_FILENAME
from sphinx.util import logging

logger = logging.getLogger(__name__)


def begin(app, config):
    mark = Path(app.doctreedir, "unfinished")
    if mark.exists():
        Path(app.doctreedir, ENV_PICKLE_FILENAME).unlink(missing_ok=True)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()


def finish(app, exception):
    if exception:
        return
    if app._warncount:
        app.statuscode = 1
        logger.error(
            "The build failed: %d warning(s) above, and a warning is an error here.",
            app._warncount,
        )
    else:
        Path(app.doctreedir, "unfinished").unlink(missing_ok=True)


def setup(app):
    app.connect("config-inited", begin)
    app.connect("build-finished", finish, priority=1000)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
