"""The checks of the exercises know right from wrong, name mistakes, never crash.

The answers stand in `exercises/`, a module for each part: RIGHT has a list of right
answers for each exercise, in their several legitimate forms, and WRONG a list of pairs
of a wrong answer and words of the message that it must get.
"""

import math
import re
from importlib import import_module
from typing import Any

import pytest
import torch
from nonsense import NONSENSE

from charlm.book.exercises import MODULES, check, part1, part5
from charlm.book.exercises.atoms import ORDER
from charlm.book.exercises.part3 import DIAGNOSES, _unigram_loss, patients
from charlm.book.exercises.part4 import PARAMETERS
from charlm.data import batches, windows
from charlm.diagnostics import UpdateRatios, layer_stats, trace
from charlm.train import training_steps

CASES = [import_module(f"exercises.{module}") for module in MODULES.values()]
RIGHT = {k: row for cases in CASES for k, row in cases.RIGHT.items()}
WRONG = {k: row for cases in CASES for k, row in cases.WRONG.items()}
CHECKS = [
    exercise
    for module in MODULES.values()
    for exercise in import_module(f"charlm.book.exercises.{module}").CHECKS
]


def test_each_check_has_right_answers_and_three_wrong_ones():
    assert RIGHT.keys() == WRONG.keys() == set(CHECKS)
    assert [e for e in CHECKS if len(RIGHT[e]) < 1 or len(WRONG[e]) < 3] == []


@pytest.mark.parametrize("exercise", RIGHT)
def test_a_right_answer_is_right_in_each_form(exercise, capsys):
    for answer in RIGHT[exercise]:
        ok = check(exercise, answer)
        out = capsys.readouterr().out
        assert ok and out == f"{exercise}: right!\n", f"{answer!r:.80}: {out}"


@pytest.mark.parametrize("exercise", WRONG)
def test_a_common_mistake_is_recognized(exercise, capsys):
    for answer, words in WRONG[exercise]:
        ok = check(exercise, answer)
        out = capsys.readouterr().out
        assert not ok and words in out, f"{answer!r:.80}: {out}"
        assert not shows(out.removeprefix(exercise), RIGHT[exercise][0]), out


def shows(message, solution):
    """Whether a message has one of the numbers of which a solution consists."""
    said = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", message)]
    parts = solution if isinstance(solution, tuple) else (solution,)
    numbers = [n for n in parts if isinstance(n, int | float)]
    return any(math.isclose(a, b, rel_tol=1e-3) for a in said for b in numbers)


def test_a_message_that_shows_the_solution_is_found():
    assert shows("It is 2.2130.", 2.213) and shows("It is 5.", (3, 5))
    assert not shows("It is not 2.3. See hint 1.", 2.213)


@pytest.mark.parametrize("exercise", CHECKS)
def test_nonsense_is_explained_in_a_sentence(exercise, capsys):
    for number, nonsense in enumerate(NONSENSE):
        try:
            ok = check(exercise, nonsense)
        except Exception as error:
            error.add_note(f"The answer was NONSENSE[{number}].")
            raise
        out = capsys.readouterr().out
        which = f"NONSENSE[{number}]: {out}"
        assert not ok and out.startswith(f"{exercise}: not yet. "), which
        assert out.count("\n") == 1 and len(out) < 250, which


@pytest.mark.parametrize("exercise", ["9.9", "1.99", "", "one"])
def test_an_unknown_exercise_is_an_error(exercise):
    with pytest.raises(ValueError, match="no exercise"):
        check(exercise, 1)


def test_the_number_of_an_exercise_may_come_without_quotes(capsys):
    number: Any = 1.1
    assert not check(number, 3.0) and not part1.check(number, 3.0)
    assert capsys.readouterr().out.count("1.1: not yet") == 2


def test_the_patients_of_part_3_are_what_the_diagnoses_say(names, vocab):
    X, Y = windows(names[:2000], vocab, 3)
    g = torch.Generator().manual_seed(0)
    x, y = next(batches(X, Y, 64, generator=g))
    nets = patients()
    assert nets.keys() == DIAGNOSES.keys()
    kinds, stats, pace = set(), {}, {}
    for name, (net, rate) in nets.items():
        traces = trace(net, x, y)
        kinds.add(tuple(t.kind for t in traces))
        tanhs = [s for s in layer_stats(traces) if s.kind == "Tanh"]
        stats[DIAGNOSES[name]] = net(x).std().item(), tanhs
        ratios = UpdateRatios(net)
        drawn = batches(X, Y, 64, generator=g, steps=60)
        for _ in training_steps(net, torch.optim.SGD(net.parameters(), rate), drawn):
            ratios.record()
        pace[DIAGNOSES[name]] = ratios.table()[10:, 2:6].log().mean().exp().item()
    assert len(kinds) == 1, "the kinds of the layers give one of them away"
    for illness, (size, tanhs) in stats.items():
        assert (size > 5) == (illness == "confident")
        assert (sum(s.dead for s in tanhs) >= 50) == (illness == "dead units")
        if illness not in ("dead units", "confident"):
            assert (tanhs[-1].saturated > 0.3) == (illness == "gain too high")
            assert (tanhs[-1].std < 0.4) == (illness == "gain too low")
    assert pace["rate too low"] < 1e-4 < pace["healthy"] < 1e-2
    assert pace["rate too high"] > 1e-2


def test_the_unigram_of_part_3_is_as_likely_as_its_counts():
    assert _unigram_loss() == pytest.approx(2.8205, abs=0.005)


def test_the_parameters_of_part_4_are_among_its_atoms():
    assert set(PARAMETERS) < set(ORDER) and len(ORDER) == 26


def test_luck_passes_student_s_t_of_part_5_in_one_case_of_forty():
    t = part5.STUDENT / math.sqrt(3)  # three degrees of freedom: a closed form
    inside = 2 / math.pi * (t / (1 + t**2) + math.atan(t))
    assert (1 - inside) / 2 == pytest.approx(0.025, abs=5e-4)  # a gain: one side


@pytest.mark.parametrize(
    "gains, words",
    [
        ((0.010, 0.012, 0.009, 0.011), "right!"),
        ((0.010, 0.001, 0.008, 0.002), "may be luck"),  # 2.3 standard errors
        ((0.020, -0.010, 0.015, 0.001), "may be luck"),
        ((-0.010, -0.012, -0.009, -0.011), "ahead by 0.0105"),
        ((0.0, -0.012, -0.009, -0.011), "ahead by"),
    ],
)
def test_a_gain_of_part_5_is_judged_over_seeds(gains, words, monkeypatch, capsys):
    by_seed = dict(zip(part5.SEEDS, gains, strict=True))
    monkeypatch.setattr(part5, "_gain", lambda make, seed: by_seed[seed])
    gated = part5.GatedWaveNet

    def make(seed):
        return gated(27, 8, 4, generator=torch.Generator().manual_seed(seed))

    assert check("5.6", make) == (words == "right!")
    assert words in capsys.readouterr().out
