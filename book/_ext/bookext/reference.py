"""The reference of the package: entries that autodoc makes of docstrings and types.

    ```{reference} charlm.data
    load_words
    split_words
    ```

gives an entry for each name. `signatures` says how its types are written, `way_back`
where the book builds it.
"""

import inspect
from importlib import import_module

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode
from bookext.way_back import way_back

SPOKEN = "__call__, __getitem__, __iter__, __len__"


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


def find(app, env, node, content):
    """Link a name that stands in a docstring without its module, where it is clear."""
    objects = env.get_domain("py").objects
    name = node.get("reftarget", "")
    full = [x for x in objects if x.count(".") == 2 and x.endswith(f".{name}")]
    if node.get("refdomain") != "py" or len(full) != 1:
        return None
    found = objects[full[0]]
    return make_refnode(
        app.builder, node["refdoc"], found.docname, found.node_id, content, full[0]
    )


def setup(app):
    app.add_directive("reference", Reference)
    app.connect("missing-reference", find)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
