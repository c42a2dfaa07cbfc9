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

from charlm.attention import GPT
from charlm.book.living import as_model, layers_of
from charlm.counts import NGram
from charlm.data import load_words
from charlm.recurrent import GRU, LSTM, RNN
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


READERS = {
    "rnn": lambda g: RNN(27, 16, 20, generator=g),
    "gru": lambda g: GRU(27, 16, 20, generator=g),
    "lstm": lambda g: LSTM(27, 16, 20, generator=g),
    "gpt": lambda g: GPT(27, 16, 20, 4, 3, generator=g),
}


@pytest.fixture(params=READERS)
def reader(request):
    """A net that reads a word from its beginning; the scripts know it by its name."""
    g = torch.Generator().manual_seed(1)
    net = READERS[request.param](g).eval()
    for p in net.parameters():
        p.data += torch.randn(p.shape, generator=g) / 4
        p.data = p.data.half().float()
    made = as_model(*layers_of(net), VOCAB, block_size=16, label="net", loss=2.0)
    hero.take("net", made.content)
    return net


@torch.no_grad()
def test_the_scripts_read_words_as_pytorch_does(reader):
    """From the boundary on; of a longer word the last sixteen letters count."""
    words = ["", *load_words()[::900], "mississippiriver", "abcdefghijklmnopqrstuvwxyz"]
    ids = [[0] * 16 + VOCAB.encode(word) for word in words]
    expected = reader(torch.tensor([row[-16:] for row in ids]))
    asked = f"{json.dumps(words)}.map(w => [...made.net.states(w).at(-1).values])"
    torch.testing.assert_close(
        torch.tensor(hero.ask(asked)), expected, atol=1e-4, rtol=0
    )
    assert expected.std() > 0.1


def test_a_further_letter_costs_one_place(reader):
    """Counted in calls of exp and tanh; a letter that is taken back costs nothing."""
    hero.engine().eval("""
        var calls = 0, { exp, tanh } = Math
        Math.exp = x => (calls++, exp(x))
        Math.tanh = x => (calls++, tanh(x))
        var cost = word => {
            calls = 0
            made.net.states(word)
            return calls
        }""")
    whole, further, back = hero.ask(
        '["christophe", "christopher", "christop"].map(cost)'
    )
    hero.engine().eval("Object.assign(Math, { exp, tanh })")
    per_place = {RNN: 20, GRU: 3 * 20, LSTM: 5 * 20}
    if type(reader) in per_place:
        assert whole == 11 * per_place[type(reader)]
        assert further == per_place[type(reader)]
    else:  # each of 12 heads weighs all places so far
        gelu = 3 * 80  # one for each number
        assert whole == 12 * sum(range(1, 12)) + 11 * gelu
        assert further == 12 * 12 + gelu
    assert back == 0
