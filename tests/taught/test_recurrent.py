"""Recurrent nets: equal to torch.nn, and the same by contexts, by rows and by steps."""

import pytest
import torch
from torch import nn

from charlm.data import load_words, soft_targets, split_words, windows
from charlm.evaluate import evaluate, losses
from charlm.prefixes import batches_of_words
from charlm.recurrent import GRU, LSTM, RNN, Recurrent
from charlm.sample import sample_words
from charlm.train import adamw, cosine, cross_entropy, training_steps
from charlm.vocab import Vocabulary

WORDS = load_words()
VOCAB = Vocabulary.from_words(WORDS)
KINDS = [(RNN, nn.RNN), (GRU, nn.GRU), (LSTM, nn.LSTM)]
OURS = [RNN, GRU, LSTM]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def made(kind, n_hidden=12, seed=0, **sizes):
    return kind(27, n_hidden=n_hidden, generator=seeded(seed), **sizes).double().eval()


def rows_of(words):
    """Each word from its first boundary on, padded at the right: (B, T)."""
    T = max(map(len, words)) + 1
    rows = [[0, *VOCAB.encode(word)] for word in words]
    return torch.tensor([row + [0] * (T - len(row)) for row in rows])


def twin(net, kind):
    """The layer of torch.nn, on one-hot rows, with copies of the net's weights."""
    layer = kind(27, net.n_hidden, batch_first=True).double()
    with torch.no_grad():
        layer.weight_ih_l0.copy_(net.table.weight.T)
        layer.bias_ih_l0.zero_()
        layer.weight_hh_l0.copy_(net.hidden.weight)
        layer.bias_hh_l0.copy_(net.hidden.bias)
    return layer


@pytest.mark.parametrize("ours, theirs", KINDS)
def test_the_cell_is_that_of_torch_in_outputs_gradients_and_state(ours, theirs):
    net = made(ours)
    nn.init.normal_(net.hidden.bias, generator=seeded(1))
    layer = twin(net, theirs)
    idx = torch.randint(27, (5, 9), generator=seeded(2))
    state = torch.randn(5, net.n_states * 12, generator=seeded(3), dtype=torch.float64)
    first = [part[None].contiguous() for part in state.split(12, dim=1)]
    onehot = nn.functional.one_hot(idx, 27).double()
    output, last = layer(onehot, first[0] if len(first) == 1 else tuple(first))
    mine = []
    for ids in idx.T:
        state = net.cell(net.table(ids), state)
        mine.append(state[:, :12])
    last = torch.cat(last if isinstance(last, tuple) else [last], dim=2)[0]
    torch.testing.assert_close(torch.stack(mine, 1), output, rtol=0, atol=1e-12)
    torch.testing.assert_close(state, last, rtol=0, atol=1e-12)
    weight = torch.randn(output.shape, generator=seeded(4), dtype=torch.float64)
    (torch.stack(mine, 1) * weight).sum().backward()
    (output * weight).sum().backward()
    for a, b in [
        (net.table.weight.grad.T, layer.weight_ih_l0.grad),
        (net.hidden.weight.grad, layer.weight_hh_l0.grad),
        (net.hidden.bias.grad, layer.bias_hh_l0.grad),
    ]:
        torch.testing.assert_close(a, b, rtol=0, atol=1e-10)


@pytest.mark.parametrize("kind", OURS)
def test_contexts_rows_and_steps_give_the_same(kind):
    net = made(kind)
    words = WORDS[:60]
    X, _ = windows(words, VOCAB, 16)
    rows = rows_of(words)
    places = net.all_places(rows)
    assert places.shape == (60, rows.shape[1], 27)
    plain = torch.cat(
        [row[: len(word) + 1] for row, word in zip(places, words, strict=True)]
    )
    torch.testing.assert_close(net(X), plain, rtol=0, atol=1e-12)
    state = net.start(60)
    assert not state.any()
    for t, ids in enumerate(rows.T):
        logits, state = net.step(ids, state)
        torch.testing.assert_close(logits, places[:, t], rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", OURS)
def test_both_ways_have_the_same_gradients(kind):
    net = made(kind)
    words = WORDS[:40]
    X, Y = windows(words, VOCAB, 16)
    P = soft_targets(X, Y, 27).double()
    cross_entropy(net(X), P).backward()
    found = [p.grad.clone() for p in net.parameters()]
    net.zero_grad()
    rows, lengths = rows_of(words), [len(word) + 1 for word in words]
    inside = torch.arange(rows.shape[1]) < torch.tensor(lengths)[:, None]
    cross_entropy(net.all_places(rows)[inside], P).backward()
    for a, p in zip(found, net.parameters(), strict=True):
        torch.testing.assert_close(a, p.grad, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", OURS)
def test_rows_of_a_state_can_be_picked(kind):
    net = made(kind)
    rows = rows_of(WORDS[:8])
    state = net.start(8)
    for ids in rows.T[:3]:
        _, state = net.step(ids, state)
    going = torch.tensor([6, 1, 3])
    logits, _ = net.step(rows[going, 3], state[going])
    expected = net.all_places(rows)[going, 3]
    torch.testing.assert_close(logits, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", OURS)
def test_a_longer_context_is_cut_to_its_last_ids(kind):
    net = made(kind, block_size=4)
    idx = torch.randint(1, 27, (6, 9), generator=seeded(5))
    assert torch.equal(net(idx), net(idx[:, 5:]))
    rows = net.all_places(idx[:, 5:])[:, -1]
    torch.testing.assert_close(net(idx), rows, rtol=0, atol=1e-12)
    X, Y = windows(["christopher"], VOCAB, 4)
    expected = losses(net, X, Y).mean().item()
    assert evaluate(net, ["christopher"], VOCAB).loss == pytest.approx(expected)


@pytest.mark.parametrize("kind", OURS)
def test_dropout_is_before_the_output_alone(kind):
    net = made(kind, dropout=0.5).train()
    seen = []
    net.dropout.register_forward_hook(lambda *args: seen.append(args[2]))
    idx = rows_of(["emma", "olivia"])
    torch.manual_seed(0)
    a = net.all_places(idx)
    torch.manual_seed(0)
    assert torch.equal(net.all_places(idx), a)
    assert not torch.equal(net.all_places(idx), a)
    assert 0.3 < (seen[0] == 0).double().mean() < 0.7
    state, other = net.start(2), net.start(2)
    for ids in idx.T:  # what is carried on is never dropped
        (_, state), (_, other) = net.step(ids, state), net.eval().step(ids, other)
        net.train()
    assert torch.equal(state, other)


@pytest.mark.parametrize("kind", OURS)
def test_no_contexts_have_no_logits(kind):
    assert made(kind)(torch.zeros(0, 16, dtype=torch.int64)).shape == (0, 27)


@pytest.mark.parametrize("kind", OURS)
def test_the_first_weights(kind):
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    net, again, other = (made(kind, 32, seed) for seed in (0, 0, 1))
    assert torch.equal(before, torch.random.get_rng_state())
    for a, b, c in zip(*[n.parameters() for n in (net, again, other)], strict=True):
        assert torch.equal(a, b)
        assert a.ndim == 1 or not torch.equal(a, c)
    for W in net.hidden.weight.split(32):
        torch.testing.assert_close(W @ W.T, torch.eye(32).double(), rtol=0, atol=1e-5)
    biases = net.hidden.bias.view(-1, 32)
    ones = [i for i, block in enumerate(biases) if (block == 1).all()]
    assert ones == ([] if kind is RNN else [1])
    assert biases.sum() == 32 * len(ones)
    first = losses(net, *windows(WORDS[:200], VOCAB, 16)).mean().item()
    assert first == pytest.approx(torch.tensor(27.0).log().item(), abs=0.05)


def test_the_gate_that_keeps_keeps():
    for kind in (GRU, LSTM):
        net = made(kind)
        with torch.no_grad():
            net.hidden.bias.view(-1, 12)[kind.keep_block] = 50.0
            if kind is LSTM:
                net.hidden.bias.view(-1, 12)[0] = -50.0  # nothing comes in
        state = torch.randn(3, net.n_states * 12, generator=seeded(1)).double()
        kept = net.cell(net.table(torch.tensor([1, 2, 3])), state)
        memory = slice(12, 24) if kind is LSTM else slice(0, 12)
        torch.testing.assert_close(kept[:, memory], state[:, memory])


@pytest.mark.parametrize("kind", OURS)
def test_it_learns_from_whole_words_and_samples(kind):
    train, dev, _ = split_words(WORDS)
    X, Y = windows(train[:4000], VOCAB, 16)
    net = kind(27, n_hidden=48, generator=seeded(0))
    assert net.whole_words
    drawn = batches_of_words(
        X, soft_targets(X, Y, 27), 128, generator=seeded(1), steps=120
    )
    torch.manual_seed(0)
    schedule = cosine(0.02, 120, 12)
    for step in training_steps(net, adamw(net, 0.02, 0.1), drawn, schedule):
        last = step.loss
    assert last < 2.5
    assert evaluate(net, dev, VOCAB).loss < 2.45
    words = sample_words(net, VOCAB, 50, generator=seeded(2))
    assert 3 < sum(map(len, words)) / 50 < 10
    assert words == sample_words(net, VOCAB, 50, generator=seeded(2))


def test_the_base_has_no_cell():
    with pytest.raises(NotImplementedError):
        Recurrent(27)(torch.zeros(1, 16, dtype=torch.int64))
