"""A pasted message finds its entry: `search.js` is made a part of Sphinx's own search.

Sphinx appends a file to its search, a "scorer", and looks for it where the build was
started; here it is among the book's scripts, so that a new one is noticed.
"""

from pathlib import Path


def add_script(app, config):
    for folder in config.html_static_path:
        file = Path(app.confdir, folder, "search.js")
        if file.is_file():
            config.html_search_scorer = str(file)


def setup(app):
    app.connect("config-inited", add_script)
