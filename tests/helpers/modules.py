"""The modules of the package, as their docstrings introduce them."""

import ast
import importlib.util
import pkgutil
from pathlib import Path

import charlm


def first_lines():
    """The file name and the first line of each module, but for `__init__` and such."""
    for found in pkgutil.walk_packages(charlm.__path__, "charlm."):
        spec = importlib.util.find_spec(found.name)
        assert spec and spec.origin
        if not found.ispkg and not found.name.endswith("__main__"):
            module = Path(spec.origin)
            text = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8")))
            assert text, module
            yield module.name, text.splitlines()[0]
