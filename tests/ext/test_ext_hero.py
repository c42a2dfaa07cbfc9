"""The cover's rows and rungs come from published models, through the page's scripts."""

import json
import math
import re
from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch
from bookext import hero
from docutils import nodes

from charlm.book.living import as_model, layers_of
from charlm.counts import NGram
from charlm.vocab import Vocabulary

WORDS = ["anna", "hannah", "nan"]
VOCAB = Vocabulary(tuple("abcdefghijklmnopqrstuvwxyz"))
MODEL = NGram(VOCAB, 2, 0.5).fit(WORDS)
TEXT = as_model(
    *layers_of(MODEL), VOCAB, block_size=1, label="Bigram", loss=2.5
).content


@pytest.fixture
def page(monkeypatch, tmp_path):
    """A translator that writes one page of a book with one published model."""
    monkeypatch.setattr(hero, "models", lambda app: {"bigram": TEXT})
    monkeypatch.setattr(hero, "LOSSES", tmp_path / "losses.json")
    hero.LOSSES.write_text(json.dumps({"bigram": [2.4, 2.6]}))
    builder = SimpleNamespace(
        app=None,
        current_docname="book/index",
        get_target_uri=lambda name: name + ".html",
    )
    return SimpleNamespace(builder=builder, body=[])


def written(visit, page, node):
    with pytest.raises(nodes.SkipNode):
        visit(page, node)
    return "".join(page.body)


def test_a_row_has_the_surprise_of_each_letter_and_of_the_end(page):
    html = written(hero.visit_hero, page, hero.hero(word="anna", models=["bigram"]))
    ids = [0, *VOCAB.encode("anna"), 0]
    expected = [-MODEL(torch.tensor([[i]]))[0, j].item() for i, j in pairwise(ids)]
    heights = [float(h) for h in re.findall(r"--h: ([\d.]+)", html)]
    assert heights == pytest.approx([s / 6.2 for s in expected], abs=0.001)
    mean = sum(expected) / len(expected)
    assert f"<b>Bigram</b> <span>{mean:.2f} per letter</span>" in html
    assert re.findall(r'class="(under|over|unseen)"', html) == [
        "over" if s > math.log(27) else "under" for s in expected
    ]
    assert 'data-folder="../_static/models"' in html and 'value="anna"' in html


def test_a_rung_has_the_loss_its_spread_and_words(page):
    node = hero.rung(models=["uniform", "bigram"])
    html = written(hero.visit_rung, page, node)
    assert re.findall(r'rung-loss">([\d.]+)', html) == ["3.30", "2.50"]
    halves = [float(half) for half in re.findall(r"--half: ([\d.]+)%", html)]
    assert halves == pytest.approx([0, 100 * 2 * 0.1 * 2**0.5 / 1.5], abs=0.01)
    assert "--at: 40.0%" in html
    words = re.findall(r'rung-words">([^<]+)<', html)
    assert [len(line.split()) for line in words] == [5, 5]


def test_a_model_that_no_page_publishes_is_told(page, monkeypatch):
    told = []
    monkeypatch.setattr(
        hero.logger, "warning", lambda *said, **where: told.append(said)
    )
    node = hero.rung(models=["nothing"])
    assert "rung-axis" not in written(hero.visit_rung, page, node)
    assert [name for _, name in told] == ["nothing"]
