"""A name in a cell leads to its entry: sphinx-codeautolink, in warm builds as in clean.

On its own it links a page if the page's source has changed, and forgets what it has
found there when the build ends. The book writes pages for more reasons, such as another
style sheet or a way back that leads elsewhere. So what it finds is kept with the
page, and it is told of each page that was written.
"""

from sphinx_codeautolink.extension import SphinxCodeAutoLink
from sphinx_codeautolink.extension.cache import DataCache

from bookext.fingerprint import as_python, cell_tree


class CodeLinks(SphinxCodeAutoLink):
    def begin(self, app):
        self.do_nothing = app.builder.name != "html"
        self.cache = DataCache(app.doctreedir, app.srcdir)
        self.custom_blocks = dict.fromkeys(["python", "ipython3"], parsed)
        self.concat_default = True  # a cell knows what the cells before it import
        self.search_css_classes = []
        self.highlight_lang = app.config.highlight_language

    def keep(self, app, env):
        self.create_references(app, env)
        for page, blocks in self.cache.transforms.items():
            for block in blocks:
                block.names = [name for name in block.names if is_named(name)]
            env.metadata[page]["code_links"] = blocks

    def note(self, app, pagename, templatename, context, doctree):
        if doctree:
            self.outdated_docs.add(pagename)
            blocks = app.env.metadata[pagename].get("code_links", [])
            self.cache.transforms[pagename] = blocks


def is_named(name):
    """Whether the code has the name of the entry, and not a variable of that type."""
    entry, code = (
        x.rpartition(".")[2] for x in (name.resolved_location, name.code_str)
    )
    return entry == code


def parsed(source):
    """A block as it stands, and as Python; a block that is none has no names."""
    python = as_python(source)
    return source, python if cell_tree(python).body else ""


def setup(app):
    links = CodeLinks()
    app.connect("builder-inited", links.begin)
    app.connect("doctree-read", links.parse_blocks)
    app.connect("env-updated", links.keep)
    app.connect("html-page-context", links.note)
    app.connect("build-finished", links.apply_links, priority=500)
