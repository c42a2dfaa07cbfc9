"""What a file of words has that its owner may not have meant: said, never refused."""

import pytest

from charlm.runs.hints import found, hints
from charlm.vocab import Vocabulary


def said(words, file=None):
    return list(hints(words, Vocabulary.from_words(words).chars, file))


@pytest.fixture(scope="module")
def some(names):
    return list(dict.fromkeys(names))[:400]


SHAPES = {
    "have 1 comma, as in a table": lambda n, i: f"{n},US",
    "have 2 commas, as in a table": lambda n, i: f"{i},{n},US",
    "have 1 tab, as in a table": lambda n, i: f"{n}\t{i}",
    "have 1 semicolon, as in a table": lambda n, i: f"{n};{i}",
    "have 3 bars, as in a table": lambda n, i: f"| {n} | {i} |",
    "are in quotes, as in JSON": lambda n, i: f'"{n}",',
    "are in brackets, as in JSON": lambda n, i: f'{{"name": "{n}"}}',
    "begin with a number, as in a numbered list": lambda n, i: f"{i}. {n}",
    "begin with a number, as where words are counted": lambda n, i: f"{i % 7} {n}",
    "begin with a bullet": lambda n, i: f"- {n}",
    "begin with a tag, as in HTML": lambda n, i: f"<li>{n}</li>",
    "have columns, separated by several spaces": lambda n, i: f"{n:12} {i}",
    "are e-mail addresses": lambda n, i: f"{n}@example.org",
    "are addresses of pages": lambda n, i: f"https://example.org/{n}",
    "begin with '#'": lambda n, i: f"#{n}",
    "end with '.'": lambda n, i: f"{n}."[i % 50 == 0 :],
    "begin with 'INSERT ": lambda n, i: f"INSERT INTO names VALUES ('{n}');",
    "end with ' street'": lambda n, i: f"{n} street",
    "have many spaces, as sentences": lambda n, i: f"{n} is 1 of {i}, {n} or {i}",
}


@pytest.mark.parametrize("what", SHAPES)
def test_a_shape_of_nearly_all_lines_gets_one_hint(some, what):
    lines = [SHAPES[what](name, i) for i, name in enumerate(some)]
    for words in (lines, ["name", *lines, "["]):
        (hint,) = said([word.strip() for word in words])
        assert hint.startswith(f"nearly all lines {what}")


@pytest.mark.parametrize("what", SHAPES)
def test_a_shape_of_some_lines_gets_none(some, what):
    lines = [SHAPES[what](n, i) if i % 2 else n for i, n in enumerate(some)]
    assert not [hint for hint in said(lines) if "nearly all" in hint]


@pytest.mark.parametrize(
    "words",
    [
        ["de la Cruz", "O’Brien", "McDonald", "Smith-Jones"],
        ["Washington, D.C.", "Cork", "St. Ives", "Paris"],
        ["AB-1234", "CD-5678", "EF-9012"],
        ["2,4-dinitrophenol", "1,3-butadiene", "ethanol"],
        ["3 Musketeers", "7 Up", "A & B", "C++", "C#"],
        ["GATTACA", "CATTAGA"],
        ["1984", "2001", "42"],
        ["a" * 300],
        ["👩‍🚀", "😀", "🏴\U000e0067\U000e0062\U000e0065\U000e007f"],
        ["नमस्ते", "दिल्ली"],
        ["name　name", "名前"],
    ],
    ids=lambda words: words[0][:20],
)
def test_lists_that_are_as_they_should_be(words):
    numbered = [f"{a}{b}" for b in "xyzuvwrst" for a in words]
    assert said([*words, *numbered]) == []


def test_the_bundled_names_get_no_hint(names):
    assert said(names) == []


@pytest.mark.parametrize("remark", ["# boys", "#boys", "// boys", "-- boys", "; boys"])
def test_a_comment_is_a_word(some, remark):
    assert said([remark, *some]) == [
        f"1 line begins as comments do, first {remark!r}: it is a word here"
    ]
    assert said([remark, *some, "# girls"])[0].startswith("2 lines begin as comments")


@pytest.mark.parametrize(
    "char, name",
    [
        ("\u200b", "zero width space"),
        ("\u00ad", "soft hyphen"),
        ("\u00a0", "no-break space"),
        ("\ufeff", "zero width no-break space"),
        ("\u202e", "right-to-left override"),
        ("\x1b", "a control character"),
        ("\x00", "a control character"),
        ("\t", "a control character"),
        ("\u3164", "hangul filler"),
        ("\u2800", "braille pattern blank"),
    ],
)
def test_what_nobody_sees_gets_one_hint_with_its_first_line(some, tmp_path, char, name):
    words = [*some[:4], f"em{char}ma", *some[4:], f"a{char}va"]
    file = tmp_path / "words.txt"
    file.write_bytes("\r\n\r\n".join(words).encode())
    for place, hint in {"line 9": said(words, file), "word 5": said(words)}.items():
        assert hint == [
            f"U+{ord(char):04X} ({name}) is in 2 words, first in {place}: "
            "nobody sees it, and a model learns it as a letter"
        ]


def test_several_of_them_get_one_hint(some):
    (hint,) = said([*some, "a\u200bb", "c\u200bd", "e\xadf", "g\x7fh"])
    assert hint.startswith("U+200B (zero width space) is in 2 words, first in word 401")
    assert "(and 2 more such characters)" in hint


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_letters_that_were_converted_twice(some, encoding):
    twice = "zoé".encode().decode(encoding)
    assert said([*some, twice]) == [f"{twice!r} looks like 'zoé', saved as UTF-8 twice"]
    assert said([*some, "Ångström", "São", "Ñandú", "zoé", "Łódź"]) == []


def test_letters_that_a_conversion_lost(some):
    (hint,) = said([*some, "zo\ufffd"])
    assert hint.startswith("letters were lost in a conversion, as in 'zo\ufffd'")


def test_a_letter_that_is_written_in_two_ways(some):
    assert said([*some, "zoé", "re\u0301mi"]) == [
        "é is written in two ways, as one character and as several"
    ]
    assert said([*some, "zoe\u0301", "re\u0301mi"]) == []
    assert said([*some, "zoé", "q\u0301"]) == []


def test_many_repetitions(some):
    assert said(["emma"] * 300 + some[:20]) == [
        "more than half of the words are repetitions: dev has words of train"
    ]
    assert said(some * 2)[0].startswith("more than half")
    assert said([*some, *some[:300]]) == []


def test_a_joiner_inside_a_word_stays(some):
    persian, emoji = "نجف\u200cآباد", "👩\u200d🚀"
    assert said([*some, persian, emoji]) == []
    (hint,) = said([*some, persian, "ava\u200c"])
    assert "U+200C (zero width non-joiner) is in 1 word, first in word 402" in hint


def test_a_table_with_tabs_gets_one_hint(some):
    assert len(said([f"{name}\t1" for name in some])) == 1


def test_the_alphabet_is_shown_with_all_that_is_invisible():
    words = ["ab\u200b", "e\u0301\x1b"]
    line = found(words, Vocabulary.from_words(words).chars)
    assert line == "2 words, 6 characters: \\x1babe\u25cc\u0301\\u200b"
    assert found(["aa"], ("a",)) == "1 word, 1 character: a"
    many = Vocabulary.from_words([chr(0x4E00 + i) for i in range(500)]).chars
    assert found(["x"] * 1000, many).endswith(" and 420 more")


def test_train_says_what_it_found_and_info_lists_it(command, tmp_path, some):
    file, out = tmp_path / "words.csv", tmp_path / "run"
    file.write_text("name,country\n" + "".join(f"{n}\u200b,US\n" for n in some))
    status, _, err = command("train", file, "--out", out, "--model", "ngram")
    first, *others = err.splitlines()
    others = [line for line in others if line.startswith("hint: ")]
    assert status == 0
    assert first.startswith("401 words, 30 characters: ,SUabc")
    assert first.endswith("xyz\\u200b")
    assert [hint[:30] for hint in others] == [
        "hint: nearly all lines have 1 ",
        "hint: U+200B (zero width space",
    ]
    assert "first in line 2:" in others[1]
    assert "xyz\\u200b" in command("info", out)[1]


def test_train_says_it_of_the_bundled_names(command, tmp_path):
    status, _, err = command("train", "--out", tmp_path / "run", "--model", "ngram")
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    assert status == 0 and "hint" not in err
    assert err.startswith(f"32,257 words, 26 characters: {alphabet}\n")


def test_marks_of_joined_files_are_no_letters(command, tmp_path, some):
    """Two files that begin with a byte-order mark, joined by `cat`."""
    plain, joined = tmp_path / "plain.txt", tmp_path / "joined.txt"
    parts = ["\n".join(part) + "\n" for part in (some[:200], some[200:])]
    plain.write_text("".join(parts))
    joined.write_bytes(b"".join(part.encode("utf-8-sig") for part in parts))
    losses = [
        command(
            "train", file, "--out", f"{file}.run", *["--model", "ngram", "--order", "2"]
        )
        for file in (plain, joined)
    ]
    assert losses[0][0] == 0 and losses[0][1].split()[:2] == losses[1][1].split()[:2]
