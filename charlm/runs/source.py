"""The words of a run: where they come from, and where they are found again."""

import hashlib
import io
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from charlm.data import read_in_parts
from charlm.runs.config import DataConfig
from charlm.runs.packed import PackedWords
from charlm.runs.store import WORDS, RunError
from charlm.vocab import InputError

#: Words as `train` takes them. They are the path of a file with one word a line, "-"
#: for standard input, a list or a pandas column, or None for the bundled names.
Words: TypeAlias = str | os.PathLike[str] | Iterable[str] | None

STDIN = "-"
MIN_WORDS = 10


@dataclass(frozen=True)
class Source:
    """Words, the bytes that they were read from, and the file of these bytes.

    Parameters
    ----------
    words : in their order
    content : UTF-8, one word a line
    path : of a file that can be read again; None for all others
    is_bundled : whether these are the names that come with the package
    """

    words: PackedWords
    content: bytes
    path: str | None = None
    is_bundled: bool = False

    @property
    def kept(self) -> bytes | None:
        """What the run itself has to keep, as nobody else does; None for a file."""
        return None if self.path or self.is_bundled else self.content

    def describe(self, directory: Path, split_seed: int) -> DataConfig:
        """Return what the words of a run in this directory are recognized by."""
        kept = None if self.is_bundled else WORDS
        return DataConfig.of(
            {
                "path": _seen_from(directory, self.path) if self.path else kept,
                "bytes": len(self.content),
                "sha256": hashlib.sha256(self.content).hexdigest(),
                "words": len(self.words),
                "split_seed": split_seed,
            }
        )


def read_source(words: Words) -> Source:
    """Return words of any kind. Raises InputError where they cannot be used."""
    if words is None:
        return Source(*_read(None), is_bundled=True)
    if isinstance(words, str | os.PathLike):
        if os.fspath(words) == STDIN:
            if os.environ.get("WORLD_SIZE", "1") != "1":
                raise InputError("several processes cannot share standard input")
            if not hasattr(sys.stdin, "buffer"):
                raise InputError("there is no standard input: name a file of words")
            return Source(*_read(sys.stdin.buffer))
        path = os.path.abspath(words) if os.path.isfile(words) else None
        return Source(*_read(words), path)
    if isinstance(words, Iterable) and not isinstance(words, bytes):
        return Source(*_read(_as_file(words)))
    return Source(*_read(words))  # which says that it is no path


def _read(path: Any) -> tuple[PackedWords, bytes]:
    """Return the words of a file without making a list of them, and its content."""
    parts, content = read_in_parts(path)
    return PackedWords.of(parts), content


def _as_file(words: Iterable[str]) -> io.BytesIO:
    """Return words as a file of them, one a line."""
    words = list(words)
    for number, word in enumerate(words):
        if not isinstance(word, str):
            raise InputError(f"a word is a string: got {word!r:.80} at place {number}")
        if "\n" in word or "\r" in word:
            raise InputError(f"a word has no line break: got {word!r:.80}")
    try:
        file = io.BytesIO("\n".join(words).encode())
    except UnicodeEncodeError as error:
        half = error.object[error.start]
        raise InputError(f"{half!r} is half a character: no file has it") from None
    file.name = "the list"
    return file


def require_enough(source: Source, words: Words) -> None:
    """Raise InputError for words that are too few to be split."""
    n = len(source.words)
    name = words if isinstance(words, str | os.PathLike) else "the list"
    if n < MIN_WORDS:
        raise InputError(
            f"{name} has {n} word{'s'[: n != 1]}: "
            f"it takes {MIN_WORDS} to split them into train, dev and test"
        )


def _seen_from(directory: Path, path: str) -> str:
    """Return the way from a run's directory to a file: both may move together."""
    try:
        way = os.path.relpath(path, os.path.realpath(directory))
    except ValueError:  # on Windows, another drive
        way = os.path.basename(path)
    return way.replace(os.sep, "/")


def find_words(
    data: DataConfig, directory: Path, given: str | os.PathLike[str] | None = None
) -> PackedWords:
    """Return the words that a run learned from, found again by their digest.

    They are looked for where they were, seen from the run; in its directory; beside
    it; and in the working directory. Raises RunError where they are in none of these.

    Parameters
    ----------
    data : what they are recognized by
    directory : the run's
    given : the only file to look at; None for those above
    """
    if data.path is None and given is None:
        source = read_source(None)
        if _is_same(source, data):
            return source.words
        raise RunError("the bundled names are not those that the run learned from")
    paths = [Path(given)] if given is not None else list(_places(data, directory))
    there = [path for path in paths if os.path.isfile(path)]
    for path in there:
        if path.stat().st_size == data.bytes:
            source = read_source(path)
            if _is_same(source, data):
                return source.words
    name = os.path.normpath(there[0] if there else paths[0])
    way = "name it by --words" if given is None else "it is recognized by its digest"
    if there:
        raise RunError(f"{name} is not the file that the run learned from: {way}")
    raise RunError(f"{name}, which the run learned from, is not there: {way}")


def _places(data: DataConfig, directory: Path) -> Iterator[Path]:
    way = data.path or ""
    name = way.replace("\\", "/").rpartition("/")[2]
    yield directory.resolve() / way
    for folder in (directory, directory.parent, Path()):
        yield folder / name


def _is_same(source: Source, data: DataConfig) -> bool:
    digest = hashlib.sha256(source.content).hexdigest()
    return (digest, len(source.words)) == (data.sha256, data.words)
