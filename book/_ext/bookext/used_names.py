"""Where a page builds, shows or uses the package's names, for the reference.

Read from the cells and listings of a page's tree, without those of its exercises.
"""

import ast
from importlib import import_module
from inspect import isclass, isroutine
from pathlib import Path

from docutils import nodes

from bookext.elsewhere import BUILT
from bookext.fingerprint import cell_tree

USED = "First used in"


def names_met(doctree, package):
    """{(word, full name): (id, title)} of the package's names that a page shows."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    by_hand: dict[str, tuple[str, str]] = {}
    aliases: dict[str, str] = {}
    for block in doctree.findall(nodes.literal_block):
        if place := section(block):
            for name in names_listed(block, package):
                found.setdefault((BUILT, name), place)
            tree = tree_of(block)
            for name in names_used(tree, package.name, aliases):
                hand = by_hand.get(name.rpartition(".")[2])
                found.setdefault((BUILT if hand else USED, name), hand or place)
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
    """The full names of what code imports or takes of a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                if full.startswith(f"{package}."):
                    full = home(node.module, alias.name)
                    aliases[alias.asname or alias.name] = full
                    yield full
        elif isinstance(node, ast.Attribute) and (
            full := aliases.get(getattr(node.value, "id", None))
        ):
            yield f"{full}.{node.attr}"


def home(module, name):
    """The full name where a thing is defined, as `runs.trainer.train` for `runs`'."""
    try:
        thing = getattr(import_module(module), name)
    except (ImportError, AttributeError):
        return f"{module}.{name}"
    defined = isroutine(thing) or isclass(thing)
    return f"{thing.__module__ if defined else module}.{name}"
