"""What torch.compile and torch.export take, as the page on one's own words says."""

from importlib import import_module
from typing import Any

import pytest
import torch
from torch import nn

from charlm.runs.models import MODELS

SMALL = {"n_embd": 8, "n_hidden": 8}
NETS = [name for name, kind in MODELS.items() if kind.recipe is not None]
BY_PREFIX = {"rnn", "gru", "lstm", "gpt"}


def network(name):
    """A small network of a kind in eval mode, and contexts for it."""
    module, _, cls = MODELS[name].network.partition(":")
    sizes = {k: v for k, v in SMALL.items() if k in MODELS[name].options}
    generator = torch.Generator().manual_seed(1)
    net: Any = getattr(import_module(module), cls)(27, **sizes, generator=generator)
    x = torch.randint(1, 27, (6, net.block_size), generator=generator)
    x[:, : net.block_size // 2] = 0
    return net.eval(), x


def export(module, x):
    return torch.export.export(module, (x,)).module()(x)


@pytest.mark.parametrize("name", NETS)
@pytest.mark.filterwarnings("ignore")
def test_each_network_is_compiled(name):
    net, x = network(name)
    torch.compiler.reset()
    whole = name not in BY_PREFIX
    compiled = torch.compile(net, backend="eager", fullgraph=whole)
    torch.testing.assert_close(compiled(x), net(x))


@pytest.mark.parametrize("name", sorted({*NETS} - BY_PREFIX))
@pytest.mark.filterwarnings("ignore")
def test_most_are_exported(name):
    net, x = network(name)
    torch.testing.assert_close(export(net, x), net(x))


class AllPlaces(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, idx):
        return self.net.all_places(idx)


@pytest.mark.skipif(
    not hasattr(torch.compiler, "is_exporting"), reason="torch cannot tell yet"
)
@pytest.mark.parametrize("name", sorted(BY_PREFIX))
@pytest.mark.filterwarnings("ignore")
def test_what_cannot_be_exported_says_so_and_what_can(name):
    net, x = network(name)
    with pytest.raises(RuntimeError, match="export the model's all_places"):
        export(net, x)
    rows = torch.cat([x.new_zeros(len(x), 1), x[:, net.block_size // 2 :]], 1)
    torch.testing.assert_close(export(AllPlaces(net), rows), net.all_places(rows))
