"""Each public name has an entry that tells its types and where the book builds it.

    ```{reference} charlm.data
    load_words
    split_words
    ```

gives an entry for each name. autodoc and napoleon make it of the docstring and the
types; it ends with a link back, to the section that builds the name by hand (in a cell
tagged `scratch`) or shows its source; else to where it is first used, or to where one
is used whose source has the name, such as the function that returns it. All of it is
read from the pages, without their exercises, but for a few names that a chapter
explains in other words.
"""

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

from bookext.elsewhere import ELSEWHERE
from bookext.pages import in_order
from bookext.used_names import BUILT, USED, names_met

WRITTEN_OUT = stringify_annotation(ArrayLike, "smart")  # six lines of numpy's own
SPOKEN = "__call__, __getitem__, __iter__, __len__"
ENTRY = re.compile(r"^(\*{0,2}\w+) : (?=\S)", re.M)
MEMBERS = ("method", "attribute", "property")


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
        for name in self.content:
            lines = ["```{eval-rst}", *autodoc(module, name), "```"]
            self.state.nested_parse(StringList(lines), self.content_offset, entries)
            for entry in entries[-1:]:
                wanted = [name, *sources_with(module, name, self.content)]
                entry[-1] += way_back(wanted=[f"{module.__name__}.{n}" for n in wanted])
        return entries.children


def sources_with(module, name, others):
    """The other functions and classes of a module whose source has the name."""
    for other in others:
        thing = getattr(module, other)
        has_source = inspect.isroutine(thing) or inspect.isclass(thing)
        source = inspect.getsource(thing) if has_source and other != name else ""
        if re.search(rf"\b{name}\b", source):
            yield other


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


def note_names(app, doctree):
    notes = app.env.metadata[app.env.docname]
    if "reference" not in notes:
        package = Path(app.srcdir, app.config.fingerprint_package)
        notes["met"] = names_met(doctree, package)


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
    for name, (word, page, anchor, _) in ELSEWHERE.items():
        if page in env.tocs and (title := title_of(env, page, anchor)):
            found[name] = (word, page, anchor, title)
    return found


def title_of(env, page, anchor):
    """The title of a section that is known by its id; None without one."""
    links = env.tocs[page].findall(nodes.reference)
    return {link["anchorname"]: link.astext() for link in links}.get(f"#{anchor}")


def outdated(app, env):
    """The pages of the reference, where a way back leads elsewhere than before."""
    before = getattr(env, "places", None)
    env.places = all_places(env)
    if env.places == before:
        return []
    return [page for page, notes in env.metadata.items() if "reference" in notes]


def find_way(found, name, *beside):
    """The place of a name, or of the first that needs it and that a chapter has."""
    if name in found:
        return found[name]
    for other in beside:
        if other in found and is_chapter(found[other][1]):
            return (f"Used with {other.rpartition('.')[2]} in", *found[other][1:])
    return None


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
