"""Each entry of the reference leads back to where the book builds what it describes.

That is the first section, in the order of the book, that shows the name's source, or
has a cell that imports the name or takes it out of its module.
"""

import ast
from pathlib import Path

from docutils import nodes
from fingerprint import cell_tree
from living import pages
from sphinx.transforms.post_transforms import SphinxPostTransform


class built_in(nodes.General, nodes.Element):
    """Stands in an entry for the way back, until all pages have been read."""


def met(doctree, package):
    """{full name: (id, title)} of the package's names that a page shows or imports."""
    found, aliases = {}, {}
    for block in doctree.findall(nodes.literal_block):
        section = block.parent
        while section is not None and not isinstance(section, nodes.section):
            section = section.parent
        if section is not None:
            place = section["ids"][0], section[0].astext()
            for name in names(block, package, aliases):
                found.setdefault(name, place)
    return found


def names(block, package, aliases):
    """The package's names in a block: its own source, or the code of a cell."""
    path = Path(block.get("source") or "")
    if "cell_input" in block.parent.get("classes", []):
        yield from used(cell_tree(block.astext()), package.name, aliases)
    elif path.is_relative_to(package):
        module = ".".join(path.relative_to(package.parent).with_suffix("").parts)
        for node in cell_tree(block.astext()).body:
            yield f"{module}.{getattr(node, 'name', '')}"


def used(tree, package, aliases):
    """The names that code imports, and those that it takes out of a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                if full.startswith(f"{package}."):
                    aliases[alias.asname or alias.name] = full
                    yield full
        elif isinstance(node, ast.Attribute) and (
            full := aliases.get(getattr(node.value, "id", None))
        ):
            yield f"{full}.{node.attr}"


def note(app, doctree):
    notes = app.env.metadata[app.env.docname]
    if "reference" not in notes:
        package = Path(app.srcdir, app.config.fingerprint_package)
        notes["met"] = met(doctree, package)


def places(env):
    """{full name: (page, id, title)} of where the book first meets each name."""
    found = {}
    for page in pages(env, env.config.root_doc):
        for name, place in env.metadata[page].get("met", {}).items():
            found.setdefault(name, (page, *place))
    return found


def outdated(app, env):
    """The pages of the reference, where a way back leads elsewhere than before."""
    before, env.met = getattr(env, "met", None), places(env)
    all_notes = env.metadata.items()
    return [page for page, notes in all_notes if "reference" in notes] * (
        env.met != before
    )


class ShowWayBack(SphinxPostTransform):
    default_priority = 10

    def run(self):
        for node in list(self.document.findall(built_in)):
            place = self.env.met.get(node["name"])
            node.replace_self([self.link(*place)] if place else [])

    def link(self, page, anchor, title):
        part = self.env.titles[page].astext().partition(":")[0]
        uri = self.app.builder.get_relative_uri(self.env.docname, page)
        link = nodes.reference("", f"{part}, {title}", refuri=f"{uri}#{anchor}")
        link["internal"] = True
        built = nodes.Text("Built in ")
        return nodes.paragraph("", "", built, link, classes=["built-in"])


def setup(app):
    app.add_node(built_in)
    app.add_post_transform(ShowWayBack)
    app.connect("doctree-read", note)
    app.connect("env-updated", outdated)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
