"""The page for a wrong address finds its style and its links wherever it is shown.

A server shows it below an address of any depth, so its own links cannot be relative to
that. They are relative to a base: the site's place online, or the root of a server, or
the folder.
"""

import re
from pathlib import Path
from urllib.parse import urlsplit

BASE = """<base href="{0}"><script>
if (location.protocol === "file:") document.querySelector("base").href = "./"
else if (!location.pathname.startsWith("{0}")) document.querySelector("base").href = "/"
</script>"""


def with_base(html, root):
    if "<base" in html:
        return html  # the page was not written again
    html = re.sub(rf'((?:href|src)="){re.escape(root)}', r"\1", html)
    html = html.replace('href="#', 'href="404.html#')
    return html.replace("<head>", "<head>" + BASE.format(root), 1)


def write(app, exception):
    page = Path(app.outdir, "404.html")
    if exception or app.builder.name != "html" or not page.exists():
        return
    root = urlsplit(app.config.html_baseurl).path
    html = page.read_text(encoding="utf-8")
    page.write_text(with_base(html, root), encoding="utf-8")


def setup(app):
    app.connect("build-finished", write, priority=700)
