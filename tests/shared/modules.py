"""The files of the repository, as texts name them and as docstrings introduce them."""

import ast
import importlib.util
import pkgutil
import re
from pathlib import Path

import charlm

# A place in the repository, in a text: a path, or a file at its root.
PLACE = re.compile(r"`((?:[\w.*-]+/)+[\w.*-]*|[\w-]+\.(?:yml|toml|md|txt))`")


def first_lines():
    """The file name and the first line of each module, but for private ones."""
    for found in pkgutil.walk_packages(charlm.__path__, "charlm."):
        spec = importlib.util.find_spec(found.name)
        assert spec and spec.origin
        if not found.ispkg and "._" not in found.name:
            module = Path(spec.origin)
            text = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8")))
            assert text, module
            yield module.name, text.splitlines()[0]
