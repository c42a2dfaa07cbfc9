"""Nets trained side by side are the nets trained one by one."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from charlm.data import batches, windows
from charlm.models import MLP, CausalConv, WaveNet
from charlm.seeds import OverSeeds, Stacked, over_seeds, train_seeds
from charlm.train import NonFiniteLossError, adamw, cosine, training_steps

S, B, STEPS = 3, 16, 12


def seeded(seed):
    return torch.Generator().manual_seed(seed)


KINDS: dict[str, Callable[[torch.Generator], Any]] = {
    "mlp": lambda g: MLP(27, 3, 4, 8, generator=g),
    "normed": lambda g: MLP(27, 3, 4, 8, 2, True, generator=g),
    "tree": lambda g: WaveNet(27, 4, 4, 8, generator=g),
}


OPTIMIZERS = {
    "sgd": lambda net: torch.optim.SGD(net.parameters()),
    "adamw": lambda net: adamw(net, 0.2, decay=0.5),  # of matrices, not of biases
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_side_by_side_is_one_by_one(kind, optimizer, names, vocab):
    stack = Stacked([KINDS[kind](seeded(s)) for s in range(S)])
    alone = [KINDS[kind](seeded(s)) for s in range(S)]
    X, Y = windows(names[:300], vocab, alone[0].block_size)
    drawn = list(batches(X, Y, (S, B), generator=seeded(9), steps=STEPS))
    rate = cosine(0.2, STEPS)
    losses = train_seeds(stack, optimizer(stack), drawn, rate)
    assert losses.shape == (STEPS, S)
    for s, (net, found) in enumerate(zip(alone, stack.each())):
        own = [(x[s], y[s]) for x, y in drawn]
        loop = training_steps(net, optimizer(net), own, rate)
        expected = torch.tensor([step.loss for step in loop])
        torch.testing.assert_close(losses[:, s], expected, atol=1e-5, rtol=1e-5)
        for name, value in net.state_dict().items():
            torch.testing.assert_close(
                found.state_dict()[name], value, atol=1e-4, rtol=1e-4
            )
        assert found(X[:50]).shape == (50, 27)


def test_a_net_that_is_more_than_its_layers_is_refused():
    with pytest.raises(TypeError, match="cannot stack a CausalConv"):
        Stacked([CausalConv(27, 4, 4, 8), CausalConv(27, 4, 4, 8)])


def test_a_loss_that_breaks_down_stops_all():
    nets = [MLP(27, 3, 4, 8, generator=seeded(s)) for s in range(2)]
    nets[1].net[-1].get_parameter("bias").data.fill_(float("nan"))
    stack = Stacked(nets)
    x = torch.zeros(2, 4, 3, dtype=torch.int64)
    weight = stack.net[0].get_parameter("weight")
    before = weight.clone()
    with pytest.raises(NonFiniteLossError, match="at step 0"):
        train_seeds(stack, adamw(stack, 0.1), [(x, x[..., 0])])
    assert weight.equal(before)


def test_the_spread_over_seeds():
    found = over_seeds([2.0, 2.2, 2.4, 2.6])
    assert found == OverSeeds(found.mean, found.std, 4)
    assert found.mean == pytest.approx(2.3)
    assert found.std == pytest.approx(0.258199, abs=1e-6)
    assert found.standard_error == pytest.approx(0.1290994, abs=1e-6)
    assert str(found) == "2.3000 ± 0.1291 (4 seeds)"
    with pytest.raises(ValueError, match="one seed has no spread"):
        over_seeds([2.0])
