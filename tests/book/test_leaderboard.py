"""The leaderboard's rows say what the models are, and always the same."""

import re
from pathlib import Path

import pytest
import torch

from charlm.book.leaderboard import as_html, leaderboard_row
from charlm.counts import NGram
from charlm.evaluate import evaluate, n_parameters
from charlm.models import WaveNet
from charlm.runs.trainer import train

PAGE = Path(__file__).parents[2] / "book" / "05_wavenet.md"
WORDS = ["emma", "olivia", "ava", "isabella", "sophia", "mia"]


def test_a_row(vocab):
    model = NGram(vocab, 2, smoothing=1).fit(WORDS)
    row = leaderboard_row("bigram", model, WORDS, vocab, seconds=1.6)
    assert row == leaderboard_row("bigram", model, WORDS, vocab, seconds=1.6)
    assert row.score == evaluate(model, WORDS, vocab)
    assert row.parameters == len({p for w in WORDS for p in zip("." + w, w + ".")})
    assert len(row.samples) == 5
    assert all(len(word) <= 12 for word in row.samples)


def test_words_that_do_not_occur_in_train_are_scored_apart(vocab):
    train = ["mia", "ava", "noah"]
    model = NGram(vocab, 3, smoothing=0.1).fit(train)
    row = leaderboard_row("3-gram", model, WORDS, vocab, train=train)
    new = [word for word in WORDS if word not in train]
    assert row.unseen == evaluate(model, new, vocab) and len(new) == 4
    assert row.score == evaluate(model, WORDS, vocab)
    assert row.unseen.loss > row.score.loss
    shown = f'<td data-head="on new names">{row.unseen:.3f}</td>'
    assert shown in as_html([row])


def test_sizes(vocab):
    assert n_parameters(NGram(vocab, 1)) == 0
    tree = WaveNet(27, 8, 10, 68, generator=torch.Generator().manual_seed(0))
    assert n_parameters(tree) == 22_397


@pytest.mark.parametrize(
    "settings", [{"model": "ngram", "order": 2}, {"model": "bigram", "steps": 1}]
)
def test_a_run_has_the_size_of_its_model(few_words, tmp_path, settings):
    run = train(few_words, out=tmp_path / "run", **settings)
    row = leaderboard_row("run", run, WORDS, run.vocab)
    assert run.n_parameters == row.parameters > 0


def test_the_table(vocab):
    rows = [
        leaderboard_row("<uniform>", NGram(vocab, 1), WORDS, vocab),
        leaderboard_row("tree", NGram(vocab, 1), WORDS, vocab, seconds=61.2),
    ]
    lines = as_html(rows).split("<tr>")[1:]
    assert [line.count("<th") + line.count("<td") for line in lines] == [6, 6, 6]
    assert '<td data-head="on new names">not scored</td>' in lines[1]
    assert "3.296 ± 0.000" in lines[1] and "&lt;uniform&gt;" in lines[1]
    assert '<td data-head="training">61 s</td>' in lines[2]
    assert rows[0].score.loss == pytest.approx(3.2958, abs=1e-4)


def test_one_word_has_no_error_in_the_table(vocab):
    row = leaderboard_row("uniform", NGram(vocab, 1), ["emma"], vocab)
    assert '<td data-head="loss">3.296</td>' in as_html([row])


def test_the_take_away_credits_no_net_that_loses_to_the_tables():
    text = PAGE.read_text(encoding="utf-8")
    ahead = set(re.findall(r'for k in \("(\w+)", "(\w+)"\):\n.*lead on all', text)[0])
    assert ahead == {"tree", "gated"} and "lead on new names, {k}" in text
    assert 'lead of the tables over the {k} on new names"' in text  # the MLPs
    (line,) = re.findall(r"^- .*On new names (.*)$", text, re.M)
    assert line == "the trees beat our best counting."
