"""The sitemap lists all pages, and not only those that this build has written anew."""


def list_all(app, failed):
    """Fill the queue that `sphinx_sitemap` takes its links from, before it does."""
    links = getattr(app, "sitemap_links", None)  # none where that extension is not
    if links is None or failed:
        return
    while not links.empty():
        links.get()
    for page in sorted(app.env.found_docs):
        links.put((f"{page}.html", None))


def setup(app):
    app.connect("build-finished", list_all, priority=450)
