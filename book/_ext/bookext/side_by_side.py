"""Outdated chapters are executed side by side, one on each core, before they are read.

MyST-NB executes a chapter when Sphinx reads it, one after the other. A chapter's small
networks keep one core busy, so this fills the execution cache on all cores first; each
chapter then finds its outputs there.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bookext import cells
from bookext.failure import BuildFailed
from bookext.fingerprint import add_to_kernelspec, fingerprint
from jupyter_cache import get_cache
from myst_nb.core.execute import create_client
from myst_nb.core.nb_to_tokens import nb_node_to_dict
from myst_nb.core.read import create_nb_reader
from sphinx.util import logging

logger = logging.getLogger(__name__)


class Logger(logging.SphinxLoggerAdapter):
    """Names the page in each message, as MyST-NB's own logger does."""

    def process(self, message, keywords):
        return super().process(message, {**self.extra, **keywords})


def source(app, docname):
    """A page, its path, and its text with the fingerprint."""
    path = app.env.doc2path(docname)
    text = Path(path).read_text(encoding="utf-8")
    root = Path(app.srcdir, app.config.fingerprint_package)
    return docname, path, add_to_kernelspec(text, fingerprint(root, text))


def execute(app, docname, path, text):
    """Bring the cache up to date with one page; return what failed, or None."""
    config = app.env.mystnb_config
    log = Logger(logger.logger, {"type": "mystnb", "location": docname})
    try:
        reader = create_nb_reader(path, app.env.myst_config, config, text)
        if reader is None:
            return None
        notebook = reader.read(text)
        overrides = nb_node_to_dict(notebook.metadata.get(config.metadata_key, {}))
        config = config.copy(**overrides)
        with create_client(notebook, path, config, log, reader.read_fmt):
            return None
    except Exception as error:
        return cells.failure(os.path.relpath(path, app.srcdir), text, error)


def read_ahead(app, env, docnames):
    if app.config.nb_execution_mode != "cache":
        return
    get_cache(env.mystnb_config.execution_cache_path).list_cache_records()  # creates it
    last_first = sorted(docnames, reverse=True)  # the last chapters take longest
    # Before the threads start: in some Pythons two of them cannot parse code at once.
    sources = [source(app, docname) for docname in last_first]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        pages = [pool.submit(execute, app, *page) for page in sources]
        try:
            results = [page.result() for page in reversed(pages)]
        except BaseException:  # Ctrl-C: what has not ended shall not go on
            pool.shutdown(wait=False, cancel_futures=True)
            cells.stop()
            raise
    if failures := [failure for failure in results if failure]:
        raise BuildFailed(failures)


def setup(app):
    app.connect("env-before-read-docs", read_ahead)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
