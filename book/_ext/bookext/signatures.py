"""Signatures in the reference have the types that the source has, by their short names.

`ArrayLike` stays that, and is not spelled out as what it stands for; the checks that
pydantic keeps with a type are left out. A long signature has a line for each parameter.
"""

import ast
import inspect
import re
from textwrap import dedent

from pydantic import BaseModel
from sphinx.util.inspect import stringify_signature

PARAMETERS = re.compile(r"<dl>\n(?:<dd><em.*</em>,</dd>\n)+</dl>")


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


def draw_arrows(app, what, name, thing, options, lines):
    """An arrow is one character: at the end of a line it must not fall apart."""
    lines[:] = [line.replace(" -> ", " → ") for line in lines]


def mend_signatures(app, pagename, templatename, context, doctree):
    """Parameters, one a line, are no definitions, as which Sphinx sets them."""

    def mended(match):
        lines = match[0].replace("<dd>", '<span class="sig-line">')
        lines = lines.replace("<dl>\n", "").replace("</dl>", "")
        return lines.replace("</dd>", "</span>")

    context["body"] = PARAMETERS.sub(mended, context.get("body", ""))


def setup(app):
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-signature", signature)
    app.connect("autodoc-process-docstring", draw_arrows)
    app.connect("html-page-context", mend_signatures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
