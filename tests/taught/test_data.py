"""Reading, splitting and cutting: the right words, and windows that keep to them."""

import bz2
import gzip
import hashlib
import lzma
import random
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from charlm.data import (
    WordsError,
    load_words,
    soft_targets,
    split_words,
    windows,
    windows_in_parts,
)
from charlm.runs.windows import WholeWords, Windows
from charlm.vocab import UnknownCharacterError, Vocabulary

ROOT = Path(__file__).parents[2]
NAMES_SHA256 = "bd02dfd33179e23ec2dd093cbd4de619834f75d660ef1ae04d3127e7a0110053"

word_lists = st.lists(st.text(max_size=10), max_size=15)


@pytest.fixture
def read(tmp_path):
    """Write bytes to a file and read its words."""

    def read(raw: bytes) -> list[str]:
        path = tmp_path / "words.txt"
        path.write_bytes(raw)
        return load_words(path)

    return read


# The bundled names


def test_the_bundled_names_are_the_released_ones(names):
    raw = files("charlm").joinpath("names.txt").read_bytes()
    assert hashlib.sha256(raw).hexdigest() == NAMES_SHA256
    assert len(names) == 32_257
    assert names == raw.decode("ascii").split()


def test_the_page_of_changes_says_how_much_longer_the_list_is(names):
    changes = Path(__file__).parents[2] / "book" / "changes.md"
    assert f" {len(names) - 32033} records longer " in changes.read_text("utf-8")


def test_every_file_of_the_package_is_packed():
    """A file that is not Python is installed only if pyproject.toml names it."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    packed = config["package-data"]["charlm"]
    package = ROOT / "charlm"
    files = (p for p in package.rglob("*") if p.is_file() and p.suffix != ".pyc")
    here = {p.relative_to(package).as_posix() for p in files}
    assert {name for name in here if not name.endswith(".py")} == set(packed)
    folders = {p.parent.relative_to(ROOT) for p in package.rglob("*.py")}
    assert {".".join(folder.parts) for folder in folders} == set(config["packages"])


def test_parts_are_the_whole_cut(names, vocab):
    """However long a word is: a part is no longer for it."""
    words = [*names[:50], names[0] * 40]
    X, Y = windows(words, vocab, 3)
    parts = list(windows_in_parts(words, vocab, 3, size=64))
    assert {len(y) for _, y in parts[:-1]} == {64} and len(parts[-1][1]) <= 64
    assert torch.cat([x for x, _ in parts]).equal(X)
    assert torch.cat([y for _, y in parts]).equal(Y)


# load_words


@pytest.mark.parametrize(
    "raw",
    [
        b"emma\nava\n",
        b"emma\nava",
        b"emma\r\nava\r\n",
        b"emma\rava\r",
        b"\xef\xbb\xbfemma\nava\n",
        b"\n\n  emma\t\n \t \nava\n\n",
        b"\xef\xbb\xbfemma\n\xef\xbb\xbf\xef\xbb\xbfava\n",
        b"\xef\xbb\xbfemma\r\n\xef\xbb\xbfava\r\n",
        b"emma\r\xef\xbb\xbf\r\xef\xbb\xbf ava",
    ],
    ids=[
        *("plain", "no end", "CRLF", "CR", "BOM", "blanks"),
        *("BOM in each", "BOM, CRLF", "BOM, CR"),
    ],
)
def test_line_ends_byte_order_mark_and_blank_lines(read, raw):
    assert read(raw) == ["emma", "ava"]


@pytest.mark.parametrize(
    "word", ["josé", "i̇ş", "mary ann", "st. ives", ".", "日本", "😀", "e\u0301"]
)
def test_accents_spaces_and_dots_are_characters(read, word):
    assert read(f"{word}\nava\n".encode()) == [word, "ava"]


@pytest.mark.parametrize("char", "\v\f\x1c\x1d\x1e\x85\u2028\u2029\0")
def test_only_line_ends_split_lines(read, char):
    assert read(f"a{char}b\nc\n".encode()) == [f"a{char}b", "c"]


def test_the_order_and_the_doubles_stay(read):
    assert read(b"b\na\nb\n") == ["b", "a", "b"]


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0\ufeff")))
)
def test_written_words_are_read_back(tmp_path_factory, words):
    path = tmp_path_factory.mktemp("words") / "words.txt"
    expected = [w.strip() for w in words if w.strip()]
    path.write_text("\n".join(["first", *words]), encoding="utf-8", newline="")
    assert load_words(path) == ["first", *expected]


def test_a_path_may_be_a_string(tmp_path):
    (tmp_path / "w.txt").write_text("emma\n")
    assert load_words(str(tmp_path / "w.txt")) == ["emma"]


@pytest.mark.parametrize("raw", [b"", b"\n", b" \r\n\t\n", b"\xef\xbb\xbf"])
def test_a_file_without_words(read, tmp_path, raw):
    with pytest.raises(WordsError) as error:
        read(raw)
    assert str(error.value) == f"{tmp_path / 'words.txt'} contains no words"


def test_a_missing_file(tmp_path):
    with pytest.raises(WordsError) as error:
        load_words(tmp_path / "none.txt")
    assert str(error.value) == f"{tmp_path / 'none.txt'}: there is no such file"


def test_a_folder(tmp_path):
    with pytest.raises(WordsError) as error:
        load_words(tmp_path)
    assert str(error.value) == f"{tmp_path} is a folder, not a file of words"


def test_another_failure_names_file_and_reason(tmp_path):
    (tmp_path / "file").write_text("emma")
    with pytest.raises(WordsError, match="file/below cannot be read: Not a directory"):
        load_words(tmp_path / "file" / "below")


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (b"\xff\n", 1),
        (b"emma\nava\njos\xe9\n", 3),
        (b"emma\r\nava\r\njos\xe9\r\n", 3),
        (b"emma\rava\rjos\xe9\r", 3),
        (b"\xef\xbb\xbfa\n\xff", 2),
        (b"a\xe2\x80\xa8b\n\xff", 2),
        (b"emma\njos\xc3", 2),
    ],
    ids=["first", "LF", "CRLF", "CR", "BOM", "U+2028", "cut off"],
)
def test_not_utf_8_names_the_line(read, tmp_path, raw, line):
    with pytest.raises(WordsError) as error:
        read(raw)
    path = tmp_path / "words.txt"
    assert str(error.value).startswith(f"{path}, line {line}: this is not UTF-8 text (")


@pytest.mark.parametrize(
    "raw, seen, way",
    [
        (
            b"ava\njos\xe9\n",
            "reads 'josé' there",
            "iconv -f cp1252 -t UTF-8 FILE > NEW",
        ),
        (b"\x93ava\x94\n", "reads '“ava”' there", "iconv -f cp1252"),
        (
            b"a" * 10**6 + b"\xe9" + b"b" * 10**6,
            f"{'a' * 40}é{'b' * 39}' there",
            "iconv",
        ),
        ("ava\nzoé".encode()[:-1], "reads 'zoÃ' there", "iconv"),
        (b"emma\n\x81\x8d\n", "nor is it cp1252", "save it as UTF-8"),
    ],
    ids=["cp1252", "quotes", "long line", "cut off", "no cp1252"],
)
def test_not_utf_8_shows_another_reading_and_a_way_out(read, raw, seen, way):
    with pytest.raises(WordsError) as error:
        read(raw)
    assert seen in str(error.value) and way in str(error.value)
    assert len(str(error.value)) < 400


NAMES = "emma\nolivia\nava\n" * 40


@pytest.mark.parametrize(
    "raw, what",
    [
        (NAMES.encode("utf-16"), "UTF-16 text: save it as UTF-8, or convert it: iconv"),
        (NAMES.encode("utf-16-be"), "UTF-16BE text: save it as UTF-8"),
        (NAMES.encode("utf-16-le"), "UTF-16LE text: save it as UTF-8"),
        (b"\xfe\xff" + NAMES.encode("utf-16-be"), "UTF-16 text: save"),
        (NAMES.encode("utf-32"), "UTF-32 text: save it as UTF-8"),
        (gzip.compress(NAMES.encode()), "a gzip file: unpack it first (gunzip)"),
        (bz2.compress(NAMES.encode()), "a bzip2 file: unpack it first (bunzip2)"),
        (lzma.compress(NAMES.encode()), "an xz file: unpack it first (unxz)"),
        (b"PK\3\4" + NAMES.encode(), "a zip archive, as spreadsheets"),
        (b"%PDF-1.7\n" + NAMES.encode(), "a PDF: save its words as plain text"),
        (b"{\\rtf1\n" + NAMES.encode(), "a rich-text document: save its words"),
        (
            b"words.txt".ljust(257, b"\0") + b"ustar" + NAMES.encode() * 9,
            "a tar archive",
        ),
        (b"\0\0\0\1" * 99 + NAMES.encode()[:60], "zero bytes; save its words"),
        (b"\0" * 999, "zero bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_text_is_named_with_a_way_out(read, tmp_path, raw, what):
    with pytest.raises(WordsError) as error:
        read(raw)
    sentence = str(error.value)
    assert sentence.startswith(f"{tmp_path / 'words.txt'} ") and what in sentence


@pytest.mark.parametrize(
    "raw",
    [
        *(b"BZhang\n", b"PK\n", b"PDF\n", b"a\0b\nc\n", b"PAR\n"),
        b"emma\n" * 51 + b"\nmustard\n",  # its u is where a tar archive says ustar
    ],
)
def test_text_that_begins_a_little_alike_is_read(read, raw):
    assert read(raw)


# split_words


def test_the_split_is_the_lectures(names):
    shuffled = names.copy()
    random.seed(42)
    random.shuffle(shuffled)
    n1, n2 = int(0.8 * len(names)), int(0.9 * len(names))
    assert split_words(names) == (shuffled[:n1], shuffled[n1:n2], shuffled[n2:])


def test_the_split_leaves_words_and_the_global_generator_alone(names):
    words, state = names[:100], random.getstate()
    split_words(words)
    assert words == names[:100]
    assert random.getstate() == state


@given(word_lists, st.integers(0, 2**32))
def test_the_split_keeps_every_word(words, seed):
    train, dev, test = split_words(tuple(words), seed=seed)
    assert sorted(train + dev + test) == sorted(words)
    assert len(train) == int(0.8 * len(words))
    assert len(train) + len(dev) == int(0.9 * len(words))


def test_another_seed_gives_another_split(names):
    assert split_words(names, seed=1) != split_words(names)


# windows


def plain_windows(words, vocab, block_size):
    """The lecture's loop."""
    X, Y = [], []
    for word in words:
        context = [0] * block_size
        for i in [*vocab.encode(word), 0]:
            X.append(context)
            Y.append(i)
            context = [*context, i][1:] if block_size else []
    return X, Y


@given(word_lists, st.integers(0, 12))
def test_windows_are_those_of_the_plain_loop(words, block_size):
    vocab = Vocabulary.from_words(words)
    X, Y = windows(words, vocab, block_size)
    assert X.shape == (sum(len(word) + 1 for word in words), block_size)
    assert X.dtype == Y.dtype == torch.int64
    assert (X.tolist(), Y.tolist()) == plain_windows(words, vocab, block_size)


def test_windows_never_cross_words():
    """Each word has letters of its own, so a window that mixes two words shows."""
    words = ["abc", "", "defgh", "i"]
    vocab = Vocabulary.from_words(words)
    X, Y = windows(words, vocab, 4)
    for row in torch.cat([X, Y[:, None]], dim=1).tolist():
        letters = set(vocab.decode(row)) - {"."}
        assert any(letters <= set(word) for word in words)


def test_windows_of_the_names(names, vocab):
    X, Y = windows(names, vocab, 3)
    assert len(X) == len(Y) == sum(map(len, names)) + len(names)
    assert [vocab.decode(x) for x in X[:6].tolist()] == [
        "...", "..e", ".em", "emm", "mma", "...",
    ]  # fmt: skip
    assert vocab.decode(Y[:6].tolist()) == "emma.o"


def test_windows_of_unknown_characters_and_negative_sizes():
    vocab = Vocabulary.from_words(["ab"])
    with pytest.raises(UnknownCharacterError, match="'é' in the word 'bé'"):
        windows(["ab", "bé"], vocab, 3)
    with pytest.raises(ValueError, match="block_size must not be negative, got -1"):
        windows(["ab"], vocab, -1)


def test_windows_store_one_byte_a_character_and_no_contexts():
    """A table of contexts would take 8 * block_size times as much."""
    words = ["anna", "bo"] * 100_000
    vocab = Vocabulary.from_words(words)
    for block_size in (8, 64):
        examples = Windows(words, vocab, block_size)
        tensors = [t for t in vars(examples).values() if isinstance(t, torch.Tensor)]
        stored = sum(t.untyped_storage().nbytes() for t in tensors)
        assert stored == sum(len(word) + 1 for word in words) + block_size
        x, y = examples[torch.tensor([0, len(examples) - 1])]
        assert (x.shape, y.shape) == ((2, block_size), (2,))


@pytest.mark.parametrize(("n_chars", "size"), [(127, 1), (128, 2), (40_000, 4)])
def test_windows_of_large_alphabets_keep_every_id(n_chars, size):
    """The ids stand in the smallest integers that hold them, and come out as int64."""
    chars = [chr(i) for i in range(0x4E00, 0x4E00 + n_chars)]
    vocab = Vocabulary.from_words(chars)
    examples = Windows(["".join(chars)], vocab, 2)
    assert examples.row.element_size() == size
    x, y = examples[torch.arange(len(examples))]
    assert y.tolist() == [*range(1, n_chars + 1), 0]
    assert x[-1].tolist() == [n_chars - 1, n_chars]
    assert x.dtype == y.dtype == torch.int64


# whole words


@given(word_lists.filter(any), st.integers(1, 4), st.integers(0, 9))
def test_an_item_has_all_examples_of_its_words(words, block_size, seed):
    words = [word for word in words if word]
    vocab = Vocabulary.from_words(words)
    examples = WholeWords(words, vocab, block_size)
    assert len(examples) == len(words)
    generator = torch.Generator().manual_seed(seed)
    at = torch.randint(len(words), (3,), generator=generator)
    chosen = [words[i] for i in at.tolist()]
    x, y = examples[at]
    assert torch.equal(x, windows(chosen, vocab, block_size)[0])
    X, Y = windows(words, vocab, block_size)
    shares = soft_targets(X, Y, len(vocab))
    for context, target in zip(x, y, strict=True):
        assert torch.equal(target, shares[(context == X).all(1)][0])
    assert examples.n_examples(at) == len(y)


def test_a_pass_has_each_word_once_and_can_be_entered_anywhere():
    words = ["anna", "ann", "bo", "cy", "di"]
    examples = WholeWords(words, Vocabulary.from_words(words), 3)
    row = torch.cat([examples.passes(7, start, 3) for start in range(0, 30, 3)])
    passes = row.view(6, 5)
    assert (passes.sort(dim=1).values == torch.arange(5)).all()
    assert len(set(map(tuple, passes.tolist()))) > 1
    again = WholeWords(words, Vocabulary.from_words(words), 3)
    assert torch.equal(again.passes(7, 11, 13), row[11:24])
    assert not torch.equal(again.passes(8, 0, 30), row)


def test_of_very_many_words_the_targets_are_single_ids(monkeypatch):
    """Shares of all would take V numbers for each example."""
    words = ["anna", "ann", "bo"]
    vocab = Vocabulary.from_words(words)
    monkeypatch.setattr("charlm.runs.windows.SOFT_UP_TO", 5)
    x, y = WholeWords(words, vocab, 3)[torch.tensor([1, 2])]
    X, Y = windows(["ann", "bo"], vocab, 3)
    assert torch.equal(x, X)
    assert torch.equal(y, torch.nn.functional.one_hot(Y, len(vocab)).float())


# followers


@given(word_lists.filter(any), st.integers(0, 4))
def test_followers_are_the_shares_of_what_follows(words, block_size):
    vocab = Vocabulary.from_words(words)
    X, Y = windows(words, vocab, block_size)
    contexts = [tuple(x) for x in X.tolist()]
    seen = list(zip(contexts, Y.tolist(), strict=True))
    expected = [
        [seen.count((x, y)) / contexts.count(x) for y in range(len(vocab))]
        for x in contexts
    ]
    found = soft_targets(X, Y, len(vocab))
    torch.testing.assert_close(found, torch.tensor(expected))


def test_followers_as_targets_have_the_same_loss_and_gradient(names, vocab):
    """Over all examples: this is what makes them fair targets."""
    X, Y = windows(names[:300], vocab, 2)
    table = torch.randn(27, 27, generator=torch.Generator().manual_seed(1))
    gradients = []
    for targets in (Y, soft_targets(X, Y, 27)):
        W = table.clone().requires_grad_()
        loss = torch.nn.functional.cross_entropy(W[X].sum(1), targets)
        gradients.append((loss, *torch.autograd.grad(loss, W)))
    torch.testing.assert_close(*gradients)
