"""Each public name has an entry that tells its types and where the book builds it.

    ```{reference} charlm.data
    load_words
    split_words
    ```

gives an entry for each name. autodoc and napoleon make it of the docstring and the
types; it ends with a link back, to the section that builds the name by hand (in a cell
tagged `scratch`), imports it or shows its source; else to where it is first used, or to
the chapter of those that share its example. All of it is read from the pages, without
their exercises, but for a few names that a chapter builds in other words.
"""

import ast
import inspect
import re
from importlib import import_module
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from numpy.typing import ArrayLike
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode
from sphinx.util.typing import stringify_annotation

from bookext.fingerprint import cell_tree
from bookext.pages import in_order

WRITTEN_OUT = stringify_annotation(ArrayLike, "smart")  # six lines of numpy's own
SPOKEN = "__call__, __getitem__, __iter__, __len__"
ENTRY = re.compile(r"^(\*{0,2}\w+) : (?=\S)", re.M)
MEMBERS = ("method", "attribute", "property")
BUILT, USED = "Built in", "First used in"
# A chapter imports these elsewhere than where it builds them, or without building them.
ELSEWHERE = {
    "charlm.data.windows": (BUILT, "book/02_mlp", "contexts"),
    "charlm.models.MLP": (BUILT, "book/02_mlp", "the-forward-pass-by-hand"),
}


class way_back(nodes.General, nodes.Element):
    """Stands in an entry for the way back, until all pages have been read."""


class Reference(SphinxDirective):
    required_arguments = 1
    has_content = True

    def run(self):
        self.assert_has_content()
        self.env.metadata[self.env.docname]["reference"] = True
        module = import_module(self.arguments[0])
        entries = nodes.container()
        all_names = [f"{module.__name__}.{name}" for name in self.content]
        for name, full in zip(self.content, all_names):
            lines = ["```{eval-rst}", *autodoc(module, name), "```"]
            self.state.nested_parse(StringList(lines), self.content_offset, entries)
            for entry in entries[-1:]:
                entry[-1] += way_back(wanted=[full, *all_names])
        return entries.children


def autodoc(module, name):
    """The lines of the directive that documents a name of a module."""
    thing, full = getattr(module, name), f"{module.__name__}.{name}"
    if inspect.isroutine(thing):
        return [f".. autofunction:: {full}"]
    if not inspect.isclass(thing):
        return [f".. autodata:: {full}"] + ["   :no-value:"] * (len(repr(thing)) > 60)
    kind = "exception" if issubclass(thing, BaseException) else "class"
    options = ["members:", f"special-members: {SPOKEN}"]
    if fields := getattr(thing, "_fields", ()):  # of a NamedTuple: the docstring says
        options.append(f"exclude-members: {', '.join(fields)}")
    if thing.__bases__ != (object,):
        options.append("show-inheritance:")
    return [f".. auto{kind}:: {full}", *(f"   :{option}" for option in options)]


def mend_types(app, what, name, thing, options, arguments, result):
    """Set the type of a result behind the arrow, and not in a list of one."""
    types = app.env.temp_data.get("annotations", {}).get(name, {})
    for parameter, written in types.items():
        types[parameter] = written.replace(WRITTEN_OUT, "ArrayLike")
    returned = types.pop("return", None)
    if what in ("function", "method"):
        return arguments, returned
    return ("" if getattr(thing, "_is_protocol", False) else arguments), result


def split_entries(app, what, name, thing, options, lines):
    """Give a parameter's text a line of its own, or napoleon takes it for a type."""
    lines[:] = ENTRY.sub(r"\1\n    ", "\n".join(lines)).split("\n")


def find(app, env, node, content):
    """Link a name that stands in a docstring without its module, where it is clear."""
    name = node.get("reftarget", "")
    objects = env.get_domain("py").objects
    same = [full for full in objects if full.endswith(f".{name}")]
    full = [known for known in same if objects[known].objtype not in MEMBERS]
    if node.get("refdomain") != "py" or len(full) != 1:
        return None
    page, anchor = objects[full[0]].docname, objects[full[0]].node_id
    return make_refnode(app.builder, node["refdoc"], page, anchor, content, full[0])


def names_met(doctree, package, is_chapter):
    """{(word, full name): (id, title)} of the package's names that a page shows."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    by_hand: dict[str, tuple[str, str]] = {}
    aliases: dict[str, str] = {}
    for block in doctree.findall(nodes.literal_block):
        if place := section(block):
            for name in names_listed(block, package):
                found.setdefault((BUILT, name), place)
            tree = tree_of(block)
            for name, is_import in names_used(tree, package.name, aliases):
                hand = by_hand.get(name.rpartition(".")[2])
                word = BUILT if hand or (is_import and is_chapter) else USED
                found.setdefault((word, name), hand or place)
            if "tag_scratch" in block.parent.parent.get("classes", []):
                names = (getattr(node, "name", "") for node in tree.body)
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


def names_listed(block, package):
    """The names of a package's functions and classes whose source a block shows."""
    path = Path(block.get("source") or "")
    if path.is_relative_to(package) and "cell_input" not in block.parent["classes"]:
        module = ".".join(path.relative_to(package.parent).with_suffix("").parts)
        for node in cell_tree(block.astext()).body:
            yield f"{module}.{getattr(node, 'name', '')}"


def tree_of(block):
    """The syntax tree of a block that is a cell; otherwise an empty one."""
    is_cell = "cell_input" in block.parent.get("classes", [])
    return cell_tree(block.astext() if is_cell else "")


def names_used(tree, package, aliases):
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


def note_names(app, doctree):
    notes = app.env.metadata[app.env.docname]
    if "reference" not in notes:
        package = Path(app.srcdir, app.config.fingerprint_package)
        notes["met"] = names_met(doctree, package, is_chapter(app.env.docname))


def is_chapter(page):
    """Whether a page is one of the book's parts."""
    return Path(page).name[0].isdigit()


def all_places(env):
    """{full name: (word, page, id, title)}, the first place of each in the book."""
    found: dict[str, tuple[str, str, str, str]] = {}
    for word in (BUILT, USED):
        for page in in_order(env):
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
    before = getattr(env, "places", None)
    env.places = all_places(env)
    if env.places == before:
        return []
    return [page for page, notes in env.metadata.items() if "reference" in notes]


def find_way(found, name, *beside):
    """The place of a name, or else of the first beside it that a chapter has."""
    if name in found:
        return found[name]
    places = (found[other][1:] for other in beside if other in found)
    return next((("See", *place) for place in places if is_chapter(place[0])), None)


class ShowWayBack(SphinxPostTransform):
    default_priority = 10

    def run(self, **options):
        for node in list(self.document.findall(way_back)):
            place = find_way(all_places(self.env), *node["wanted"])
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
    app.setup_extension("sphinx.ext.autodoc")
    app.add_node(way_back)
    app.add_directive("reference", Reference)
    app.add_post_transform(ShowWayBack)
    app.connect("autodoc-process-signature", mend_types, priority=600)  # after autodoc
    app.connect("autodoc-process-docstring", split_entries, priority=400)
    app.connect("missing-reference", find)
    app.connect("doctree-read", note_names)
    app.connect("env-updated", outdated)
