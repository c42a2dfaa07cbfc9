"""What a file of words has that its owner may not have meant: hints, never refusals."""

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from charlm.runs.terminal import escape

#: A shape is that of nearly every line from this share of the lines on.
NEARLY_ALL = 0.9
#: So many lines are looked at, from all over the file.
LOOKED_AT = 2000
#: More characters are counted, not listed.
LISTED = 80
#: So many spaces make a line a sentence.
MANY_SPACES = 5

INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"}
#: Spaces that are meant, and signs above Arabic numbers.
SEEN = {" ", "\u3000", "\u06dd", "\u070f", "\u08e2", *map(chr, range(0x600, 0x606))}
SEEN |= {*map(chr, range(0xE0020, 0xE0080))}  # of flags
JOINERS = "\u200c\u200d"

COLUMNS = {"\t": "tab", ";": "semicolon", "|": "bar", ",": "comma"}
SHAPES = {
    r"<[!/?a-zA-Z][^>]*>.*": "begin with a tag, as in HTML or XML",
    r"[\[{].*[\]}],?": "are in brackets, as in JSON",
    r"""(["'“«])[^"“”«»]*["'”»],?""": "are in quotes, as in JSON or a program",
    r"\d+\s*[.):\t-]\s*\S.*": "begin with a number, as in a numbered list",
    r"\d+\s+\S.*": "begin with a number, as where words are counted",
    r"[-*+•‣·–—]\s+\S.*": "begin with a bullet, as in a list",
    r".*\S {2,}\S.*": "have columns, separated by several spaces",
    r"\S+@\S+\.\S+": "are e-mail addresses",
    r"\w+:/{2}\S+": "are addresses of pages",
}
COMMENT = ("#", "//", "-- ", "; ", "% ")


def is_invisible(char: str) -> bool:
    """Return whether nobody sees a character, or takes it for a plain space."""
    return unicodedata.category(char) in INVISIBLE and char not in SEEN


def show_alphabet(chars: Sequence[str]) -> str:
    """Return the characters in a row: invisible ones as escapes, marks on a circle."""
    return "".join(
        escape(char)
        if is_invisible(char)
        else "\u25cc" + char
        if unicodedata.combining(char)
        else char
        for char in chars
    )


def found(words: Sequence[str], chars: Sequence[str]) -> str:
    """Return how many words there are, and which characters.

    >>> found(["emma", "ava"], ("a", "e", "m", "v"))
    '2 words, 4 characters: aemv'
    """
    rest = len(chars) - LISTED
    listed = show_alphabet(chars[:LISTED]) + (f" and {rest:,} more" if rest > 0 else "")
    return f"{_number(words, 'word')}, {_number(chars, 'character')}: {listed}"


def _number(things: Sequence[str], name: str) -> str:
    return f"{len(things):,} {name}{'s'[: len(things) != 1]}"


def hints(
    words: Sequence[str],
    chars: Sequence[str],
    file: str | os.PathLike[str] | None = None,
) -> Iterator[str]:
    """Yield at most two hints: one on the form of the lines, one on the characters.

    Parameters
    ----------
    words : all of them
    chars : the characters that occur in them
    file : where they are, to name a line; None to name the word's own number
    """
    shape = form(words)
    if shape:
        yield shape
    # A tab between columns, which are a hint already, is not invisible as well.
    unseen = [c for c in chars if is_invisible(c) and not (shape and c == "\t")]
    if unseen:
        yield from _unseen(words, unseen, file)


def form(words: Sequence[str]) -> str | None:
    """Return a hint where nearly all lines have a form that single words have not."""
    some = words[:: -(-len(words) // LOOKED_AT)]
    enough = NEARLY_ALL * len(some)
    for pattern, what in SHAPES.items():
        if sum(bool(re.fullmatch(pattern, word)) for word in some) >= enough:
            return _said(f"{what}: keep the words alone")
    for char, name in COLUMNS.items():
        number, lines = Counter(word.count(char) for word in some).most_common(1)[0]
        if number and lines >= enough:
            s = "s" if number > 1 else ""
            return _said(
                f"have {number} {name}{s}, as in a table: keep the column of the words"
            )
    for end, at in {"begin": 0, "end": -1}.items():
        char, lines = Counter(word[at] for word in some).most_common(1)[0]
        is_letter = char.isalnum() or unicodedata.combining(char) or is_invisible(char)
        if lines >= enough and not is_letter and len({*"".join(some)}) > 1:
            return _said(f"{end} with {char!r}: keep the words alone")
    if sum(word.count(" ") >= MANY_SPACES for word in some) >= enough:
        return _said("have many spaces, as sentences: a word a line is expected")
    remarks = [word for word in words if word.startswith(COMMENT)]
    if remarks and len(remarks) <= len(words) / 10:
        n = len(remarks)
        begin = "1 line begins" if n == 1 else f"{n:,} lines begin"
        return f"{begin} as comments do, first {remarks[0]!r:.60}: it is a word here"
    return None


def _said(what: str) -> str:
    return f"nearly all lines {what}"


def _unseen(
    words: Sequence[str], unseen: Sequence[str], file: str | os.PathLike[str] | None
) -> Iterator[str]:
    """Yield a hint on characters that nobody sees, but for joiners inside a word."""
    at: dict[str, int] = {}
    number: Counter[str] = Counter()
    any_of = re.compile(f"[{''.join(map(re.escape, unseen))}]")
    for n, word in enumerate(words, start=1):
        if any_of.search(word):
            inside = word.strip(JOINERS)
            for char in {*any_of.findall(word)}:
                if char not in JOINERS or len(inside) < len(word):
                    at.setdefault(char, n)
                    number[char] += 1
    if not number:
        return
    char, times = number.most_common(1)[0]
    name = unicodedata.name(char, "a control character").lower()
    others = f" (and {len(number) - 1} more such characters)" * (len(number) > 1)
    place = _place(words, at[char], file)
    yield (
        f"U+{ord(char):04X} ({name}) is in {times:,} word{'s'[: times != 1]}, first in "
        f"{place}{others}: nobody sees it, and a model learns it as a letter"
    )


def _place(words: Sequence[str], n: int, file: str | os.PathLike[str] | None) -> str:
    """Return the line of the n-th word, or that it is the n-th."""
    if file is None or not os.path.isfile(file):
        return f"word {n:,}"
    text = Path(file).read_bytes().replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    line = text.count(b"\n", 0, text.find(words[n - 1].encode())) + 1
    return f"line {line:,}"
