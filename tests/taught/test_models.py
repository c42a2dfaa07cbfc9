"""The networks: their first loss, their activations, their sizes, and tree = conv."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from charlm.data import windows
from charlm.diagnostics import layer_stats, trace
from charlm.evaluate import losses
from charlm.gated import GatedWaveNet
from charlm.memoized import MemoizedWaveNet
from charlm.models import MLP, CausalConv, NeuralBigram, Tanh, WaveNet
from charlm.vocab import Vocabulary

WORDS = ["emma", "olivia", "ava", "isabella", "sophia", "mia", "zoe", "kim", "quinn"]

NETWORKS = [
    *(NeuralBigram, MLP, WaveNet, CausalConv, MemoizedWaveNet, GatedWaveNet),
]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def draw(model, vocab_size, n=500):
    x = torch.randint(vocab_size, (n, model.block_size), generator=seeded(5))
    return x, torch.randint(vocab_size, (n,), generator=seeded(6))


@settings(max_examples=20, deadline=None)
@given(
    vocab_size=st.integers(2, 60),
    block_size=st.integers(1, 8),
    n_layer=st.integers(0, 10),
    batch_norm=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_mlp_starts_right(vocab_size, block_size, n_layer, batch_norm, seed):
    model = MLP(
        vocab_size, block_size, 10, 100, n_layer, batch_norm, generator=seeded(seed)
    )
    x, y = draw(model, vocab_size)
    for mode in (True, False):
        model.train(mode)
        assert model(x).shape == (500, vocab_size)
        first = torch.nn.functional.cross_entropy(model(x), y).item()
        assert first == pytest.approx(math.log(vocab_size), abs=0.05)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("n_layer", [1, 6, 20])
def test_tanh_units_start_unsaturated(n_layer, batch_norm):
    model = MLP(27, n_layer=n_layer, batch_norm=batch_norm, generator=seeded())
    stats = [s for s in layer_stats(trace(model, *draw(model, 27))) if s.kind == "Tanh"]
    assert len(stats) == n_layer
    for layer in stats:
        assert 0.55 < layer.std < 0.72
        assert layer.saturated < 0.08
        assert layer.dead == 0


@pytest.mark.parametrize("network", NETWORKS)
def test_every_model(network):
    vocab = Vocabulary.from_words(WORDS)
    V = len(vocab)
    model = network(V, generator=seeded(1))
    X, Y = windows(WORDS, vocab, model.block_size)
    assert model(X).shape == (len(X), V)
    assert all(p.requires_grad for p in model.parameters())
    assert losses(model, X, Y).mean().item() == pytest.approx(math.log(V), abs=0.05)
    assert losses(model, X[:1], Y[:1]).isfinite().all()


@pytest.mark.parametrize("network", NETWORKS)
def test_the_generator_is_the_only_randomness(network):
    before = torch.random.get_rng_state()
    one, same, other = (network(9, generator=seeded(s)) for s in (1, 1, 2))
    assert torch.equal(before, torch.random.get_rng_state())
    for a, b, c in zip(
        one.parameters(), same.parameters(), other.parameters(), strict=True
    ):
        assert torch.equal(a, b)
        assert a.std() == 0 or a.numel() == 1 or not torch.equal(a, c)


def n_parameters(model):
    return sum(p.numel() for p in model.parameters())


def test_parameter_counts():
    assert n_parameters(NeuralBigram(27)) == 729
    assert n_parameters(MLP(27, 3, 2, 100)) == 3481
    assert n_parameters(MLP(27, 3, 10, 200)) == 11897
    assert n_parameters(MLP(27, 3, 10, 200, batch_norm=True)) == 12097
    for tree in (WaveNet, CausalConv):
        assert n_parameters(tree(27, 8, 10, 68)) == 22397
        assert n_parameters(tree(27, 8, 24, 128)) == 76579


def test_bigram_is_a_one_hot_times_a_table():
    model = NeuralBigram(5, generator=seeded())
    x = torch.arange(5).view(5, 1)
    one_hot = torch.nn.functional.one_hot(x.squeeze(1), 5).float()
    assert torch.equal(model(x), one_hot @ model.table.weight)


def trained_tree(block_size):
    """Return a tree in float64 whose running statistics are not the first ones."""
    tree = WaveNet(11, block_size, 3, 6, generator=seeded()).double()
    for seed in range(3):
        tree(torch.randint(11, (30, block_size), generator=seeded(seed)))
    return tree


@pytest.mark.parametrize("block_size", [2, 4, 8, 16])
def test_the_tree_is_a_dilated_convolution(block_size):
    tree = trained_tree(block_size)
    conv = CausalConv(11, block_size, 3, 6).double()
    conv.load_state_dict(tree.state_dict())
    tree.eval(), conv.eval()
    T = block_size + 5
    idx = torch.randint(11, (4, T), generator=seeded(7))
    first = idx[:, :block_size]
    torch.testing.assert_close(tree(first), conv(first), rtol=0, atol=1e-12)

    places = conv.all_places(idx)
    assert places.shape == (4, 6, 11)
    for t in range(6):
        expected = tree(idx[:, t : t + block_size])
        torch.testing.assert_close(places[:, t], expected, rtol=0, atol=1e-12)
    if block_size > 2:
        tree.train(), conv.train()
        assert not torch.allclose(tree(first), conv(first), rtol=0, atol=1e-6)


def test_the_tree_agrees_with_torchs_own_convolution():
    conv = CausalConv(11, 8, 3, 6).double().eval()
    conv.load_state_dict(trained_tree(8).state_dict())
    idx = torch.randint(11, (4, 12), generator=seeded(7))
    h = conv.net[0](idx).transpose(1, 2)  # (B, C, T), as torch's convolution wants
    for level in range(3):
        weight = conv.net[2 + 4 * level].get_parameter("weight")
        norm = conv.net[3 + 4 * level]
        assert isinstance(norm, torch.nn.BatchNorm1d)
        kernel = torch.stack(weight.chunk(2, dim=1), dim=2)  # (H, C, 2)
        h = torch.nn.functional.conv1d(h, kernel, dilation=2**level)
        h = torch.tanh(
            torch.nn.BatchNorm1d.forward(norm, h.transpose(1, 2).flatten(0, 1)).view(
                h.shape[0], h.shape[2], -1
            )
        ).transpose(1, 2)
    logits = conv.net[-1](h.transpose(1, 2))
    torch.testing.assert_close(conv.all_places(idx), logits, rtol=0, atol=1e-12)


@pytest.mark.parametrize("block_size", [-8, 0, 1, 3, 6, 12])
def test_the_tree_refuses_other_lengths(block_size):
    with pytest.raises(ValueError, match="power of two from 2 up"):
        WaveNet(27, block_size)


def test_the_tanh_is_a_tanh():
    """Up to rounding, in value and slope, near zero and far away."""
    x = torch.linspace(-30, 30, 6001, requires_grad=True)
    y = Tanh()(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(y, torch.tanh(x), rtol=0, atol=2e-7)
    torch.testing.assert_close(slope, 1 - torch.tanh(x) ** 2, rtol=0, atol=4e-7)
