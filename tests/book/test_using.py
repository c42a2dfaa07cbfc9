"""The recipes of "Using charlm on your own words", on more words than the page has."""

import re
from itertools import product
from pathlib import Path
from typing import Any
from unicodedata import category, normalize

import pytest
import torch
from chapters import code_cells

from charlm.vocab import Vocabulary

PAGE = (Path(__file__).parents[2] / "book" / "using.md").read_text(encoding="utf-8")


def cell_with(*parts):
    """The source of the one cell of the page that has all of these parts."""
    (source,) = (
        source
        for _, tags, source in code_cells(PAGE)
        if all(part in source for part in parts)
    )
    return source


@pytest.fixture(scope="module")
def recipes():
    """The names that the page's cells on spelling define."""
    names: dict[str, Any] = {}
    for start in ("def plain", "def tidy", "lists = {", "lists |= {", "swaps = {"):
        exec(cell_with(start), names)
    return names


def test_each_language_has_a_dozen_spellings(recipes):
    lists = recipes["lists"]
    assert len(lists) == 10
    assert {len(text.split()) for text in lists.values()} == {12}
    assert recipes["swaps"].keys() <= lists.keys()


def test_without_options_no_letter_is_lost(recipes):
    tidy = recipes["tidy"]
    words = " ".join(recipes["lists"].values()).split()
    words += ["Ærø", "Łódź", "ガギグ", "Zoe\u0301", "CO2", "10²", "👩‍🚀", "ﷲ", "O’Hara"]
    assert [w for w in words if normalize("NFD", tidy(w)) != normalize("NFD", w)] == []
    assert [w for w in words if tidy(tidy(w)) != tidy(w)] == []


def test_the_list_below_the_recipe_names_each_of_its_steps():
    code, _, below = PAGE.partition("def tidy(")[2].partition("```")
    steps = below.partition("Let us try it")[0].splitlines()
    named = " ".join(line for line in steps if line.startswith("- `"))
    for step in ("normalize", "translate", "swap", "lower", "split", "join"):
        assert step in code and f"`{step}" in named, step


def test_a_wrong_guess_raises_no_error_on_the_page(capsys):
    exec(cell_with('.decode("cp1252"'), {})
    assert "errors=" not in cell_with('.decode("cp1252"')
    assert capsys.readouterr().out == "Zo\u00c3\u00a9, K\u00c3\u00b6ln\n"


@pytest.mark.parametrize(
    "language, raw, tidied",
    [
        ("German", "Straße", "straße"),
        ("German", "GIEẞEN", "gießen"),
        ("Turkish", "İzmir", "izmir"),
        ("Turkish", "I\u0307zmir", "izmir"),
        ("Turkish", "DİYARBAKIR", "diyarbakır"),
        ("Greek", "ΒΌΛΟΣ", "βόλος"),
        ("Romanian", "Timişoara", "timișoara"),
        ("Romanian", "Constanţa", "constanța"),
        ("Romanian", "Ias\u0327i", "iași"),
        ("Ukrainian", "Кам'янець", "кам’янець"),
        ("Ukrainian", "Миколаі\u0308в", "миколаїв"),
        ("Vietnamese", "Đa\u0300 Nẵng", "đà nẵng"),
        ("Thai", "ล\u0e4d\u0e32ปาง", "ล\u0e33ปาง"),
        ("Hindi", "चंडीग\u095d", "चंडीग\u0922\u093c"),
        ("Persian", "كاشان", "کاشان"),
        ("Persian", "نجف\u200cآباد", "نجف\u200cآباد"),
        ("Korean", normalize("NFD", "서울"), "서울"),
        ("Russian", "И\u0306ошкар-Ола", "йошкар-ола"),
        ("Polish", "ŁÓDŹ", "łódź"),
        ("Spanish", "A\u00a0Corun\u0303a ", "a coruña"),
        ("Japanese", "カ\u3099", "ガ"),
        ("Chinese", "北京\u3000", "北京"),
        ("English", "co\u00adop\u200b \ufeff town", "coop town"),
        ("English", "\u202aYork\u202c \u2068town\u2069", "york town"),
    ],
)
def test_a_word_is_written_one_way(recipes, language, raw, tidied):
    swap = recipes["swaps"].get(language)
    assert recipes["tidy"](raw, swap, lower=True) == tidied


def test_points_of_hebrew_can_be_dropped(recipes):
    pointed = "\u05d9\u05b0\u05e8\u05d5\u05bc\u05e9\u05c1\u05b8"
    pointed += "\u05dc\u05b7\u05d9\u05b4\u05dd"
    swap = {char: "" for char in pointed if category(char) == "Mn"}
    plain = "\u05d9\u05e8\u05d5\u05e9\u05dc\u05d9\u05dd"
    assert recipes["tidy"](pointed, swap) == plain


def test_case_is_kept_unless_asked(recipes):
    for word in ("McDonald", "pH", "CO2", "İzmir", "ΒΌΛΟΣ"):
        assert recipes["tidy"](word) == word


@pytest.mark.parametrize(
    "word, mark", [("España", "ñ"), ("Йошкар", "й"), ("ガ", "ガ"), ("Straße", "ß")]
)
def test_stripping_accents_loses_a_letter(recipes, word, mark):
    assert mark not in recipes["plain"](word)
    assert mark in recipes["tidy"](word, lower=True)


class Babbler:
    """Draws words of one to nine letters in turn."""

    def sample(self, n, seed):
        return ["a" * (1 + (seed + i) % 9) for i in range(n)]


def test_words_of_a_length_end_where_there_are_none():
    names: dict[str, Any] = {}
    exec(cell_with("def of_length").partition("\n\n\n")[0], names)
    found, count = names["of_length"](Babbler(), 5, 3, 4)
    assert (sorted(found), count) == (["aaa", "aaaa"], 5000)
    assert names["of_length"](Babbler(), 1, 3, 4)[1] == 100


class Mute:
    """Finds no new words."""

    def sample(self, n, seed):
        return []


def test_the_search_for_words_of_a_length_ends_without_any():
    names: dict[str, Any] = {}
    exec(cell_with("def of_length").partition("\n\n\n")[0], names)
    assert names["of_length"](Mute(), 5, 3, 4) == ([], 5000)


def test_a_share_of_copies_alone_accuses_no_model():
    """A model that quotes hits train more often than words that were held out."""
    (accused,) = re.findall(r"[^.:]*\bmodel[^.:,]* quotes\b[^.:]*[.:]", PAGE)
    assert "train" in accused and "held-out" in accused


def test_close_words_differ_by_a_letter_at_most():
    names: dict[str, Any] = {}
    exec(cell_with("def trimmed").partition("\n\n\n")[0], names)
    trimmed = names["trimmed"]
    for other in ("anna", "ana", "annas", "inna", "nnaa"):
        assert trimmed("anna") & trimmed(other)
    for other in ("ann's", "emma", "an"):
        assert not trimmed("anna") & trimmed(other)


def test_mixed_tables_are_distributions():
    names: dict[str, Any] = {}
    exec("from charlm.counts import NGram\n" + cell_with("class Mixed"), names)
    vocab = Vocabulary.from_words(["emma", "ava"])
    mixed = names["Mixed"](["emma", "ava"], vocab, order=3, weight=5)
    idx = torch.cartesian_prod(torch.arange(5), torch.arange(5))
    assert mixed(idx).exp().sum(1).allclose(torch.ones(25))
    seen, unseen = mixed(torch.tensor([[0, 2], [4, 4]])).exp()
    assert seen[3] > unseen[3] > 0


def test_mixed_tables_write_words():
    names: dict[str, Any] = {}
    exec("from charlm.counts import NGram\n" + cell_with("class Mixed"), names)
    exec("import torch\nfrom charlm.sample import sample_words", names)
    exec(cell_with("def seeded").partition("\n\n\n")[0], names)
    names["my_words"] = ["emma", "ava"]
    names["vocab"] = Vocabulary.from_words(names["my_words"])
    (call,) = re.findall(r"`(sample_words\(Mixed[^`]*)`", PAGE)
    assert len(eval(call, names)) == 20


def test_a_short_list_of_your_own_has_a_curve(capsys):
    names: dict[str, Any] = {
        "names": ["".join(pair) for pair in product("abcdefgh", repeat=2)],
        "fit": lambda *args, **options: None,
        "adamw": lambda *args, **options: None,
        "cosine": lambda *args: None,
    }
    imports = """
import torch
from charlm.counts import NGram
from charlm.data import split_words, windows
from charlm.evaluate import evaluate
from charlm.models import MLP
from charlm.vocab import Vocabulary
"""
    exec(imports, names)
    exec(cell_with("def seeded").partition("\n\n\n")[0], names)
    for part in ("class Mixed", "def one_table", "def trained", "DECAY = "):
        exec(cell_with(part), names)
    half = len(names["pool"]) // 2
    names["DECAY"] = {half // 2: (2, 4), half: (2, 4)}
    for part in ("found = {}", 'gain = ahead(kind, "one table", size)\n    print'):
        exec(cell_with(part), names)
    assert len(capsys.readouterr().out.splitlines()) == 8
