"""Our layers against torch.nn, in float64: forward, gradients, running statistics."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from charlm import layers

TOLERANCE: dict[str, Any] = {"rtol": 0, "atol": 1e-12}


def doubles(layer):
    """Turn the layer's tensors into float64 ones, in place."""
    for module in layer.modules():
        for name, tensor in list(vars(module).items()):
            if isinstance(tensor, torch.Tensor):
                double = tensor.detach().double()
                setattr(module, name, double.requires_grad_(tensor.requires_grad))
    return layer


def give_weights(ours, theirs):
    """Copy the tensors of our layer, or layers, into torch's."""
    nets = isinstance(ours, layers.Sequential)
    with torch.no_grad():
        for our, their in zip(ours, theirs, strict=True) if nets else [(ours, theirs)]:
            for name, tensor in our.state_dict().items():
                transposed = isinstance(our, layers.Linear) and name == "weight"
                getattr(their, name).copy_(tensor.T if transposed else tensor)


def randn(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def assert_same(ours, theirs, x, permute=lambda x: x):
    """Compare outputs, the gradients of x and of all parameters, and buffers."""
    a, b = x.clone().requires_grad_(), x.clone().requires_grad_()
    y, z = ours(a), permute(theirs(permute(b)))
    torch.testing.assert_close(y, z, **TOLERANCE)
    slope = randn(*y.shape, seed=9)
    (y * slope).sum().backward()
    (z * slope).sum().backward()
    torch.testing.assert_close(a.grad, b.grad, **TOLERANCE)
    theirs_by_name = dict(theirs.named_parameters()) | dict(theirs.named_buffers())
    for name, tensor in ours.state_dict().items():
        expected = theirs_by_name[name]
        if isinstance(ours, layers.Linear) and name == "weight":
            expected = expected.T
            torch.testing.assert_close(tensor.grad, theirs.weight.grad.T, **TOLERANCE)
        elif tensor.requires_grad:
            torch.testing.assert_close(tensor.grad, expected.grad, **TOLERANCE)
        torch.testing.assert_close(tensor.detach(), expected.detach(), **TOLERANCE)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(5, 4), (5, 3, 4)])
def test_linear(bias, shape):
    ours = doubles(layers.Linear(4, 7, bias))
    theirs = nn.Linear(4, 7, bias).double()
    give_weights(ours, theirs)
    assert_same(ours, theirs, randn(*shape))
    assert (ours.bias is None) == (theirs.bias is None)


def test_linear_keeps_the_deviation_times_gain():
    generator = torch.Generator().manual_seed(1)
    layer = layers.Linear(400, 300, gain=5 / 3, generator=generator)
    x = torch.randn(1000, 400, generator=generator)
    assert layer(x).std().item() == pytest.approx(5 / 3, rel=0.02)
    assert layer.bias is not None and layer.bias.abs().max() == 0


@pytest.mark.parametrize("name", ["Linear", "Embedding"])
def test_the_generator_decides_the_weights(name):
    def make(seed):
        generator = torch.Generator().manual_seed(seed)
        return getattr(layers, name)(5, 6, generator=generator).weight

    before = torch.random.get_rng_state()
    assert torch.equal(make(1), make(1))
    assert not torch.equal(make(1), make(2))
    assert torch.equal(before, torch.random.get_rng_state())


def channels_last(x):
    return x.movedim(1, -1) if x.ndim == 3 else x


@settings(max_examples=25, deadline=None)
@given(
    B=st.integers(2, 6),
    T=st.none() | st.integers(1, 5),
    C=st.integers(1, 4),
    momentum=st.floats(0.01, 1),
    eps=st.sampled_from([1e-5, 1e-2]),
    seed=st.integers(0, 100),
)
def test_batch_norm(B, T, C, momentum, eps, seed):
    shape = (B, C) if T is None else (B, T, C)
    ours = doubles(layers.BatchNorm1d(C, eps, momentum))
    theirs = nn.BatchNorm1d(C, eps, momentum).double()
    with torch.no_grad():
        ours.weight += randn(C, seed=seed)
        ours.bias += randn(C, seed=seed + 1)
    give_weights(ours, theirs)

    def permute(x):  # torch wants (B, C, T)
        return x.transpose(1, 2) if x.ndim == 3 else x

    for step in range(3):
        for parameter in (*ours.parameters(), *theirs.parameters()):
            parameter.grad = None
        assert_same(ours, theirs, 3 * randn(*shape, seed=seed + step) + 1, permute)
    ours.eval(), theirs.eval()
    for parameter in (*ours.parameters(), *theirs.parameters()):
        parameter.grad = None
    assert_same(ours, theirs, randn(*shape, seed=seed + 9), permute)


def test_batch_norm_with_the_lectures_variance():
    layer = doubles(layers.BatchNorm1d(3, correction=1))
    x = 2 * randn(8, 3) + 1
    expected = (x - x.mean(0)) / torch.sqrt(x.var(0, unbiased=True) + 1e-5)
    torch.testing.assert_close(layer(x).detach(), expected, **TOLERANCE)
    running = 0.9 + 0.1 * x.var(0, unbiased=True)
    torch.testing.assert_close(layer.running_var, running, **TOLERANCE)


def test_batch_norm_refuses_one_example_in_training_only():
    layer = layers.BatchNorm1d(3)
    with pytest.raises(ValueError, match=r"call eval\(\)"):
        layer(torch.zeros(1, 3))
    assert torch.equal(layer.running_mean, torch.zeros(3))
    assert layer.eval()(torch.zeros(1, 3)).shape == (1, 3)


@pytest.mark.parametrize("name", ["Tanh", "ReLU", "Flatten"])
@pytest.mark.parametrize("shape", [(5, 4), (5, 3, 4)])
def test_layers_without_parameters(name, shape):
    assert_same(getattr(layers, name)(), getattr(nn, name)(), randn(*shape))


def test_flatten_takes_the_dimensions():
    x = randn(2, 3, 4, 5)
    assert torch.equal(layers.Flatten(2)(x), nn.Flatten(2)(x))
    assert torch.equal(layers.Flatten(0, 1)(x), nn.Flatten(0, 1)(x))


@pytest.mark.parametrize("shape", [(5,), (5, 3)])
def test_embedding(shape):
    ours = doubles(layers.Embedding(6, 4))
    theirs = nn.Embedding(6, 4).double()
    give_weights(ours, theirs)
    idx = torch.randint(6, shape, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(ours(idx), theirs(idx), **TOLERANCE)
    ours(idx).square().sum().backward()
    theirs(idx).square().sum().backward()
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad, **TOLERANCE)


@settings(max_examples=25, deadline=None)
@given(B=st.integers(1, 3), groups=st.integers(1, 4), n=st.integers(1, 4))
def test_flatten_consecutive(B, groups, n):
    x = randn(B, groups * n, 2)
    y = layers.FlattenConsecutive(n)(x)
    twin = nn.Sequential(nn.Unflatten(1, (-1, n)), nn.Flatten(2))(x)
    assert y.shape == ((B, n * 2) if groups == 1 else (B, groups, n * 2))
    assert torch.equal(y, twin.squeeze(1) if groups == 1 else twin)


def test_flatten_consecutive_keeps_a_batch_of_one():
    assert layers.FlattenConsecutive(2)(randn(1, 4, 3)).shape == (1, 2, 6)


def test_flatten_consecutive_refuses_a_length_that_does_not_fit():
    with pytest.raises(RuntimeError, match="invalid for input of size 15"):
        layers.FlattenConsecutive(2)(randn(1, 5, 3))


def build(nn):
    return nn.Sequential(
        nn.Embedding(7, 3),
        nn.Flatten(),
        nn.Linear(6, 5, bias=False),
        nn.BatchNorm1d(5),
        nn.Tanh(),
        nn.Linear(5, 7),
    )


def test_one_function_builds_the_net_from_either():
    ours, theirs = doubles(build(layers)), build(nn).double()
    give_weights(ours, theirs)
    assert ours.state_dict().keys() == {
        name for name in theirs.state_dict() if "tracked" not in name
    }
    optimizers = [torch.optim.SGD(net.parameters(), 0.5) for net in (ours, theirs)]
    generator = torch.Generator().manual_seed(3)
    for _ in range(5):
        x = torch.randint(7, (8, 2), generator=generator)
        y = torch.randint(7, (8,), generator=generator)
        for net, optimizer in zip((ours, theirs), optimizers, strict=True):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(x), y)
            loss.backward()
            optimizer.step()
        torch.testing.assert_close(ours(x), theirs(x), **TOLERANCE)
    assert not torch.equal(ours(x), ours.eval()(x))
    theirs(x)  # the batch that ours has just seen once more
    torch.testing.assert_close(ours.eval()(x), theirs.eval()(x), **TOLERANCE)


def test_train_and_eval_reach_every_layer():
    net = layers.Sequential(layers.Sequential(layers.BatchNorm1d(2)), layers.Tanh())
    assert net.eval() is net
    assert [layer.training for layer in net.modules()] == [False] * 4
    net.train()
    assert [layer.training for layer in net.modules()] == [True] * 4
    assert len(net) == 2
    assert isinstance(net[1], layers.Tanh)


def test_state_dict_round_trip():
    first, second = build(layers), build(layers)
    second.load_state_dict(first.state_dict())
    for name, tensor in second.state_dict().items():
        assert torch.equal(tensor, first.state_dict()[name])
        assert tensor.data_ptr() != first.state_dict()[name].data_ptr()
    assert [p.requires_grad for p in second.parameters()] == [True] * 6
    with pytest.raises(RuntimeError, match="weight"):
        layers.Linear(2, 3).load_state_dict({})
    with pytest.raises(RuntimeError, match="bias"):
        layers.Linear(2, 3, bias=False).load_state_dict(first[-1].state_dict())


def test_a_state_of_other_shapes_changes_nothing():
    """Not even one that would broadcast."""
    layer = layers.Linear(2, 3)
    assert layer.bias is not None
    before = layer.weight.clone()
    state = {"bias": torch.ones(3), "weight": torch.zeros(1, 1)}
    with pytest.raises(RuntimeError, match=r"differ: weight$"):
        layer.load_state_dict(state)
    assert torch.equal(layer.weight, before) and torch.equal(layer.bias, torch.zeros(3))


def test_repr_names_the_shapes():
    assert "2: Linear(weight=(6, 5))" in repr(build(layers))
