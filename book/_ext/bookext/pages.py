"""What comes first in the book comes first in its lists: the pages in reading order."""


def in_order(env, page=None):
    """The names of all pages, in the order in which you read them."""
    page = page or env.config.root_doc
    yield page
    for below in env.toctree_includes.get(page, []):
        yield from in_order(env, below)
