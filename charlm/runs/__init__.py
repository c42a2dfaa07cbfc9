"""The tool: models that are trained on a file of words, and kept in a directory.

`open_run`, `train` and `Run` are all that most programs need. No chapter of the book
builds what is here: it is what the chapters build, put to use.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from charlm.runs.run import Run, open_run
    from charlm.runs.trainer import train

__all__ = ["Run", "open_run", "train"]


def __getattr__(name: str) -> Any:
    """Import torch with the first name that needs it: the help of a command does not."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from charlm.runs import run, trainer

    return getattr(trainer if name == "train" else run, name)
