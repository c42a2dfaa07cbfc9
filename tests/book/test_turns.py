"""The functions that a chapter asks for in passing: right, wrong, and nonsense.

They stand in `turns/`, a module for each part that has some, as in `exercises/`.
"""

from importlib import import_module

import pytest
from nonsense import NONSENSE

PARTS = ["part1", "part3", "part4"]
CHECKED = {part: import_module(f"charlm.book.exercises.{part}") for part in PARTS}
ANSWERS = {part: import_module(f"turns.{part}") for part in PARTS}
TURNS = [(part, turn) for part in PARTS for turn in CHECKED[part].TURNS]


@pytest.mark.parametrize("part", PARTS)
def test_each_turn_has_right_and_wrong_answers(part):
    answers, checked = ANSWERS[part], CHECKED[part]
    assert answers.RIGHT.keys() == answers.WRONG.keys() == checked.TURNS.keys()
    assert not checked.TURNS.keys() & checked.CHECKS.keys()


@pytest.mark.parametrize("part, turn", TURNS)
def test_a_right_function_is_right_in_each_form(part, turn, capsys):
    for number, answer in enumerate(ANSWERS[part].RIGHT[turn]):
        ok = CHECKED[part].check(turn, answer)
        assert ok, f"{number}: {capsys.readouterr().out}"
    assert f"{turn}: right!" in capsys.readouterr().out


@pytest.mark.parametrize("part, turn", TURNS)
def test_a_common_mistake_is_recognized(part, turn, capsys):
    for answer, words in ANSWERS[part].WRONG[turn]:
        assert not CHECKED[part].check(turn, answer), words
        out = capsys.readouterr().out
        assert words in out, f"{words}: {out}"


@pytest.mark.parametrize("part, turn", TURNS)
def test_nonsense_is_explained_in_a_sentence(part, turn, capsys):
    for number, nonsense in enumerate(NONSENSE):
        assert not CHECKED[part].check(turn, nonsense)
        out = capsys.readouterr().out
        assert out.startswith(f"{turn}: not yet. ") and out.count("\n") == 1, number
