"""What a terminal is shown: characters that it would obey come out as escapes."""

import sys
import unicodedata
from typing import TextIO

#: Control characters, lone surrogates, and the ends of lines and paragraphs.
OBEYED = {"Cc", "Cs", "Zl", "Zp"}
#: They turn the direction of all that follows on the line.
TURNING = {*map(chr, (0x200E, 0x200F, 0x061C, *range(0x202A, 0x202F)))}
TURNING |= {*map(chr, range(0x2066, 0x206A))}


def escape(char: str) -> str:
    r"""Return a character as Python writes it: \n, \x1b, \u202e."""
    return char.encode("unicode_escape").decode("ascii")


def escaped(text: object) -> str:
    r"""Return a text without a character that a terminal would obey, on one line.

    >>> print(escaped("em\x1b[31mma"))
    em\x1b[31mma
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(
        escape(char)
        if unicodedata.category(char) in OBEYED or char in TURNING
        else char
        for char in text
    )


def shown(text: object, stream: TextIO | None = None) -> str:
    """Return a text as it is for a file or a pipe, and escaped for a terminal."""
    stream = stream or sys.stdout
    return escaped(text) if stream is not None and stream.isatty() else str(text)
