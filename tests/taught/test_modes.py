"""Measuring and sampling happen in eval mode, and leave the modes as they were."""

import pytest
import torch

from charlm import layers
from charlm.data import windows
from charlm.evaluate import eval_mode, evaluate, losses
from charlm.models import MLP
from charlm.sample import sample_words
from charlm.vocab import Vocabulary

WORDS = ["emma", "olivia", "ava", "isabella", "sophia", "mia"]
VOCAB = Vocabulary.from_words(WORDS)
X, Y = windows(WORDS, VOCAB, 3)


def module_net():
    return MLP(len(VOCAB), batch_norm=True, generator=torch.Generator().manual_seed(0))


def layers_net():
    net = layers.Sequential(
        layers.Embedding(len(VOCAB), 4),
        layers.Flatten(),
        layers.Linear(12, 8),
        layers.BatchNorm1d(8),
        layers.Tanh(),
        layers.Linear(8, len(VOCAB)),
    )
    net.block_size = 3
    return net


def use(how, net):
    if how == "losses":
        losses(net, X, Y)
    elif how == "evaluate":
        evaluate(net, WORDS, VOCAB)
    else:
        generator = torch.Generator().manual_seed(0)
        sample_words(net, VOCAB, 3, generator=generator, max_length=5)


@pytest.mark.parametrize("how", ["losses", "evaluate", "sample"])
@pytest.mark.parametrize("make", [module_net, layers_net])
def test_eval_mode_is_used_and_left_again(make, how):
    net = make()
    state = {k: v.clone() for k, v in net.state_dict().items()}
    parts = list(net.modules())
    parts[-1].training = False  # a part with a mode of its own keeps it
    use(how, net)
    assert [part.training for part in parts] == [True] * (len(parts) - 1) + [False]
    for name, value in net.state_dict().items():
        assert torch.equal(value, state[name])


@pytest.mark.parametrize("make", [module_net, layers_net])
def test_the_loss_does_not_depend_on_the_mode_or_the_batches(make):
    net = make()
    net(X)
    first = losses(net.train(), X, Y)
    torch.testing.assert_close(first, losses(net.eval(), X, Y))
    torch.testing.assert_close(first, losses(net.train(), X, Y, batch_size=1))


def test_modes_return_after_an_error():
    net = module_net()
    with pytest.raises(ZeroDivisionError), eval_mode(net):
        assert not net.training
        raise ZeroDivisionError
    assert all(part.training for part in net.modules())


def test_a_model_without_modes_is_left_alone():
    with eval_mode(lambda idx: idx):
        pass
