"""What a cell publishes keeps its numbers, and says what to do with them."""

import base64
import json
from typing import Any

import pytest
import torch
from IPython.core.formatters import format_display_data
from page_models import PageModel
from safetensors import safe_open
from torch import nn

from charlm import layers
from charlm.attention import GPT
from charlm.book.living import as_json, as_model, layers_of
from charlm.counts import NGram
from charlm.gated import GatedWaveNet
from charlm.memoized import MemoizedWaveNet
from charlm.models import MLP, CausalConv, NeuralBigram
from charlm.recurrent import GRU, LSTM, RNN


def written(shown, path):
    """The file that a page gets of what a cell shows."""
    data, _ = format_display_data(shown)
    path.write_bytes(base64.b64decode(data["application/x-safetensors"]))
    return path


def test_a_model_keeps_its_numbers_in_half_precision_and_its_layers(vocab, tmp_path):
    W = torch.randn(27, 27, dtype=torch.float64)
    steps = [{"op": "table", "weight": "W"}]
    about: dict[str, Any] = {"block_size": 1, "label": "bigram", "loss": 2.5}
    shown = as_model({"W": W.T}, steps, vocab, **about)
    with safe_open(written(shown, tmp_path / "model"), "pt") as file:
        assert torch.equal(file.get_tensor("W"), W.T.half())
        notes = file.metadata()
    assert json.loads(notes["layers"]) == steps
    assert json.loads(notes["chars"]) == list(vocab.chars)


def test_a_number_that_half_precision_lacks_is_told(vocab):
    with pytest.raises(ValueError, match=r"^0\.weight has a number"):
        as_model(
            {"0.weight": torch.tensor([7e4])},
            [],
            vocab,
            block_size=1,
            label="",
            loss=0.0,
        )


def hand_made(generator):
    net = layers.Sequential(
        layers.Embedding(27, 4, generator=generator),
        layers.FlattenConsecutive(2),
        layers.Linear(8, 6, bias=False, generator=generator),
        layers.BatchNorm1d(6),
        layers.ReLU(),
        layers.Flatten(),
        layers.Linear(12, 27, generator=generator),
    )
    net.block_size = 4
    return net


def rounded(net):
    """A net with the numbers that its file will have."""
    numbers = [*net.parameters()]
    for part in net.modules() if isinstance(net, nn.Module) else net:
        numbers += [t for name, t in vars(part).items() if name.startswith("running")]
        if isinstance(part, nn.Module):
            numbers += [b for b in part.buffers(recurse=False) if b.is_floating_point()]
    for t in numbers:
        t.data = t.data.half().float()


@pytest.mark.parametrize(
    "make",
    [
        lambda g: MLP(27, 4, 5, 9, generator=g),
        lambda g: MLP(27, 3, 5, 9, n_layer=3, batch_norm=True, generator=g),
        lambda g: MemoizedWaveNet(27, 8, 5, 9, generator=g),
        hand_made,
        lambda g: RNN(27, 16, 12, generator=g),
        lambda g: GRU(27, 16, 12, generator=g),
        lambda g: LSTM(27, 16, 12, generator=g),
        lambda g: GPT(27, 16, 12, 3, 2, generator=g),
    ],
    ids=["mlp", "deep", "tree", "hand-made", "rnn", "gru", "lstm", "gpt"],
)
def test_the_layers_of_a_net_give_its_logits(make, vocab, generator, tmp_path):
    net = make(generator)
    for p in net.parameters():
        p.data += torch.randn(p.shape, generator=generator) / 5
    x = torch.randint(27, (500, net.block_size), generator=generator)
    x[:250] *= torch.arange(net.block_size) >= torch.arange(250)[:, None] % 16
    net(x)  # the running statistics leave their start
    rounded(net)
    about: dict[str, Any] = {"block_size": net.block_size, "label": "net", "loss": 2.0}
    shown = as_model(*layers_of(net), vocab, **about)
    page = PageModel(written(shown, tmp_path / "model"))
    torch.testing.assert_close(page(x), net.eval()(x), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("order", [1, 2, 4])
def test_the_counts_of_a_table_give_its_logits(order, names, vocab, tmp_path):
    table = NGram(vocab, order, smoothing=0.1).fit(names[:2000])
    about: dict[str, Any] = {
        "block_size": table.block_size,
        "label": "counts",
        "loss": 2.0,
    }
    shown = as_model(*layers_of(table), vocab, **about)
    page = PageModel(written(shown, tmp_path / "model"))
    x = torch.randint(27, (500, table.block_size))
    x = torch.cat([x, page.contexts(names[:500])])
    torch.testing.assert_close(page(x), table(x))


def test_a_layer_that_pages_lack_is_named():
    with pytest.raises(ValueError, match="DilatedPair"):
        layers_of(CausalConv(27, 8, 5, 9))


def test_a_mask_that_pages_lack_is_told():
    gpt = GPT(27, n_embd=8, n_head=2, n_layer=1)
    gpt.blocks[0].attention.mask = lambda T: torch.ones(T, T, dtype=torch.bool)
    with pytest.raises(ValueError, match="causal mask"):
        layers_of(gpt)


@pytest.mark.parametrize("model", [NeuralBigram, GatedWaveNet])
def test_a_model_that_is_no_row_of_layers_is_named(model):
    with pytest.raises(ValueError, match=f"^{model.__name__} is not a row of layers$"):
        layers_of(model(27))


def test_json_has_no_nan():
    data, _ = format_display_data(as_json({"a": [1.5]}))
    assert json.loads(data["text/x-json"]) == {"a": [1.5]}
    with pytest.raises(ValueError, match="JSON"):
        as_json([float("nan")])
