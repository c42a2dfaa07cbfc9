"""Character-level language models, from counting bigrams to a small GPT.

The modules beside this one are what the book builds, one idea a file. `charlm.runs` is
the tool that trains them on a file of words; `charlm.book` is what only the pages need.
`train`, `open_run`, `Run` and `load_words` are also here, for programs that use the
tool.

A *model* here is anything with a ``block_size`` that maps a batch of contexts
(B, block_size) to logits (B, vocab_size).
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

__all__ = ["Run", "load_words", "open_run", "train"]
__version__ = "0.2.0"
_HOME = {"Run": "runs.run", "load_words": "data", "open_run": "runs.run"}


class _Package(ModuleType):
    """This package, whose `train` is the function, not the module of that name.

    Python makes each imported module an attribute of its package, which would hide the
    function. `from charlm.train import fit` finds the module by its path all the same.
    """

    @property
    def train(self) -> Any:
        return import_module("charlm.runs.trainer").train

    @train.setter
    def train(self, module: ModuleType) -> None:
        """Leave the attribute to the function."""


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    """Import torch with the first name that needs it."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
