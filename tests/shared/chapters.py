"""The code cells of a page, as the tests of the pages read them."""

import re

import yaml
from bookext.fingerprint import CELL, OPTIONS


def code_cells(text):
    """(line, tags, source) of each code cell."""
    for match in CELL.finditer(text):
        options = OPTIONS.match(match[2])
        front = options[0].strip().strip("-") if options else ""
        if front.startswith(":"):
            front = re.sub(r"^\s*:([\w-]+):", r"\1:", front, flags=re.M)
        tags = (yaml.safe_load(front) or {}).get("tags", [])
        line = text[: match.start()].count("\n") + 1
        yield line, tags, match[2][options.end() if options else 0 :].strip("\n")
