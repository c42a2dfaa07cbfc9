"""How far a training is: what a terminal shows, a file gets, and a second process."""

import io
import itertools
import re
from dataclasses import replace
from types import SimpleNamespace

import pytest
from rich.console import Console

from charlm.runs import progress, trainer
from charlm.runs.progress import line, show_progress
from charlm.runs.run import new

CODES = re.compile(r"\x1b\[[\d;?]*[a-zA-Z]")


@pytest.fixture
def job(few_words, tmp_path):
    """A training of six steps, evaluated after every third."""
    out = tmp_path / "run"
    return trainer.begin(
        new(out, few_words, model="bigram", steps=6, batch_size=16, eval_every=3)
    )


def watched(job, *, terminal, clock=None):
    """What is shown of a training, without control codes; the line of each row."""
    shown, lines = io.StringIO(), []
    console = Console(file=shown, force_terminal=terminal, width=100)
    with show_progress(job, console) as show:
        for step, row in job:
            if clock:
                clock.seconds += 1
            show(step, row)
            lines += [line(row, job)] if row else []
    return CODES.sub("", shown.getvalue()).replace("\r", "\n"), lines


def test_a_file_gets_a_line_for_each_evaluation_and_nothing_else(job):
    text, lines = watched(job, terminal=False)
    assert text.splitlines() == lines
    assert [words.split()[1] for words in lines] == ["3", "6"]


def test_a_terminal_gets_the_same_lines_and_a_bar(job):
    text, lines = watched(job, terminal=True)
    shown = [words.strip() for words in text.splitlines()]
    assert [words for words in shown if words in lines] == lines
    assert "6/6" in text and "loss " in text


def test_a_star_marks_the_best_so_far(job):
    _, lines = watched(job, terminal=False)
    losses = [row.dev_loss for row in job.state.rows]
    assert lines[0].endswith(" *")
    assert lines[1].endswith(" *") == (losses[1] < losses[0])
    assert f"dev {losses[1]:.4f}" in lines[1]


def test_a_resumed_training_counts_only_its_own_steps_a_second(job, monkeypatch):
    for _, row in job:
        if row:
            break
    clock = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(progress, "monotonic", lambda: clock.seconds)
    rest = trainer.resume(job.store.directory)
    assert rest.state.step == 3
    text, _ = watched(rest, terminal=True, clock=clock)
    assert set(re.findall(r"[\d,]+/s", text)) == {"1/s"}


def test_a_second_process_shows_nothing(job):
    job.group = replace(job.group, rank=1)
    shown = io.StringIO()
    with show_progress(job, Console(file=shown, force_terminal=True)) as show:
        for step, row in itertools.islice(job, 3):
            show(step, row)
    assert shown.getvalue() == ""
