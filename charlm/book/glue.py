"""Hand a value over to the prose: what `{glue:text}` and its kind find in a page.

The same as `myst_nb.glue`, whose import takes a second and a half of every page.
"""

from typing import Any

from IPython.core.formatters import format_display_data
from IPython.display import display

HIDDEN = "application/papermill.record/"  # before a type that no page shows by itself


def glue(name: str, value: Any) -> None:
    """Glue the value under that name, without a display at this place.

    Parameters
    ----------
    name : what the prose calls it, once in the whole page
    value : anything that a cell could show: a number, a text, a figure
    """
    data, metadata = format_display_data(value)
    metadata["scrapbook"] = {"name": name, "mime_prefix": HIDDEN}
    hidden = {HIDDEN + kind: content for kind, content in data.items()}
    display(hidden, raw=True, metadata=metadata)
