"""The book's own Sphinx extensions: the first line of each module says what it is for.

`strict` comes before all other extensions, as it tells of their faults. Elsewhere the
order is that of the priorities, which each module gives where it matters.
"""

PARTS = (
    "strict",
    "assets",
    "offline_math",
    "expectations",
    "fingerprint",
    "cells",
    "side_by_side",
    "living",
    "notebooks",
    "roles",
    "slow_cells",
    "light",
    "one_sheet",
    "backlinks",
    "reference",
    "signatures",
    "way_back",
    "command_line",
    "streams",
)


def setup(app):
    for part in PARTS:
        app.setup_extension(f"{__name__}.{part}")
    return {"parallel_read_safe": False, "parallel_write_safe": True}
