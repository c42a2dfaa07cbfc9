"""Characters and ids: nothing is lost on the way there and back."""

import doctest
import importlib
import pkgutil

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import charlm
from charlm.calibration import calibration
from charlm.counts import NGram, count_ngrams
from charlm.data import split_words, windows
from charlm.evaluate import evaluate, n_characters
from charlm.memory import by_seen, share_in
from charlm.runs.report import report
from charlm.runs.windows import Windows
from charlm.vocab import InputError, UnknownCharacterError, Vocabulary

texts = st.text(st.characters(exclude_categories=[]), max_size=12)
word_lists = st.lists(texts, max_size=12)

MODULES = [
    module.name
    for module in pkgutil.walk_packages(charlm.__path__, "charlm.")
    if "make_" not in module.name  # a script: importing it runs it
]


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_docstrings_are_true(module):
    assert doctest.testmod(importlib.import_module(module)).failed == 0


@given(word_lists)
def test_every_word_survives_the_round_trip(words):
    vocab = Vocabulary.from_words(words)
    for word in words:
        ids = vocab.encode(word)
        assert vocab.decode(ids) == word
        assert all(0 < i < len(vocab) for i in ids)


@given(word_lists)
@example(["a\ud800", "\U0010ffff", "\0"])
def test_encode_all_is_encode_word_by_word(words):
    vocab = Vocabulary.from_words(words)
    plain = [i for word in words for i in vocab.encode(word)]
    ids = vocab.encode_all(words)
    assert ids.tolist() == plain
    assert np.issubdtype(ids.dtype, np.integer)


@given(word_lists)
def test_ids_number_the_sorted_characters_from_one(words):
    vocab = Vocabulary.from_words(words)
    assert vocab.chars == tuple(sorted(set("".join(words))))
    assert len(vocab) == len(vocab.chars) + 1 == len(vocab.labels)
    assert vocab.labels[0] == "."
    assert [vocab.ids[char] for char in vocab.chars] == list(range(1, len(vocab)))


def test_a_dot_in_a_word_is_not_the_boundary():
    vocab = Vocabulary.from_words(["st. ives", "a.b"])
    assert vocab.ids["."] != 0
    assert 0 not in vocab.encode("a.b")
    assert vocab.decode([0, *vocab.encode("a.b"), 0]) == ".a.b."


def test_the_names_use_26_letters(vocab):
    assert "".join(vocab.labels) == ".abcdefghijklmnopqrstuvwxyz"


@given(word_lists, texts, st.characters(exclude_categories=[]), texts)
def test_an_unknown_character_is_shown_with_its_word(words, before, char, after):
    vocab = Vocabulary(tuple(sorted(set("".join(words)) - {char})))
    known = [w for w in words if char not in w]
    word = "".join(c for c in before if c in vocab.ids) + char + after
    message = (
        f"the vocabulary does not know the character {char!r} in the word {word!r}"
    )
    with pytest.raises(UnknownCharacterError) as error:
        vocab.encode(word)
    assert str(error.value) == message
    with pytest.raises(UnknownCharacterError) as error:
        vocab.encode_all([*known, word])
    assert str(error.value) == message


@pytest.mark.parametrize("past_the_end", ["z", "\U0001f600"])
def test_a_character_after_the_last_one_is_unknown(past_the_end):
    """The binary search must not take the nearest character for the right one."""
    vocab = Vocabulary.from_words(["abc"])
    with pytest.raises(UnknownCharacterError):
        vocab.encode_all(["ab" + past_the_end])


def test_an_empty_vocabulary_knows_nothing():
    vocab = Vocabulary.from_words([])
    assert len(vocab) == 1
    assert vocab.encode_all(["", ""]).tolist() == []
    with pytest.raises(UnknownCharacterError):
        vocab.encode_all(["a"])


@pytest.mark.parametrize("chars", [("b", "a"), ("a", "a"), ("ab",), ("",)])
def test_the_characters_must_be_single_different_and_sorted(chars):
    with pytest.raises(ValueError, match="must be"):
        Vocabulary(chars)


def test_equal_characters_make_equal_vocabularies():
    assert Vocabulary.from_words(["ab"]) == Vocabulary.from_words(["ba", "b"])
    assert len({Vocabulary(("a",)), Vocabulary(("a",))}) == 1


def takers():
    """Everything that takes words, by name: a function of the words."""
    words = ["emma", "ava"]
    vocab = Vocabulary.from_words(words)
    table = NGram(vocab, 2, 0.1).fit(words)
    return {
        "from_words": Vocabulary.from_words,
        "encode_all": vocab.encode_all,
        "split_words": split_words,
        "windows": lambda words: windows(words, vocab, 2),
        "Windows": lambda words: Windows(words, vocab, 2),
        "count_ngrams": lambda words: count_ngrams(words, vocab, 2),
        "fit": table.fit,
        "evaluate": lambda words: evaluate(table, words, vocab),
        "n_characters": n_characters,
        "calibration": lambda words: calibration(table, words, vocab),
        "by_seen": lambda words: by_seen(table, words, ["emma"], vocab),
        "by_seen in": lambda words: by_seen(table, ["emma"], words, vocab),
        "share_in": lambda words: share_in(words, ["emma"]),
        "share_in of": lambda words: share_in(["emma"], words),
        "report": lambda words: report(table, words, ["emma"], vocab, n_samples=5),
    }


@pytest.mark.parametrize("taker", takers())
def test_a_string_is_no_list_of_words(taker):
    """It has the type of one, and would be words of one letter each."""
    take = takers()[taker]
    take(["emma", "ava"])
    for string in ("emma", b"emma"):
        with pytest.raises(InputError) as error:
            take(string)
        expected = f"words come in a list: got {string!r}, which is one word"
        assert str(error.value) == expected


@pytest.mark.parametrize("taker", ["from_words", "encode_all", "windows", "fit"])
@pytest.mark.parametrize(
    "word, shown",
    [(None, "None (NoneType)"), (7, "7 (int)"), (["emma"], "['emma'] (list)")],
)
def test_what_is_no_string_is_no_word(taker, word, shown):
    with pytest.raises(InputError) as error:
        takers()[taker](["emma", word])
    assert str(error.value) == f"a word is a str: got {shown}"
