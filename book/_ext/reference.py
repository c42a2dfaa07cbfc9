"""The reference of the package: entries that autodoc makes of docstrings and types.

    ```{reference} charlm.data
    load_words
    split_words
    ```

gives an entry for each name. Types stand as the source has them, by their short names:
`ArrayLike` and not what it stands for.
"""

import ast
import inspect
from importlib import import_module
from textwrap import dedent

from docutils import nodes
from docutils.statemachine import StringList
from pydantic import BaseModel
from sphinx.util.docutils import SphinxDirective
from sphinx.util.inspect import stringify_signature
from sphinx.util.nodes import make_refnode
from way_back import built_in

SPOKEN = "__call__, __getitem__, __iter__, __len__"


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
                entry[-1] += built_in(name=f"{module.__name__}.{name}")
        return entries.children


def autodoc(module, name):
    """The lines of the directive that documents a name of a module."""
    thing, full = getattr(module, name), f"{module.__name__}.{name}"
    if inspect.isroutine(thing):
        return [f".. autofunction:: {full}"]
    if not inspect.isclass(thing):
        return [f".. autodata:: {full}"] + ["   :no-value:"] * (len(repr(thing)) > 60)
    kind = "exception" if issubclass(thing, BaseException) else "class"
    options = ["members", f"special-members: {SPOKEN}"]
    if fields := getattr(thing, "_fields", ()):  # of a NamedTuple: the docstring says
        options.append(f"exclude-members: {', '.join(fields)}")
    if thing.__bases__ != (object,):
        options.append("show-inheritance")
    return [f".. auto{kind}:: {full}", *(f"   :{option}:" for option in options)]


def signature(app, what, name, thing, options, args, result):
    """The arguments and the result with the types that the source has."""
    if what == "exception" or getattr(thing, "_is_protocol", False):
        return "", None
    if what == "class" and issubclass(thing, BaseModel):
        return pydantic_arguments(thing), None
    function = vars(thing).get("__init__") if what == "class" else thing
    if what not in ("class", "function", "method") or not is_written(function):
        return args, result
    return source_signature(inspect.unwrap(function), what)


def is_written(function):
    """Whether its source is in a file: that of a dataclass is not."""
    if not inspect.isroutine(function):
        return False
    return inspect.unwrap(function).__code__.co_filename != "<string>"


def source_signature(function, what):
    """The arguments and the result of a function, of a method or of a class."""
    node = ast.parse(dedent(inspect.getsource(function))).body[0]
    if what != "function":
        del node.args.args[0]  # self or cls
    types = Types(function)
    for leaf in ast.walk(node.args):
        if isinstance(leaf, ast.arg) and leaf.annotation:
            leaf.annotation = types.visit(leaf.annotation)
    result = None if what == "class" else ast.unparse(types.visit(node.returns))
    return f"({ast.unparse(node.args)})", result


class Types(ast.NodeTransformer):
    """Gives the package's names in a type their modules, which Sphinx does not show."""

    def __init__(self, function):
        self.known = function.__globals__
        self.package = function.__module__.partition(".")[0]

    def visit_Constant(self, node):
        """A type in quotes: one that is defined below."""
        if isinstance(node.value, str):
            return self.visit(ast.parse(node.value, mode="eval").body)
        return node

    def visit_Name(self, node):
        module = getattr(self.known.get(node.id), "__module__", "")
        if module.startswith(f"{self.package}."):
            return ast.Name(f"~{module}.{node.id}")
        return node


def pydantic_arguments(model):
    """The fields with their types, without the checks of their values."""
    fields = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.is_required() else field.default,
            annotation=field.annotation,
        )
        for name, field in model.model_fields.items()
    ]
    return stringify_signature(inspect.Signature(fields), unqualified_typehints=True)


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
    app.connect("autodoc-process-signature", signature)
    app.connect("missing-reference", find)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
