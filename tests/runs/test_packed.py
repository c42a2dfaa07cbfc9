"""Packed words are what a list of them is, are read and split as it, and are small."""

import re
import tracemalloc
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from charlm.data import WordsError, read_words, split_words
from charlm.runs import trainer
from charlm.runs.hints import hints
from charlm.runs.packed import PackedWords, _shuffled, split_packed
from charlm.runs.run import Run, new
from charlm.runs.source import read_source
from charlm.vocab import InputError, Vocabulary

WORD = st.text(st.characters(exclude_characters="\n", codec="utf-8"), max_size=6)
LISTS = st.lists(st.lists(WORD, max_size=6), max_size=4)


@pytest.fixture(autouse=True, scope="module")
def parts():
    """Parts of a few words, so that few words have many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("charlm.runs.packed.WORDS_AT_ONCE", 3)
        patch.setattr("charlm.data.BYTES_AT_ONCE", 8)
        yield


@given(LISTS, st.slices(20), st.booleans())
@example([["emma"] * 6], slice(4, 1), False)
def test_they_are_what_a_list_of_them_is(lists, at, is_large):
    words = [word for part in lists for word in part]
    packed = PackedWords.of(lists)
    if is_large:  # as of a row of more than 4 GB
        packed = PackedWords(packed.row, packed.starts.astype(np.uint64))
    n = len(words)
    assert len(packed) == n and [*packed] == words == packed and packed == words
    assert [packed[i] for i in range(-n, n)] == words * 2
    assert packed[at] == words[at] and packed[at][::-1] == words[at][::-1]
    assert [*packed[at]] == words[at] and len(packed[at]) == len(words[at])
    numbers = np.array([*range(n), *range(0, n, 2)], np.uint32)
    assert packed.pick(numbers) == words + words[::2]
    assert packed.chars() == {*"".join(words)}
    if words:
        assert packed.longest() == max(map(len, words))


def test_what_differs_is_not_equal():
    packed = PackedWords.of([["emma", "ava"]])
    others = (["emma"], ["emma", "avo"], ["emmaa", "va"], ["emma", "ava", ""])
    assert all(packed != other != packed for other in others)
    assert all(packed != PackedWords.of([other]) for other in others)
    assert packed != "emma" and packed != ("emma", "ava")


def test_what_is_refused():
    packed = PackedWords.of([["emma", "ava"]])
    for at in (2, -3):
        with pytest.raises(IndexError):
            packed[at]
    with pytest.raises(TypeError):
        packed[0] = "mia"  # type: ignore[index]
    with pytest.raises(InputError, match="a word has no line break"):
        PackedWords.of([["em\nma", "ava"]])
    with pytest.raises(InputError, match="got 'emma', which is one word"):
        PackedWords.of(["emma", "ava"])


def test_joined_they_are_a_list():
    words, more = PackedWords.of([["emma", "ava"]]), PackedWords.of([["mia"]])
    some = ["mia"]
    assert words + some == words + more == ["emma", "ava", "mia"]
    assert some + words == more + words == ["mia", "emma", "ava"]


def test_few_are_shown_as_a_list_and_of_many_the_first():
    assert repr(PackedWords.of([["emma", "ava"]])) == "['emma', 'ava']"
    many = PackedWords.of([["a", "b"]] * 1000)
    assert repr(many) == "<2,000 words: 'a', 'b', 'a', 'b', 'a', 'b', ...>"


def plain(content):
    """The words of a file, all at once."""
    text = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    lines = re.sub(b"^(?:\xef\xbb\xbf)+", b"", text, flags=re.M).decode().split("\n")
    return [line.strip() for line in lines if line.strip()]


PIECES = ["emma", "é", "日本", "😀", " ", "\t", "\u2003", "\x85", "\u2028", "\f"]
PIECES += ["\n", "\r", "\r\n", "\ufeff"]


@given(st.lists(st.sampled_from(PIECES), max_size=40), st.binary(max_size=2))
@example(["emma", *["\n"] * 40], b"")
@example(["\n"] * 40, b"")
@example(["emma", "\n"] * 9 + ["é"] * 9, b"\xc3")
def test_a_file_is_read_in_parts_as_at_once(tmp_path_factory, pieces, end):
    file = tmp_path_factory.mktemp("words") / "words.txt"
    file.write_bytes(content := "".join(pieces).encode() + end)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("charlm.data.BYTES_AT_ONCE", 2**20)
        try:
            words = read_words(file)[0]
        except WordsError as error:
            with pytest.raises(WordsError, match=f"^{re.escape(str(error))}$"):
                patch.undo()
                read_source(file)
            return
    source = read_source(file)
    assert source.words == words == plain(content) and source.content == content


POWERS = {2**k + d for k in range(13) for d in (-1, 0, 1)}


@pytest.mark.parametrize("seed", [0, 42, -1, 2**70])
def test_the_split_is_that_of_a_list(seed):
    for n in sorted({*range(70), *POWERS}):
        words = [*map(str, range(n))]
        packed = split_packed(PackedWords.of([words]), seed)
        assert [*map(list, packed)] == [*split_words(words, seed)]


@pytest.mark.parametrize("n", [65_537, 300_000])
def test_the_order_of_many_is_that_of_python(n):
    train, dev, test = split_words(range(n), 7)  # type: ignore[arg-type]
    assert _shuffled(n, 7).tolist() == [*train, *dev, *test]


def test_a_run_takes_a_list(tmp_path, names):
    run = new(tmp_path / "run", names[:50])
    again = Run(run.store, names[:50])
    assert again.words() == names[:50] and again.words("dev") == run.words("dev")


@pytest.mark.parametrize("model", ["ngram", "bigram", "gru"])
def test_no_list_of_all_words_is_made(tmp_path, names, monkeypatch, model):
    """A list takes more than 60 bytes a word, and its split 8 more."""
    monkeypatch.setattr("charlm.vocab.sys", SimpleNamespace(maxunicode=127))
    for place in ("data", "counts", "runs.packed", "runs.windows"):
        monkeypatch.setattr(f"charlm.{place}.WORDS_AT_ONCE", 1000)
    monkeypatch.setattr("charlm.data.BYTES_AT_ONCE", 2**13)
    monkeypatch.setattr("charlm.runs.trainer.DEV_WORDS", 10)
    file = tmp_path / "words.txt"
    file.write_text("\n".join(names * 2))
    settings: dict[str, Any] = {"order": 3} if model == "ngram" else {"steps": 1}
    trainer.train(names[:20], out=tmp_path / "few", model=model, **settings)  # imports
    tracemalloc.start()
    try:
        run = new(tmp_path / "run", file, model=model, **settings)
        said = [*hints(run.words(), run.config.chars, file)]
        if model == "ngram":
            trainer.count(run)
        else:
            next(iter(trainer.begin(run)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert said == [] and peak < 40 * 2 * len(names)
    assert run.vocab == Vocabulary.from_words(names)
