"""A page shows the style sheets, scripts and fonts of today, also in a warm build.

Sphinx copies static files only when it writes a page, and names each with a checksum
in every page. A setting that hashes the files makes it write the pages again.
"""

import hashlib
from pathlib import Path


def digest(folders):
    """The hash of the names and contents of all files in some folders."""
    total = hashlib.sha256()
    for folder in folders:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            total.update(file.relative_to(folder).as_posix().encode())
            total.update(file.read_bytes())
    return total.hexdigest()


def note(app, config):
    folders = [Path(app.confdir, folder) for folder in config.html_static_path]
    config.assets_digest = digest(folders)


def setup(app):
    app.add_config_value("assets_digest", "", "html", types=(str,))
    app.connect("config-inited", note)
