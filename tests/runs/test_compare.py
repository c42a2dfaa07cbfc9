"""Runs and their layers as numbers; to look at a model changes nothing in it."""

from typing import Any

import pytest
import torch

from charlm.memoized import MemoizedWaveNet
from charlm.models import WaveNet
from charlm.runs import train
from charlm.runs.compare import list_layers


@pytest.fixture
def run(few_words, tmp_path):
    sizes: dict[str, Any] = {"n_embd": 4, "n_hidden": 8, "steps": 1, "batch_size": 32}
    return train(few_words, out=tmp_path / "run", model="wavenet", **sizes)


def test_the_layers_are_those_of_the_plain_tree(run):
    """Also the embedding, and a shape for one context, though pieces are memoized."""
    found = list_layers(run)
    assert [layer.kind for layer in found[:3]] == [
        *("Embedding", "FlattenConsecutive", "Linear"),
    ]
    assert found[0].shape == (1, 8, 4) and found[2].shape == (1, 4, 8)
    assert sum(layer.parameters for layer in found) == run.n_parameters
    assert isinstance(run.model, MemoizedWaveNet) and isinstance(run.model, WaveNet)


def test_looking_leaves_modes_and_hooks_as_they_were(run):
    parts = list(run.model.modules())
    for training in (True, False):
        for part in parts:
            part.training = training
        parts[-1].training = not training
        list_layers(run)
        assert [part.training for part in parts[:-1]] == [training] * (len(parts) - 1)
        assert parts[-1].training is not training
    assert not any(part._forward_hooks for part in parts)


def test_a_model_that_fails_keeps_no_hook(run):
    run.model.net[-1].weight = torch.nn.Parameter(torch.zeros(3, 3))
    with pytest.raises(RuntimeError):
        list_layers(run)
    assert not any(part._forward_hooks for part in run.model.modules())
