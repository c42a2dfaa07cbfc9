"""Each entry of the reference leads back to where the book builds what it describes.

A chapter builds a name by hand and imports it then, or shows its source: the section
where it does so, or where it defines the name by hand (in a cell tagged `scratch`), is
the one. Of a name that no chapter builds, the entry tells where it is first used; of
another, in which chapter those are that share its example. All of it is read from the
pages, but for a few names that a chapter builds in other words; what stands in
exercises does not count.
"""

import ast
from pathlib import Path

from docutils import nodes
from bookext.fingerprint import cell_tree
from bookext.living import pages
from sphinx.transforms.post_transforms import SphinxPostTransform

BUILT, USED = "Built in", "First used in"
# A chapter imports these elsewhere than where it builds them, or without building them.
ELSEWHERE = {
    "charlm.data.windows": (BUILT, "book/02_mlp", "contexts"),
    "charlm.models.MLP": (BUILT, "book/02_mlp", "the-forward-pass-by-hand"),
    "charlm.evaluate.losses": (USED, "book/03_activations", "the-ladder"),
    "charlm.evaluate.paired": (BUILT, "book/03_activations", "the-ladder"),
}


class way_back(nodes.General, nodes.Element):
    """Stands in an entry for the way back, until all pages have been read."""


def met(doctree, package, is_chapter):
    """{(word, full name): (id, title)} of the package's names that a page shows."""
    found, by_hand, aliases = {}, {}, {}
    for block in doctree.findall(nodes.literal_block):
        if place := section(block):
            for name in shown(block, package):
                found.setdefault((BUILT, name), place)
            tree = code(block)
            for name, is_import in used(tree, package.name, aliases):
                hand = by_hand.get(name.rpartition(".")[2])
                word = BUILT if hand or (is_import and is_chapter) else USED
                found.setdefault((word, name), hand or place)
            if "tag_scratch" in block.parent.parent.get("classes", []):
                names = (getattr(node, "name", None) for node in tree.body)
                by_hand = dict.fromkeys(names, place) | by_hand
    return found


def section(node):
    """The id and the title of the section around a node, unless it is of exercises."""
    titles = []
    while node is not None:
        if isinstance(node, nodes.section):
            titles.append((node["ids"][0], node[0].astext()))
        node = node.parent
    if not titles or any(title == "Exercises" for _, title in titles):
        return None
    return titles[0]


def shown(block, package):
    """The names of a package's functions and classes whose source a block shows."""
    path = Path(block.get("source") or "")
    if path.is_relative_to(package) and "cell_input" not in block.parent["classes"]:
        module = ".".join(path.relative_to(package.parent).with_suffix("").parts)
        for node in cell_tree(block.astext()).body:
            yield f"{module}.{getattr(node, 'name', '')}"


def code(block):
    """The syntax tree of a block that is a cell; otherwise an empty one."""
    is_cell = "cell_input" in block.parent.get("classes", [])
    return cell_tree(block.astext() if is_cell else "")


def used(tree, package, aliases):
    """(full name, whether it is imported) of what code imports or takes of a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                if full.startswith(f"{package}."):
                    aliases[alias.asname or alias.name] = full
                    yield full, True
        elif isinstance(node, ast.Attribute) and (
            full := aliases.get(getattr(node.value, "id", None))
        ):
            yield f"{full}.{node.attr}", False


def note(app, doctree):
    notes = app.env.metadata[app.env.docname]
    if "reference" not in notes:
        package = Path(app.srcdir, app.config.fingerprint_package)
        notes["met"] = met(doctree, package, is_chapter(app.env.docname))


def is_chapter(page):
    """Whether a page is one of the book's parts."""
    return Path(page).name[0].isdigit()


def places(env):
    """{full name: (word, page, id, title)}, the first place of each in the book."""
    found = {}
    for word in (BUILT, USED):
        for page in pages(env, env.config.root_doc):
            for (kind, name), place in env.metadata[page].get("met", {}).items():
                if kind == word:
                    found.setdefault(name, (word, page, *place))
    for name in ELSEWHERE.keys() & found.keys():
        word, page, anchor = ELSEWHERE[name]
        found[name] = (word, page, anchor, title_of(env, page, anchor))
    return found


def title_of(env, page, anchor):
    """The title of a section that is known by its id. Raises KeyError without one."""
    links = env.tocs[page].findall(nodes.reference)
    return {link["anchorname"]: link.astext() for link in links}[f"#{anchor}"]


def outdated(app, env):
    """The pages of the reference, where a way back leads elsewhere than before."""
    before, env.met = getattr(env, "met", None), places(env)
    if env.met == before:
        return []
    return [page for page, notes in env.metadata.items() if "reference" in notes]


def way(found, name, *beside):
    """The place of a name, or else of the first beside it that a chapter has."""
    if name in found:
        return found[name]
    places = (found[other][1:] for other in beside if other in found)
    return next((("See", *place) for place in places if is_chapter(place[0])), None)


class ShowWayBack(SphinxPostTransform):
    default_priority = 10

    def run(self):
        for node in list(self.document.findall(way_back)):
            place = way(self.env.met, *node["wanted"])
            node.replace_self([self.line(*place)] if place else [])

    def line(self, word, page, anchor, title):
        part = self.env.titles[page].astext().partition(":")[0]
        text = title if title == part else f"{part}, {title}"
        uri = self.app.builder.get_relative_uri(self.env.docname, page)
        link = nodes.reference("", text, refuri=f"{uri}#{anchor}", internal=True)
        return nodes.paragraph(
            "", "", nodes.Text(f"{word} "), link, classes=["way-back"]
        )


def setup(app):
    app.add_node(way_back)
    app.add_post_transform(ShowWayBack)
    app.connect("doctree-read", note)
    app.connect("env-updated", outdated)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
