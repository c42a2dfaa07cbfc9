"""Pages show their text sooner: scripts wait for it, and fewer bytes come before it.

The theme has its icons twice: as fonts, and as a script of 1.5 MB that puts drawings in
the place of the fonts' letters. The fonts are enough. And Sphinx and the theme load
each script before the text; with `defer` they run after it, in the same order.
"""

import re
from pathlib import Path

FIRST = re.compile(
    r'<script[^>]* src="[^"]*/((?:documentation_options|quiet)\.js)[^"]*"></script>'
)
SCRIPT = re.compile(r"<script(?! defer)(?=[^>]* src=)")


def lighten(html, static):
    """The page with deferred scripts; two short ones that come first are inside it."""
    html = FIRST.sub(lambda m: f"<script>{(static / m[1]).read_text()}</script>", html)
    return SCRIPT.sub("<script defer", html)


def finish(app, exception):
    if exception or app.builder.format != "html":
        return
    static = Path(app.outdir, "_static")
    (static / "scripts" / "fontawesome.js").write_text("", encoding="utf-8")
    for page in Path(app.outdir).rglob("*.html"):
        if static not in page.parents:
            html = page.read_text(encoding="utf-8")
            page.write_text(lighten(html, static), encoding="utf-8")


def setup(app):
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
