"""The numbers inside a net, of both kinds, and that looking changes nothing."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from charlm import layers
from charlm.diagnostics import (
    LayerTrace,
    UpdateRatios,
    dead_units,
    layer_stats,
    parameter_stats,
    trace,
)
from charlm.models import MLP, CausalConv, WaveNet
from charlm.train import training_steps

V, T = 7, 2


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


x = torch.randint(V, (40, T), generator=seeded(1))
y = torch.randint(V, (40,), generator=seeded(2))


def build(nn):
    return nn.Sequential(
        nn.Embedding(V, 3),
        nn.Flatten(),
        nn.Sequential(nn.Linear(6, 5, bias=False), nn.BatchNorm1d(5), nn.Tanh()),
        nn.Linear(5, V),
    )


def pair():
    """Return the same net, of our layers and of torch's."""
    ours, theirs = build(layers), build(nn)
    state = ours.state_dict()
    for name in ("2.0.weight", "3.weight"):
        state[name] = state[name].T
    theirs.load_state_dict(state)
    return ours, theirs


def test_trace_agrees_between_layers_and_modules():
    ours, theirs = (trace(net, x, y) for net in pair())
    names = ["0", "1", "2.0", "2.1", "2.2", "3"]
    kinds = ["Embedding", "Flatten", "Linear", "BatchNorm1d", "Tanh", "Linear"]
    for traces in (ours, theirs):
        assert [t.name for t in traces] == names
        assert [t.kind for t in traces] == kinds
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a.output, b.output)
        torch.testing.assert_close(a.grad, b.grad)
    assert ours[2].label == "2.0 Linear"


def test_trace_is_what_autograd_says():
    net, _ = pair()
    table, flatten, hidden, last = net
    h = hidden(flatten(table(x))).detach().requires_grad_()
    F.cross_entropy(last(h), y).backward()
    traced = trace(net, x, y)[4]
    torch.testing.assert_close(traced.output, h.detach())
    torch.testing.assert_close(traced.grad, h.grad)
    assert not traced.output.requires_grad


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("training", [True, False])
def test_looking_changes_nothing(which, training):
    net = pair()[which].train(training)
    net(x).sum().backward()
    if which == 1:
        net[2].eval()  # a part in another mode stays so
    modes = [part.training for part in net.modules()]
    state = {k: v.clone() for k, v in net.state_dict().items()}
    grads = [p.grad.clone() for p in net.parameters()]
    attributes = [set(vars(part)) for part in net.modules()]
    with torch.no_grad():
        assert all(stats.grad_std > 0 for stats in layer_stats(trace(net, x, y)))
    parameter_stats(net)
    UpdateRatios(net).record()
    assert [part.training for part in net.modules()] == modes
    assert [set(vars(part)) for part in net.modules()] == attributes
    for name, value in net.state_dict().items():
        assert torch.equal(value, state[name])
    for p, grad in zip(net.parameters(), grads, strict=True):
        assert torch.equal(p.grad, grad)
    if which == 1:
        assert not any(part._forward_hooks for part in net.modules())


def test_hooks_and_statistics_go_back_after_an_error():
    net = WaveNet(V, 4, generator=seeded())
    state = {k: v.clone() for k, v in net.state_dict().items()}
    with pytest.raises(RuntimeError):
        trace(net, torch.zeros(5, 3, dtype=torch.int64), y[:5])
    assert not any(part._forward_hooks for part in net.modules())
    for name, value in net.state_dict().items():
        assert torch.equal(value, state[name])


def test_a_graph_from_before_survives():
    net = MLP(V, T, generator=seeded())
    loss = F.cross_entropy(net(x), y)
    trace(net, x, y)
    loss.backward()


def test_a_frozen_net_has_no_gradients():
    net = MLP(V, T, generator=seeded()).requires_grad_(False)
    assert all(t.grad.abs().max() == 0 for t in trace(net, x, y))


def test_layer_stats():
    output = torch.tensor([[0.98, -0.99, 0.5], [-0.98, 0.2, 1.0]])
    grad = torch.arange(6.0).view(2, 3)
    (stats,) = layer_stats([LayerTrace("1", "Tanh", output, grad)])
    assert stats.mean == pytest.approx(output.mean().item())
    assert stats.std == pytest.approx(output.std().item())
    assert stats.saturated == pytest.approx(4 / 6)
    assert stats.dead == 1
    assert (stats.grad_mean, stats.grad_std) == pytest.approx((2.5, 3.5**0.5))
    (loose,) = layer_stats([LayerTrace("1", "Tanh", output, grad)], threshold=0.1)
    assert (loose.saturated, loose.dead) == (1.0, 3)


def test_dead_units_of_every_kind():
    h = torch.tensor([[[0.0, 1.0, 3.0], [0.0, 0.0, 3.0]], [[0.0, 0.0, 3.0]] * 2])

    def dead(kind):
        return dead_units(LayerTrace("", kind, h, h)).tolist()

    assert dead("ReLU") == [True, False, False]
    assert dead("Tanh") == [False, False, True]
    assert dead("Linear") == [False] * 3


def test_parameter_stats():
    for net in pair():
        with pytest.raises(ValueError, match=r"0\.weight has no gradient"):
            parameter_stats(net)
        F.cross_entropy(net(x), y).backward()
        with torch.no_grad():
            net[3].weight.zero_()
        stats = {s.name: s for s in parameter_stats(net)}
        assert list(stats) == ["0.weight", "2.0.weight", "3.weight"]
        weight = net[0].weight
        assert stats["0.weight"].shape == (V, 3)
        assert stats["0.weight"].std == pytest.approx(weight.std().item())
        ratio = (weight.grad.std() / weight.std()).item()
        assert stats["0.weight"].ratio == pytest.approx(ratio)
        assert stats["3.weight"].ratio == float("inf")


def test_update_ratios_are_rate_times_gradient_over_data_for_sgd():
    for net in pair():
        ratios = UpdateRatios(net)
        expected = []
        optimizer = torch.optim.SGD(net.parameters(), 0.2)
        for step in training_steps(net, optimizer, [(x, y)] * 4):
            ratios.record()
            expected.append([step.lr * s.ratio for s in parameter_stats(net)])
        assert ratios.names == ["0.weight", "2.0.weight", "3.weight"]
        torch.testing.assert_close(
            ratios.table(), torch.tensor(expected), rtol=1e-4, atol=0
        )


def test_update_ratios_before_the_first_step():
    assert UpdateRatios(pair()[0]).table().shape == (0, 3)


def test_a_model_that_ends_in_more_than_its_last_layer():
    net = CausalConv(V, 2, 3, 4, generator=seeded())
    longer = torch.randint(V, (40, 5), generator=seeded(3))
    last = trace(net, longer, y)[-1]
    assert last.output.shape == (40, 4, V)
    expected = (torch.softmax(last.output[:, -1], 1) - F.one_hot(y, V)) / len(y)
    torch.testing.assert_close(last.grad[:, -1], expected)
    assert last.grad[:, :-1].abs().max() == 0
