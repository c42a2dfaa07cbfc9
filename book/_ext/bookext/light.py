"""You can read a page before all of it has come: what its text does not need waits.

Scripts run after the text, and only those that it has use for. Figures below the first
are drawn when you come near, in a space that is kept for them. And the theme has its
icons twice, as fonts and as a script of 1.5 MB that puts drawings in the place of the
fonts' letters: the fonts are enough. And after each change of a page it measures every
box with code, which lays out the page again and again; access.js does that once.
"""

import re
from pathlib import Path

from sphinx.util import logging

logger = logging.getLogger(__name__)

# What a page does without where its text has no such piece.
ONLY_WITH = {
    "katex.min.css": "katex",
    "copybutton.css": "highlight",
    "copybutton.js": "highlight",
    "clipboard.min.js": "highlight",
    "design-tabs.js": "sd-tab",
    "mystnb.css": "cell",
    "quiz.js": "quiz",
    "sphinx-design.min.css": "sd-",
    "togglebutton.css": "toggle",
    "togglebutton.js": "toggle",
}
AT_ONCE = {"documentation_options.js"}  # what scripts inside of pages use
FIGURE = re.compile(r'<img (?!loading)(?=[^>]*src="[./]*_images/([^"]+\.svg)")')
SIZE = re.compile(r'<svg [^>]*?width="([\d.]+)(pt|)" height="([\d.]+)')
MEASURED = re.compile(r'querySelectorAll\(\["pre",[^\]]*\]\.join\(", "\)\)')
NOTHING = 'querySelectorAll("pre:not(*)")'
PIXELS = {"pt": 4 / 3, "": 1}


def add_templates(app, config):
    config.templates_path.append(str(Path(__file__).with_name("templates")))


def defer_scripts(app, pagename, templatename, context, doctree):
    for script in context["script_files"]:
        if script.filename and Path(script.filename).name not in AT_ONCE:
            script.attributes.setdefault("defer", "defer")


def leave_out(app, pagename, templatename, context, doctree):
    """Drop the scripts and style sheets that nothing on the page needs."""
    body = context.get("body", "")

    def needed(file):
        name = re.sub(r"\.[0-9a-f]{32,}\.", ".", Path(file.filename or "").name)
        return ONLY_WITH.get(name, "") in body

    for kind in ("css_files", "script_files"):
        context[kind] = [file for file in context[kind] if needed(file)]


def lazy_figures(app, pagename, templatename, context, doctree):
    files = {name: Path(app.srcdir, path) for path, name in app.builder.images.items()}
    context["body"] = lazy(context.get("body", ""), files)


def lazy(html, files):
    """A page with figures that load when they come near; the first does at once."""

    def sized(match):
        svg = files[match[1]].read_text(encoding="utf-8")
        (width, unit, height), *_ = SIZE.findall(svg)
        w, h = (round(float(side) * PIXELS[unit]) for side in (width, height))
        loading = "eager" if match.start() == first else "lazy"
        return f'<img loading="{loading}" width="{w}" height="{h}" '

    first = next((match.start() for match in FIGURE.finditer(html)), None)
    return FIGURE.sub(sized, html)


def measure_nothing(script):
    """The theme's script without its look at all boxes with code."""
    return MEASURED.sub(NOTHING, script)


def lighten_theme(app, exception):
    """Empty the script of icons, and let the other one measure nothing."""
    if exception or app.builder.format != "html":
        return
    scripts = Path(app.outdir, "_static", "scripts")
    (scripts / "fontawesome.js").write_text("")
    theme = scripts / "pydata-sphinx-theme.js"
    theme.write_text(measure_nothing(theme.read_text("utf-8")), "utf-8")
    if NOTHING not in theme.read_text("utf-8"):
        logger.warning("light: the theme's script measures boxes in another way")


def setup(app):
    app.connect("config-inited", add_templates)
    app.connect("html-page-context", defer_scripts, priority=900)  # all are there then
    app.connect("html-page-context", leave_out, priority=910)
    app.connect("html-page-context", lazy_figures)
    app.connect("build-finished", lighten_theme, priority=400)
