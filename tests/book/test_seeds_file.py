"""What the pages cite of other seeds was trained by the recipes that they show."""

import ast
import json
import runpy
from pathlib import Path

import pytest
import torch
from chapters import code_cells

from charlm.data import windows
from charlm.recurrent import RNN
from charlm.vocab import Vocabulary

ROOT = Path(__file__).parents[2]
SEEDS = json.loads((ROOT / "book" / "seeds.json").read_text(encoding="utf-8"))


SCRIPT = runpy.run_path(str(ROOT / "benchmarks" / "seeds.py"))
RECIPES = SCRIPT["RECIPES"]


def shown(page, name):
    """The dictionary that a page assigns to a name."""
    text = (ROOT / "book" / page).read_text(encoding="utf-8")
    for _, _, source in code_cells(text):
        if f"\n{name} = {{" in f"\n{source}":
            (node,) = ast.parse(source).body
            return ast.literal_eval(node.value)
    raise LookupError(name)


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm"])
def test_the_page_trains_by_the_recipe_of_the_script(name):
    _, sizes, recipe = RECIPES[name]
    expected = sizes | recipe
    assert expected.pop("batch_size") == 256  # as the page's loop has it
    assert shown("06_recurrent.md", "recipes")[name] == expected


@pytest.mark.parametrize("name", RECIPES)
def test_each_model_has_several_seeds(name):
    runs = SEEDS[name]
    assert [run["seed"] for run in runs] == list(range(len(runs))) and len(runs) >= 3
    assert len({run["dev"] for run in runs}) == len(runs)
    assert all(1.8 < run["dev"] < run["unseen"] < 2.2 for run in runs)


def test_a_batch_holds_words_of_one_length():
    vocab = Vocabulary(("a", "b", "c"))
    X, Y = windows(["a", "b", "abc", "cab", "bb"], vocab, 5)
    g = torch.Generator().manual_seed(0)
    seen = set()
    for x, y in SCRIPT["of_one_length"](X, Y, 4, generator=g, steps=60):
        starts = (x != 0).any(1).logical_not().nonzero().squeeze(1)
        assert len(starts) == 4
        size = len(x) // 4
        assert torch.equal(starts, torch.arange(4) * size)
        assert torch.equal(y == 0, torch.arange(len(y)) % size == size - 1)
        seen.add(size)
    assert seen == {2, 3, 4}


@pytest.mark.parametrize(
    "name, base, key",
    [
        ("gru, with replacement", "gru", "draw"),
        ("gru, one length", "gru, with replacement", "draw"),
        ("rnn, normal start", "rnn", "start"),
    ],
)
def test_a_variant_differs_from_its_base_in_one_thing(name, base, key):
    (*net, recipe), (*its_net, its_recipe) = RECIPES[name], RECIPES[base]
    assert net == its_net and recipe[key] != its_recipe.get(key)
    assert {**recipe, key: None} == {**its_recipe, key: None}


def test_words_of_one_length_are_drawn_with_replacement():
    vocab = Vocabulary(("a", "b"))
    X, Y = windows(["a", "b"], vocab, 4)
    g = torch.Generator().manual_seed(0)
    draws = SCRIPT["of_one_length"](X, Y, 8, generator=g, steps=1)
    assert [len(x) for x, _ in draws] == [8 * 2]


def test_a_normal_start_changes_the_recurrent_matrix_alone():
    def net():
        return RNN(27, n_hidden=64, generator=torch.Generator().manual_seed(0))

    changed, kept = net(), net()
    SCRIPT["start_normal"](changed, 5)
    for (name, p), q in zip(changed.named_parameters(), kept.parameters()):
        assert torch.equal(p, q) == (name != "hidden.weight")
    W = changed.hidden.weight.detach()
    assert not torch.allclose(W @ W.T, torch.eye(64), atol=0.1)
    assert abs(W.norm().item() / 64**0.5 - 1) < 0.05  # lengths on average
