"""An output is never older than its code: a page's cache key has all that it uses.

MyST-NB executes a page again when its cells or its `kernelspec` change. So the
kernelspec gets one more field: a hash of the package modules that the cells import,
directly or through each other, of the files that those modules or the cells name, in
the package and beside the page, and of the versions of the libraries. Comments and
docstrings don't count.
"""

import ast
import hashlib
import json
import os
import platform
import re
from functools import cache
from importlib.metadata import version
from pathlib import Path

import yaml
from IPython.core.inputtransformer2 import TransformerManager

LIBRARIES = ("torch", "numpy", "matplotlib", "ipykernel")
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
FRONT_MATTER = re.compile(r"\A---\n(.*?)^---$", re.S | re.M)
CELL = re.compile(r"^(`{3,}|~{3,})\{code-cell\}[^\n]*\n(.*?)^\1\s*$", re.S | re.M)
TIMED = re.compile(r"^(\s*)%%?time(?:it)?\b(?: +-\w+ ?\d*)* *", re.M)
OPTIONS = re.compile(r"\A(?:---\n.*?^---$|(?:\s*:[\w-]+:[^\n]*\n)+)", re.S | re.M)

known: dict[tuple[str, str], str] = {}  # of this build: the hash, by page and text


def cells(text):
    """The sources of the code cells of a page, without their options."""
    return [OPTIONS.sub("", match[2]) for match in CELL.finditer(text)]


def as_python(source):
    """A code cell without magic commands: a timed line is a line, others are calls."""
    return TransformerManager().transform_cell(TIMED.sub(r"\1", source))


def cell_tree(source):
    """The syntax tree of a code cell; an empty one where it is no valid Python."""
    try:
        return ast.parse(as_python(source))
    except SyntaxError:
        return ast.Module([], [])


def chapter_tree(text):
    """One syntax tree of all code cells."""
    return ast.Module(
        [node for cell in cells(text) for node in cell_tree(cell).body], []
    )


def imported_names(tree, package=""):
    """The dotted names that a tree may import; `package` resolves relative imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: 1 - node.level or None] if node.level else []
            base = ".".join([*parents, node.module] if node.module else parents)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def module_file(root, name):
    """The file of module `name` in the package folder `root`, or None."""
    top, *rest = name.split(".")
    if top != root.name:
        return None
    path = root.joinpath(*rest)
    candidates = (path / "__init__.py", path.with_suffix(".py") if rest else path)
    return next((file for file in candidates if file.is_file()), None)


def mentions(tree, package=""):
    """The strings of a tree, and the names that it may import."""
    constants = (n.value for n in ast.walk(tree) if isinstance(n, ast.Constant))
    strings = {value for value in constants if isinstance(value, str)}
    return strings, set(imported_names(tree, package))


@cache  # many pages use the same modules
def module_mentions(source, package):
    return mentions(ast.parse(source), package)


@cache
def module_code(source):
    return without_docstrings(ast.parse(source))


def used_files(root, tree, beside=None):
    """The files that `tree` uses, transitively: {module: source}, data.

    They are the package's, in the folder `root`, and those in the page's own folder,
    `beside`: modules that its cells import, and data by a path that begins there.
    """
    sources, data, waiting = {}, set(), [mentions(tree)]
    own = True  # the first are those of the page
    while waiting:
        strings, names = waiting.pop()
        for text in strings:
            data |= data_file(root, text)
            if own and beside is not None:
                data |= files_beside(beside, text)
        for name in names:
            parts = name.split(".")
            if own and beside is not None:
                data |= modules_beside(beside, parts)
            for length in range(1, len(parts) + 1):
                name = ".".join(parts[:length])
                file = module_file(root, name)
                if file and file not in sources:
                    sources[file] = file.read_text(encoding="utf-8")
                    inside = (
                        name if file.name == "__init__.py" else name.rpartition(".")[0]
                    )
                    waiting.append(module_mentions(sources[file], inside))
        own = False
    return sources, data


def files_beside(folder, text):
    """The files that a string of a cell names: a path, a folder's, a command's."""
    found = set()
    for name in {text, *text.split()}:
        name = name.strip("'\"")
        if not name.strip("./") or os.path.isabs(name):
            continue
        path = folder / name
        if os.path.isfile(path):
            found.add(path)
        elif os.path.isdir(path) and folder.resolve() in path.resolve().parents:
            found |= {inside for inside in path.rglob("*") if inside.is_file()}
    return found


def modules_beside(folder, parts):
    """The files of a module that a page imports from its own folder."""
    path = folder.joinpath(*parts)
    files = [path.with_suffix(".py"), path / "__init__.py", folder / f"{parts[0]}.py"]
    return {file for file in files if parts[0] and file.is_file()}


def data_file(root, text):
    """The set of the one data file of the package that `text` names, or empty."""
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)*", text) or text.endswith(".py"):
        return set()
    path = root / text
    return {path} if os.path.isfile(path) else set()


def without_docstrings(tree):
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)


def fingerprint(root, text, beside=None):
    """The hash of all that the code cells of a page use besides themselves."""
    sources, data = used_files(root, chapter_tree(text), beside)
    parts = [platform.python_version(), *map(version, LIBRARIES)]
    parts += [
        f"{file.relative_to(root)} {module_code(sources[file])}"
        for file in sorted(sources)
    ]
    digest = hashlib.sha256("\n".join(parts).encode())
    for file in sorted(data):
        content = file.read_bytes()
        digest.update(f"{file.name} {len(content)} ".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def add_to_kernelspec(text, value):
    """The page with the field in its front matter; no line moves."""
    match = FRONT_MATTER.match(text)
    if match is None:
        return text
    front = yaml.safe_load(match[1])
    if not isinstance(front, dict) or "kernelspec" not in front:
        return text
    front["kernelspec"]["fingerprint"] = value
    lines = json.dumps(front, default=str) + "\n" * match[1].count("\n")
    return f"---\n{lines}---{text[match.end() :]}"


def of_page(app, docname, text):
    """The hash of a page: in one build the same, whatever files the page writes."""
    if (docname, text) not in known:
        package = Path(app.srcdir, app.config.fingerprint_package)
        beside = Path(app.env.doc2path(docname)).parent
        known[docname, text] = fingerprint(package, text, beside)
    return known[docname, text]


def with_fingerprint(app, docname, text):
    """The text of a page as MyST-NB gets it."""
    return add_to_kernelspec(text, of_page(app, docname, text))


def note(app, docname, source):
    app.env.metadata[docname]["fingerprint"] = of_page(app, docname, source[0])
    source[0] = with_fingerprint(app, docname, source[0])


def outdated(app, env, added, changed, removed):
    """The pages whose fingerprint is another than when they were read."""
    for docname, notes in env.metadata.items():
        path = Path(env.doc2path(docname))
        if "fingerprint" not in notes or docname in removed or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8")
        if of_page(app, docname, text) != notes["fingerprint"]:
            yield docname


def setup(app):
    app.connect("builder-inited", lambda app: known.clear())
    app.add_config_value("fingerprint_package", "", "env", types=(str,))
    app.connect("source-read", note)
    app.connect("env-get-outdated", lambda *args: list(outdated(*args)))
