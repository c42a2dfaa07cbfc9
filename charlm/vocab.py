"""Characters and integers: the alphabet of a model."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

#: How the boundary, whose id is 0, is printed.
BOUNDARY = "."


class InputError(ValueError):
    """Something given cannot be used; the message says why, in a sentence."""


class UnknownCharacterError(InputError):
    """A word contains a character that the vocabulary does not know."""


def check_list(words: object) -> None:
    """Raise InputError for a string: Python takes it for a list of its letters."""
    if isinstance(words, str | bytes):
        raise InputError(f"words come in a list: got {words!r:.80}, which is one word")


def joined(words: Iterable[str]) -> str:
    """Return all words as one string. Raises InputError unless it is a list of them."""
    check_list(words)
    words = words if isinstance(words, list) else list(words)
    try:
        return "".join(words)
    except TypeError:
        word = next(word for word in words if not isinstance(word, str))
        kind = type(word).__name__
        raise InputError(f"a word is a str: got {word!r:.80} ({kind})") from None


@dataclass(frozen=True)
class Vocabulary:
    """The characters of a set of words, numbered from 1; the boundary is 0.

    The boundary marks where a word starts and ends. It is an id, not a character:
    it is shown as ``"."``, and a word may still contain a dot of its own. Raises
    ValueError unless the characters are single, different and sorted.

    >>> vocab = Vocabulary.from_words(["emma", "ava"])
    >>> len(vocab), vocab.encode("eva"), vocab.decode([2, 4, 1])
    (5, [2, 4, 1], 'eva')
    """

    chars: tuple[str, ...]

    def __post_init__(self) -> None:
        if list(self.chars) != sorted(set(self.chars)):
            raise ValueError("the characters must be different and sorted")
        if any(len(char) != 1 for char in self.chars):
            raise ValueError("each entry must be a single character")

    @classmethod
    def from_words(cls, words: Iterable[str]) -> "Vocabulary":
        """Return the vocabulary of all characters in the words, sorted."""
        return cls(tuple(sorted(set(joined(words)))))

    def __len__(self) -> int:
        """The number of ids, V: the characters and the boundary."""
        return len(self.chars) + 1

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """What to print for each id, (V,)."""
        return (BOUNDARY, *self.chars)

    @cached_property
    def ids(self) -> dict[str, int]:
        """The id of each character."""
        return {char: i for i, char in enumerate(self.chars, start=1)}

    def encode(self, word: str) -> list[int]:
        """Return the ids of a word's characters, without boundaries.

        Raises UnknownCharacterError, which names the character and the word.
        """
        try:
            return [self.ids[char] for char in word]
        except KeyError as error:
            char = error.args[0]
            raise UnknownCharacterError(
                f"the vocabulary does not know the character {char!r} "
                f"in the word {word!r:.80}"
            ) from None

    def decode(self, ids: Iterable[int]) -> str:
        """Return the characters of the ids as one string; boundaries show as dots."""
        return "".join(map(self.labels.__getitem__, ids))

    def encode_all(self, words: Sequence[str]) -> np.ndarray:
        """Return the ids of all words' characters in a row, (sum of lengths,).

        All at once: millions take seconds. Raises UnknownCharacterError like `encode`.
        """
        text = joined(words)
        points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        table = np.zeros(sys.maxunicode + 1, np.int64)  # 0: not in the vocabulary
        table[[ord(char) for char in self.chars]] = np.arange(1, len(self))
        ids = table[points]
        if not ids.all():
            char = text[int(np.argmin(ids))]
            self.encode(next(word for word in words if char in word))
        return ids
