"""A build that fails says where and what to do, in its last lines.

Raise `BuildFailed` in any event of Sphinx; `strict` turns it into the last lines.
"""

import re
from dataclasses import dataclass
from textwrap import shorten

from sphinx.errors import SphinxError

LINES = 9  # with the line that make adds: ten
ADVICE = {
    r"No space left|disk is full": "free some space on the disk, then build again.",
    r"CellTimeoutError": "build again while the computer is less busy; if that does "
    "not help, shorten the cell or raise `timeout` in _config.yml.",
    r"DeadKernelError": "free some memory and build again; a Python process that dies "
    "without a traceback has most often run out of memory.",
    r"No module named": "install what is missing (`make book` does), then build again.",
    r"should fail with|needs the option `raises`": "make the cell fail in this way, or "
    "write after `:raises:` what its message says. Then build again.",
    r"expectation missed": "correct what computes the number; or, where the page's "
    "sentences stay true, widen the band. Then build again.",
    r"nonexisting document|master document": (
        "write this page, or take its name out of _toc.yml."
    ),
    r"unparseable math": "correct the formula (katex.org/docs/supported lists what "
    "KaTeX knows), then build again.",
    r"cross-reference|undefined label|unknown document|reference target|in glossary": (
        "correct the name of the target, or add the target, then build again."
    ),
}
PLACE = "correct this place, then build again."
NO_PLACE = "read the traceback; if you changed nothing, please report it."


@dataclass(frozen=True)
class Failure:
    """One reason why a build fails.

    Parameters
    ----------
    page : the file, as "book/setup.md"; "" if unknown
    line : its line, from 1; None if unknown
    cell : the source of the cell, or the line of text; its first lines are shown
    error : type and message
    advice : what to do, as "mend it."; "" takes it from `ADVICE`
    details : the traceback, for the log
    """

    page: str
    line: int | None
    cell: str
    error: str
    advice: str = ""
    details: str = ""

    @property
    def place(self):
        return f"{self.page}, line {self.line}" if self.line else self.page

    @property
    def remedy(self):
        known = (advice for key, advice in ADVICE.items() if re.search(key, self.error))
        otherwise = PLACE if self.page else NO_PLACE
        return self.advice or next(known, otherwise)

    def __str__(self):
        return one_line(f"{self.place}: {self.error}" if self.place else self.error)


class BuildFailed(SphinxError):
    """Ends the build; its last lines show the first failure and list the others."""

    category = "The build failed"

    def __init__(self, failures):
        super().__init__("\n".join(map(str, failures)))
        self.failures = list(failures)


def one_line(text, width=200):
    return shorten(text, width, placeholder=" …")


def head(text, lines):
    """The first lines of a text, indented, with a mark where they are not all."""
    whole = [line for line in text.splitlines() if line.strip()]
    shown = whole if len(whole) <= lines else [*whole[: lines - 1], "…"]
    return [f"    {line}"[:100] for line in shown]


def last_lines(failures, log):
    """At most `LINES` lines about the failures; `log` tells where the rest is."""
    first, *others = failures
    lines = [
        f"The build failed at {first.place}:" if first.place else "The build failed:"
    ]
    lines += head(first.cell, 3)
    lines += [one_line(first.error), f"What to do: {first.remedy}"]
    room = LINES - len(lines) - 1
    if len(others) > room:
        hidden = len(others) - room + 1
        others = [*others[: room - 1], f"{hidden} more"]
    return "\n".join([*lines, *(f"Also: {other}" for other in others), log])


def full_text(failures):
    """The same at full length, for the log."""
    parts = ((f.place, f.error, f.details or f.cell) for f in failures)
    return "\n\n".join("\n".join(filter(None, part)) for part in parts) + "\n"
