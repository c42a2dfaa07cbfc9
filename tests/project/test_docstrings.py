"""What each public function says of itself: types, a first line, its arguments."""

import ast
import importlib
import inspect
import math
import pkgutil
import re
import textwrap
from functools import cached_property

import pytest

import charlm
from charlm.runs import config

MODULES = [
    importlib.import_module(module.name)
    for module in pkgutil.walk_packages(charlm.__path__, "charlm.")
    if not module.name.endswith("__main__")  # importing it would run it
]


def public_functions():
    """(qualified name, function) of the package's functions and methods."""
    for module in MODULES:
        for name, thing in vars(module).items():
            if name[0] == "_" or getattr(thing, "__module__", "") != module.__name__:
                continue
            if inspect.isfunction(thing):
                yield f"{module.__name__}.{name}", thing
            elif inspect.isclass(thing) and not getattr(thing, "_is_protocol", False):
                for key, method in vars(thing).items():
                    if inspect.isfunction(method) and (key[0] != "_" or key in SPOKEN):
                        yield f"{module.__name__}.{name}.{key}", method


SPOKEN = {"__init__", "__call__", "__getitem__", "__len__"}
FUNCTIONS = dict(public_functions())


def arguments(function):
    return [
        p for p in inspect.signature(function).parameters.values() if p.name != "self"
    ]


def untyped(function):
    """The arguments without a type, and `return` where the result has none."""
    result = inspect.signature(function).return_annotation
    found = [p.name for p in arguments(function) if p.annotation is p.empty]
    return found + ["return"] * (result is inspect.Signature.empty)


def test_every_argument_and_result_has_a_type():
    faults = {name: untyped(function) for name, function in FUNCTIONS.items()}
    assert {name: found for name, found in faults.items() if found} == {}


def test_each_function_says_what_it_is_for():
    functions = [
        name
        for name in FUNCTIONS
        if FUNCTIONS[name].__qualname__ == FUNCTIONS[name].__name__
    ]
    assert [name for name in functions if not FUNCTIONS[name].__doc__] == []


MANY = 3  # arguments: fewer are named, with their shapes, in the first line
LISTED = [
    name
    for name, function in FUNCTIONS.items()
    if len(arguments(function)) >= MANY
    and not name.startswith("charlm.runs.cli")  # its help explains them
    and function.__code__.co_filename != "<string>"  # made by a dataclass
]


def docstring(name):
    """That of a function; for __init__, that of its class."""
    owner, _, method = name.rpartition(".")
    module, _, cls = owner.rpartition(".")
    if method == "__init__":
        return inspect.getdoc(getattr(importlib.import_module(module), cls)) or ""
    return inspect.getdoc(FUNCTIONS[name]) or ""


ENTRY = re.compile(r"^(\*{0,2}\w+) : \S", re.MULTILINE)


def explained(text):
    """The parameters that a docstring lists, one line or more for each."""
    _, _, listed = text.partition("Parameters\n----------\n")
    return [name.strip("*") for name in ENTRY.findall(listed.partition("\n\n")[0])]


def test_three_arguments_or_more_are_explained_one_by_one_and_in_order():
    faults = {
        name: explained(docstring(name))
        for name in LISTED
        if explained(docstring(name)) != [p.name for p in arguments(FUNCTIONS[name])]
    }
    assert faults == {}


def test_no_two_parameters_share_a_line():
    source = "\n".join(inspect.getsource(module) for module in MODULES)
    assert re.findall(r"^ +\*{0,2}\w+, .*\w : .*$", source, re.MULTILINE) == []


# These have no entry in the reference.
INTERNAL = (
    "charlm.book.expectations",
    "charlm.book.glue",
    "charlm.book.exercises.",
    "charlm.runs.cli.",
)
DOCUMENTED = [
    name
    for name, function in FUNCTIONS.items()
    if not name.startswith(INTERNAL)
    and function.__code__.co_filename != "<string>"  # made by a dataclass
]


def told(name):
    """The docstring of a function; for a method, with that of its class."""
    owner = name.rpartition(".")[0]
    parent = charlm
    for part in owner.split(".")[1:]:
        parent = getattr(parent, part)
    docs = [FUNCTIONS[name].__doc__, parent.__doc__ if inspect.isclass(parent) else ""]
    return "\n".join(doc or "" for doc in docs)


def raised(function):
    """The names of the exceptions that the function's own code raises."""
    source = textwrap.dedent(inspect.getsource(inspect.unwrap(function)))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            yield ast.unparse(node.exc.func)


def test_what_a_function_raises_is_told():
    assert [
        (name, error)
        for name in DOCUMENTED
        for error in raised(FUNCTIONS[name])
        if error not in told(name)
    ] == []


SHAPE = re.compile(r"\((?:[\w.]+,|\.\.\.)|\bshapes?\b")


def test_each_tensor_has_its_shape():
    assert [
        name
        for name in DOCUMENTED
        if "Tensor" in str(inspect.signature(FUNCTIONS[name]))
        and not SHAPE.search(told(name))
    ] == []


def shown(number):
    """A bound as a docstring writes it: 16,384 or 2**53."""
    power = round(math.log2(abs(number) or 1))
    if power >= 20 and abs(number) == 2**power:
        return f"{'-' * (number < 0)}2**{power}"
    return f"{number:,.0f}"


def allowed(field):
    """What the bounds of a field say in words."""
    kinds = ("ge", "gt", "le", "lt")
    bounds = {k: getattr(m, k) for m in field.metadata for k in kinds if hasattr(m, k)}
    low, high = bounds.get("ge", bounds.get("gt")), bounds.get("le", bounds.get("lt"))
    if high is None:
        return f"{shown(low)} or more"
    top = shown(high) + " - 1" * ("lt" in bounds)
    if "lt" in bounds and "float" in str(field.annotation):
        return f"{shown(low)} to below {shown(high)}"
    if "gt" in bounds:
        return f"above {shown(low)}, up to {top}"
    return f"{shown(low)} to {top}"


@pytest.mark.parametrize("model", [config.ModelConfig, config.TrainConfig])
def test_the_values_that_a_field_may_have_are_told(model):
    text = (inspect.getdoc(model) or "").partition("----------\n")[2] + "\n"
    told = dict(re.findall(r"^(\w+) : (.*(?:\n .*)*)$", text, re.MULTILINE))
    assert told.keys() == model.model_fields.keys()
    for name, field in model.model_fields.items():
        if field.metadata:
            said = told[name].replace("``", "")
            assert re.search(rf": {re.escape(allowed(field))}(?:[,;]|$)", said)


def properties_and_constants():
    """(name, what is said of it) of the properties and constants of the package."""
    for module in MODULES:
        for name, thing in vars(module).items():
            if inspect.isclass(thing) and thing.__module__ == module.__name__:
                for key, value in vars(thing).items():
                    if isinstance(value, property | cached_property):
                        yield f"{name}.{key}", inspect.getdoc(value) or ""
        source = inspect.getsource(module)
        for block, name in re.findall(r"^((?:#: .+\n)+)(\w+)", source, re.MULTILINE):
            yield name, re.sub(r"\s*#: ", " ", block).strip()
        yield from re.findall(r"^(\w+)\b.*?  #: (.+)$", source, re.MULTILINE)


def test_no_property_or_constant_begins_with_a_colon():
    """The reference would take what stands before it for a type."""
    told = dict(properties_and_constants())
    assert {"Evaluation.bits_per_char", "TANH_GAIN", "EPS", "MODELS"} <= told.keys()
    first = {name: re.split(r"\.(?:\s|$)", text)[0] for name, text in told.items()}
    assert [name for name, sentence in first.items() if ":" in sentence] == []
