"""The book's own Sphinx extensions; each module's first line says what needs it.

`strict` is set up before all others, also those of other authors, as it tells of their
faults. Where the order of events matters, the modules give a priority. When the pages
are written, `living` adds the models (300), `light` empties a script (400),
`sitemap` lists all pages (450), `code_links` puts links into the pages (500), `lines`
marks the lines of code (550), `notebooks` and `search` read these (600, 650),
`wrong_address` mends its page (700), `head` joins the style sheets (750),
`expectations` says what was missed (900), and `strict` ends the build (1000).
"""

from importlib import import_module

PARTS = (
    "strict",
    "assets",
    "offline_math",
    "expectations",
    "raises",
    "fingerprint",
    "execution",
    "run_times",
    "living",
    "notebooks",
    "roles",
    "place",
    "hero",
    "margin",
    "figures",
    "minus",
    "drawings",
    "pause",
    "light",
    "backlinks",
    "reference",
    "code_links",
    "lines",
    "command_line",
    "search",
    "wrong_address",
    "sitemap",
    "head",
)


def setup(app):
    for part in PARTS:
        import_module(f"{__name__}.{part}").setup(app)
    return {"parallel_read_safe": False, "parallel_write_safe": False}
