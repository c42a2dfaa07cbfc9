"""The tool: models that are trained on a file of words, and kept in a directory.

`open_run`, `train` and `Run` are all that most programs need. No chapter of the book
builds what is here: it is what the chapters build, put to use.
"""

from importlib import import_module
from typing import Any

__all__ = ["Run", "open_run", "train"]
_HOME = {"Run": "run", "open_run": "run", "train": "trainer"}


def __getattr__(name: str) -> Any:
    """Import torch with the first name that needs it: a command's help does not."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
