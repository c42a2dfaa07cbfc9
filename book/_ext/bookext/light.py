"""Pages show their text sooner: scripts wait for it, and do not lay it out again.

The theme has its icons twice: as fonts, and as a script of 1.5 MB that puts drawings in
the place of the fonts' letters. The fonts are enough. Sphinx and the theme load each
script before the text; with `defer` they run after it, in the same order, and the page
knows from the start whether it is light or dark. And where the theme asks box after box
whether it scrolls, laying the page out for each, `access.js` hears it from the browser.
Figures below the first are drawn when the reader comes near, in a space kept for them.
Of a chapter's elements, every third only said that a name has the colour of text.
"""

import re
from pathlib import Path

FIRST = re.compile(
    r'<script[^>]* src="[^"]*/((?:documentation_options|quiet)\.js)[^"]*"></script>'
)
SCRIPT = re.compile(r"<script(?! defer)(?=[^>]* src=)")
STORED_THEME = 'localStorage.getItem("theme") || "auto"'
THEME = """({ light: "light", dark: "dark" })[localStorage.getItem("mode")] ||
      (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")"""
TAB_STOP = "e.tabIndex=e.scrollWidth>e.clientWidth||e.scrollHeight>e.clientHeight?0:-1"
PLAIN = re.compile(r'<span class="[npw]">([^<]*)</span>')  # name, punctuation, white
FIGURE = re.compile(r'<img (?!loading)(?=[^>]*src="[./]*_images/([^"]+\.svg)")')
SIZE = re.compile(r'<svg [^>]*?width="([\d.]+)(pt|)" height="([\d.]+)')
PIXELS = {"pt": 4 / 3, "": 1}


def patient(html, images):
    """The page with figures that load when they come near; the first does at once."""

    def sized(match):
        svg = (images / match[1]).read_text(encoding="utf-8")
        width, unit, height = SIZE.search(svg).groups()
        w, h = (round(float(side) * PIXELS[unit]) for side in (width, height))
        loading = "eager" if match.start() == first else "lazy"
        return f'<img loading="{loading}" width="{w}" height="{h}" '

    first = next((match.start() for match in FIGURE.finditer(html)), None)
    return FIGURE.sub(sized, html)


def lighten(html, static):
    """The page with deferred scripts; two short ones that come first are inside it."""
    html = FIRST.sub(lambda m: f"<script>{(static / m[1]).read_text()}</script>", html)
    html = PLAIN.sub(r"\1", html.replace(STORED_THEME, THEME))
    return SCRIPT.sub("<script defer", html)


def finish(app, exception):
    if exception or app.builder.format != "html":
        return
    static = Path(app.outdir, "_static")
    (static / "scripts" / "fontawesome.js").write_text("", encoding="utf-8")
    theme = static / "scripts" / "pydata-sphinx-theme.js"
    script = theme.read_text(encoding="utf-8")
    theme.write_text(script.replace(TAB_STOP, "0"), encoding="utf-8")
    for page in Path(app.outdir).rglob("*.html"):
        if static not in page.parents:
            html = page.read_text(encoding="utf-8")
            html = patient(lighten(html, static), static.parent / "_images")
            page.write_text(html, encoding="utf-8")


def setup(app):
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
