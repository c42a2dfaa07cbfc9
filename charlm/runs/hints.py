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
#: Letters, marks and signs without ink.
BLANK = {*"\u034f\u115f\u1160\u2800\u3164\uffa0"}
JOINERS = "\u200c\u200d"
LOST = "\ufffd"
#: So long a beginning or an end of nearly all lines is a part of none of the words.
SHARED = 7

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
    return char in BLANK or (
        unicodedata.category(char) in INVISIBLE and char not in SEEN
    )


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
    """Yield hints: one on the form of the lines, one on unseen characters, and such.

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
    yield from _spelled(words, chars)
    some = _some(words)
    if len({*some}) <= len(some) / 2:
        yield "more than half of the words are repetitions: dev has words of train"


def form(words: Sequence[str]) -> str | None:
    """Return a hint where nearly all lines have a form that single words have not."""
    some = _some(words)
    enough = NEARLY_ALL * len(some)
    for pattern, what in SHAPES.items():
        if sum(bool(re.fullmatch(pattern, word)) for word in some) >= enough:
            return _said(f"{what}: keep the words alone")
    for end, part_of in {"begin": slice(SHARED), "end": slice(-SHARED, None)}.items():
        part, lines = Counter(word[part_of] for word in some).most_common(1)[0]
        if lines >= enough and not part.isalnum() and len({*some}) > len(some) / 2:
            return _said(f"{end} with {part!r}: keep the words alone")
    if sum(word.count(" ") >= MANY_SPACES for word in some) >= enough:
        return _said("have many spaces, as sentences: a word a line is expected")
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
    remarks = [word for word in words if word.startswith(COMMENT)]
    if remarks and len(remarks) <= len(words) / 10:
        n = len(remarks)
        begin = "1 line begins" if n == 1 else f"{n:,} lines begin"
        return f"{begin} as comments do, first {remarks[0]!r:.60}: it is a word here"
    return None


def _some(words: Sequence[str]) -> Sequence[str]:
    return words[:: -(-len(words) // LOOKED_AT)]


def _spelled(words: Sequence[str], chars: Sequence[str]) -> Iterator[str]:
    """Yield hints on letters that a conversion has lost, or that are written twice."""
    if LOST in chars:
        word = next(word for word in words if LOST in word)
        yield f"letters were lost in a conversion, as in {word!r:.60}: use another copy"
    if {*"ÂÃÄÅÐÑØÙàáâãäåæçè"} & {*chars}:
        for word in words:
            if not word.isascii() and (meant := _read_right(word)):
                yield f"{word!r:.60} looks like {meant!r:.60}, saved as UTF-8 twice"
                break
    composed = {char for char in chars if len(unicodedata.normalize("NFD", char)) > 1}
    if composed and any(map(unicodedata.combining, chars)):
        for word in words:
            twice = composed.intersection(unicodedata.normalize("NFC", word)) - {*word}
            if twice:
                char = min(twice)
                yield f"{char} is written in two ways, as one character and as several"
                break


def _read_right(word: str) -> str | None:
    """Return what UTF-8 was before it was taken for an older encoding, if it was."""
    for encoding in ("cp1252", "latin-1"):
        try:
            return word.encode(encoding).decode()
        except UnicodeError:
            pass
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
