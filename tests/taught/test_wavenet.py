"""Part 5's nets: causality, the 3-D batch-norm bug, sharing, gates, one import."""

import pytest
import torch
import torch.nn.functional as F

from charlm import layers
from charlm.gated import GatedLevel, GatedWaveNet
from charlm.memoized import MemoizedWaveNet
from charlm.models import CausalConv, WaveNet


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def draw(*shape, vocab_size=11, seed=5):
    return torch.randint(vocab_size, shape, generator=seeded(seed))


def used(model):
    """The model with running statistics that are no longer the first ones."""
    for seed in range(3):
        model(draw(30, model.block_size, seed=seed))
    return model


@pytest.mark.parametrize("t", range(14))
def test_no_place_sees_a_later_character(t):
    conv = used(CausalConv(11, 8, 3, 6, generator=seeded())).eval()
    idx = draw(2, 14)
    changed = idx.clone()
    changed[:, t] = (changed[:, t] + 1) % 11
    moved = (conv.all_places(idx) != conv.all_places(changed)).any(2).any(0)
    # Place p predicts what follows the characters p to p + 7.
    assert moved.tolist() == [p <= t <= p + 7 for p in range(7)]


class NormOverRows(layers.BatchNorm1d):
    """The bug: the mean over dimension 0 only, also where there is a time dimension."""

    def __call__(self, x):
        mean, var = x.mean(0), x.var(0, correction=0)
        self.running_mean = self.running_mean.lerp(mean, self.momentum)
        return self.weight * (x - mean) / (var + self.eps).sqrt() + self.bias


def test_the_bug_and_its_cure():
    at = torch.arange(4.0).view(4, 1)  # each place has a mean of its own
    x = torch.randn(32, 4, 6, generator=seeded()) + at
    bug, cure = NormOverRows(6), layers.BatchNorm1d(6)
    torch.testing.assert_close(bug(x[:, 0]), cure(x[:, 0]))  # in 2-D it is no bug
    bug, cure = NormOverRows(6), layers.BatchNorm1d(6)
    wrong, right = bug(x), cure(x)
    assert bug.running_mean.shape == (4, 6)
    assert cure.running_mean.shape == (6,)
    torch.testing.assert_close(wrong.mean(0), torch.zeros(4, 6), atol=1e-5, rtol=0)
    torch.testing.assert_close(right.mean((0, 1)), torch.zeros(6), atol=1e-5, rtol=0)
    assert (right.mean(0)[3] - right.mean(0)[0]).min() > 1  # the places stay apart


def build(nn, n_embd=3, n_hidden=6, vocab_size=11):
    def level(n_in):
        return [
            nn.Unflatten(0, (-1, 2)),
            nn.Flatten(),
            nn.Linear(2 * n_in, n_hidden, bias=False),
            nn.BatchNorm1d(n_hidden),
            nn.Tanh(),
        ]

    return nn.Sequential(
        nn.Flatten(0),
        nn.Embedding(vocab_size, n_embd),
        *level(n_embd),
        *level(n_hidden),
        *level(n_hidden),
        nn.Linear(n_hidden, vocab_size),
    )


def give(ours, theirs):
    with torch.no_grad():
        for mine, its in zip(ours, theirs, strict=True):
            for name, value in mine.state_dict().items():
                turned = isinstance(mine, layers.Linear) and name == "weight"
                getattr(its, name).copy_(value.T if turned else value)


def test_the_tree_from_either_library():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        ours, theirs = build(layers), build(torch.nn)
    give(ours, theirs)
    optimizers = [torch.optim.SGD(net.parameters(), 0.1) for net in (ours, theirs)]
    for seed in range(5):
        x, y = draw(16, 8, seed=seed), draw(16, seed=seed + 50)
        found = []
        for net, optimizer in zip((ours, theirs), optimizers, strict=True):
            optimizer.zero_grad()
            loss = F.cross_entropy(net(x), y)
            loss.backward()
            found.append(loss)
            optimizer.step()
        torch.testing.assert_close(*found)
        for mine, its in zip(ours, theirs, strict=True):
            for name, value in mine.state_dict().items():
                turned = isinstance(mine, layers.Linear) and name == "weight"
                other = getattr(its, name)
                torch.testing.assert_close(
                    value, other.T if turned else other, atol=1e-5, rtol=0
                )
                if value.requires_grad:
                    grad = other.grad.T if turned else other.grad
                    torch.testing.assert_close(value.grad, grad, atol=1e-5, rtol=0)
    x = draw(16, 8, seed=99)
    torch.testing.assert_close(ours.eval()(x), theirs.eval()(x), atol=1e-5, rtol=0)


def test_rows_as_the_batch_are_the_packaged_tree():
    tree, rows = WaveNet(11, 8, 3, 6, generator=seeded()), build(torch.nn)
    with torch.no_grad():
        for a, b in zip(rows.parameters(), tree.parameters(), strict=True):
            a.copy_(b)
    x = draw(16, 8)
    torch.testing.assert_close(tree(x), rows(x))  # in train mode too
    torch.testing.assert_close(tree.eval()(x), rows.eval()(x))


def test_a_batch_of_one_context_is_learned_from_too():
    """Batch normalization needs two rows: of equal contexts, each is one."""
    plain, memoized = (
        kind(11, 8, 3, 6, generator=seeded()) for kind in (WaveNet, MemoizedWaveNet)
    )
    idx = draw(1, 8).expand(5, 8)
    torch.testing.assert_close(memoized(idx), plain(idx))
    torch.testing.assert_close(memoized.state_dict(), plain.state_dict())


@pytest.mark.parametrize("block_size", [2, 4, 8, 16])
@pytest.mark.parametrize("n", [1, 7, 200])
def test_memoizing_changes_nothing_in_eval_mode(block_size, n):
    tree = used(WaveNet(11, block_size, 3, 6, generator=seeded()).double()).eval()
    memoized = MemoizedWaveNet(11, block_size, 3, 6).double().eval()
    memoized.load_state_dict(tree.state_dict())
    idx = draw(n, block_size, vocab_size=3)
    torch.testing.assert_close(memoized(idx), tree(idx), rtol=0, atol=1e-12)
    a = torch.autograd.grad(memoized(idx).square().sum(), list(memoized.parameters()))
    b = torch.autograd.grad(tree(idx).square().sum(), list(tree.parameters()))
    torch.testing.assert_close(a, b, rtol=0, atol=1e-9)


def test_each_distinct_piece_is_computed_once():
    memoized = MemoizedWaveNet(27, 8, 3, 6)
    counts = []
    for part in memoized.net:
        if isinstance(part, torch.nn.Linear):
            part.register_forward_hook(lambda part, x, out: counts.append(len(out)))
    idx = draw(500, 8, vocab_size=3)
    memoized(idx)
    pieces = [len(idx.view(-1, n).unique(dim=0)) for n in (2, 4, 8)]
    assert counts == [*pieces, pieces[-1]]


@pytest.mark.parametrize(
    "n, training, rows", [(1, False, 4), (3, False, 1), (3, True, 12)]
)
def test_one_context_and_in_training_equal_ones_go_up_the_plain_tree(n, training, rows):
    """Not for want of equal pieces: their four pairs are one and the same."""
    memoized = MemoizedWaveNet(11, 8, 3, 6).train(training)
    counts = []
    memoized.levels[0][0].register_forward_hook(
        lambda part, x, out: counts.append(out.shape[:-1].numel())
    )
    idx = torch.zeros(n, 8, dtype=torch.long)
    assert len(idx.view(-1, 2).unique(dim=0)) == 1
    memoized(idx)
    assert counts == [rows]


def test_the_gated_net():
    model = GatedWaveNet(11, 8, 6, generator=seeded())
    idx = draw(5, 8)
    assert model(idx).shape == (5, 11)
    assert model(idx[:1]).shape == (1, 11)
    first = F.cross_entropy(model(draw(500, 8)), draw(500, seed=6)).item()
    assert first == pytest.approx(torch.tensor(11.0).log().item(), abs=0.2)
    logits = model(idx).sum(0)
    logits.sum().backward()
    assert all(p.grad is not None for p in model.levels[0].parameters())
    for t in range(8):  # every place matters
        changed = idx.clone()
        changed[:, t] = (changed[:, t] + 1) % 11
        assert not torch.allclose(model(idx), model(changed))
    with pytest.raises(ValueError, match="power of two from 2 up"):
        GatedWaveNet(11, 6)


def test_a_level_gates_adds_and_skips():
    level = GatedWaveNet(11, 4, 3, generator=seeded()).levels[0]
    h = torch.randn(2, 4, 3, generator=seeded(1))
    out, skip = level(h)
    x = torch.cat([h[:, ::2], h[:, 1::2]], 2)
    assert isinstance(level, GatedLevel)
    W, b = level.both.weight, level.both.bias
    z = torch.tanh(x @ W[:3].T + b[:3]) * torch.sigmoid(x @ W[3:].T + b[3:])
    torch.testing.assert_close(out, h[:, 1::2] + level.residual(z))
    torch.testing.assert_close(skip, level.skip(z[:, 1]))
