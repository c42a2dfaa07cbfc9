"""One step equals the update by hand; the same generator gives the same run."""

import itertools
import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from charlm import layers
from charlm.data import batches, windows
from charlm.evaluate import losses
from charlm.models import MLP, NeuralBigram
from charlm.train import (
    NonFiniteLossError,
    adamw,
    cosine,
    fit,
    learning_rate_search,
    training_steps,
)
from charlm.vocab import Vocabulary

WORDS = ["emma", "olivia", "ava", "isabella", "sophia", "mia", "zoe", "kim", "quinn"]
VOCAB = Vocabulary.from_words(WORDS)
V = len(VOCAB)
X, Y = windows(WORDS, VOCAB, 3)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def mlp(seed=0, **kwargs):
    return MLP(V, 3, 4, 16, generator=seeded(seed), **kwargs)


def layers_net(seed=0):
    generator = seeded(seed)
    return layers.Sequential(
        layers.Embedding(V, 4, generator=generator),
        layers.Flatten(),
        layers.Linear(12, 16, bias=False, generator=generator),
        layers.BatchNorm1d(16),
        layers.Tanh(),
        layers.Linear(16, V, generator=generator),
    )


def sgd(model, lr=0.1, **kwargs):
    return torch.optim.SGD(model.parameters(), lr, **kwargs)


# batches


@settings(max_examples=40, deadline=None)
@given(
    N=st.integers(1, 50),
    batch_size=st.integers(1, 60),
    seed=st.integers(0, 99),
    steps=st.integers(0, 4),
)
def test_batches(N, batch_size, seed, steps):
    X = torch.arange(2 * N).view(N, 2)
    Y = torch.arange(N)
    drawn = list(batches(X, Y, batch_size, generator=seeded(seed), steps=steps))
    assert len(drawn) == steps
    for x, y in drawn:
        assert (x.shape, y.shape) == ((batch_size, 2), (batch_size,))
        assert torch.equal(x, X[y])
    again = list(batches(X, Y, batch_size, generator=seeded(seed), steps=steps))
    assert all(torch.equal(a[1], b[1]) for a, b in zip(drawn, again, strict=True))


def test_batches_are_endless_and_reach_all_examples_evenly():
    Y = torch.arange(20)
    drawn = itertools.islice(batches(Y, Y, 100, generator=seeded()), 200)
    counts = torch.bincount(torch.cat([y for _, y in drawn]), minlength=20)
    assert (counts - 1000).abs().max() < 150


def test_batches_continue_from_the_generators_state():
    generator = seeded()
    first = [y for _, y in batches(X, Y, 8, generator=generator, steps=3)]
    state = generator.get_state()
    then = [y for _, y in batches(X, Y, 8, generator=generator, steps=3)]
    generator.set_state(state)
    again = [y for _, y in batches(X, Y, 8, generator=generator, steps=3)]
    assert torch.equal(torch.stack(then), torch.stack(again))
    assert not torch.equal(torch.stack(first), torch.stack(then))


@pytest.mark.parametrize(
    ("X", "Y", "batch_size", "message"),
    [
        (X, Y[1:], 4, "contexts but"),
        (X[:0], Y[:0], 4, "cannot draw 4 of 0"),
        (X, Y, 0, "cannot draw 0"),
    ],
)
def test_batches_refuse(X, Y, batch_size, message):
    with pytest.raises(ValueError, match=message):
        next(batches(X, Y, batch_size, generator=seeded()))


# training_steps


def test_one_step_is_the_update_by_hand():
    ours, theirs = mlp(), mlp()
    (step,) = training_steps(ours, sgd(ours, 0.3), [(X, Y)])
    loss = F.cross_entropy(theirs(X), Y)
    gradients = torch.autograd.grad(loss, list(theirs.parameters()))
    assert (step.index, step.loss, step.lr) == (0, loss.item(), 0.3)
    for a, b, gradient in zip(
        ours.parameters(), theirs.parameters(), gradients, strict=True
    ):
        assert torch.equal(a.grad, gradient)
        torch.testing.assert_close(a, b - 0.3 * gradient, rtol=0, atol=1e-7)


def test_gradients_do_not_add_up_over_steps():
    model = mlp()
    steps = training_steps(model, sgd(model, 0.0), [(X, Y)] * 3)
    seen = [[p.grad.clone() for p in model.parameters()] for _ in steps]
    for first, last in zip(seen[0], seen[2], strict=True):
        assert torch.equal(first, last)


def test_the_schedule_sets_the_rate_of_every_group():
    model = mlp()
    parts = list(model.parameters())
    optimizer = torch.optim.SGD([{"params": parts[:2]}, {"params": parts[2:]}], 9.0)
    rates = [0.1, 0.2, 0.05]
    before = [p.detach().clone() for p in parts]
    for step in training_steps(model, optimizer, [(X, Y)] * 3, rates.__getitem__):
        assert step.lr == rates[step.index]
        assert [g["lr"] for g in optimizer.param_groups] == [step.lr] * 2
        for p, old in zip(parts, before, strict=True):
            torch.testing.assert_close(p, old - step.lr * p.grad)
        before = [p.detach().clone() for p in parts]


def test_logits_of_all_places():
    class Places(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.table = torch.nn.Parameter(torch.randn(V, V, generator=seeded()))

        def forward(self, idx):
            return self.table[idx]

    model, flat = Places(), Places()
    idx, targets = X, X.roll(1, 0)
    (step,) = training_steps(model, sgd(model), [(idx, targets)])
    (same,) = training_steps(flat, sgd(flat), [(idx.flatten(), targets.flatten())])
    assert step.loss == pytest.approx(same.loss)
    torch.testing.assert_close(model.table, flat.table)


@pytest.mark.parametrize("shape", [(5,), (5, 3)])
def test_targets_may_be_probabilities(shape):
    """Certain ones ask for the same as ids, with or without a time dimension."""
    logits = torch.randn(*shape, V, generator=seeded()).requires_grad_()
    ids = torch.randint(V, shape, generator=seeded(1))
    for y in (ids, F.one_hot(ids, V).float()):
        steps = training_steps(
            lambda x: logits, torch.optim.SGD([logits], 0.0), [(ids, y)]
        )
        expected = F.cross_entropy(logits.flatten(0, -2), ids.flatten()).item()
        assert next(steps).loss == pytest.approx(expected)


def test_a_loss_that_is_not_finite_stops_before_the_update():
    model = mlp()
    with torch.no_grad():
        model.net[-1].weight[0, 0] = float("nan")
    before = [p.detach().clone() for p in model.parameters()]
    with pytest.raises(NonFiniteLossError, match=r"nan at step 0.*lower .* than 0\.1"):
        list(training_steps(model, sgd(model), [(X, Y)]))
    for p, old in zip(model.parameters(), before, strict=True):
        assert torch.equal(p.nan_to_num(), old.nan_to_num())


# schedules


@settings(max_examples=40, deadline=None)
@given(
    rate=st.floats(1e-4, 10),
    steps=st.integers(1, 500),
    share=st.floats(0, 0.99),
    final=st.floats(0, 1),
)
def test_cosine(rate, steps, share, final):
    warmup, final = int(share * steps), final * rate
    schedule = cosine(rate, steps, warmup, final)
    rates = [schedule(step) for step in range(steps + 3)]
    rise, fall = rates[:warmup], rates[warmup:]
    assert rise == sorted(rise)
    assert fall == sorted(fall, reverse=True)
    assert fall[0] == pytest.approx(rate)
    assert rates[steps:] == pytest.approx([final] * 3)
    assert all(0 < r <= rate * (1 + 1e-9) for r in rates[:steps])
    middle = warmup + (steps - warmup) / 2
    if middle == int(middle):
        assert schedule(int(middle)) == pytest.approx((rate + final) / 2)


@pytest.mark.parametrize("warmup", [-1, 10, 11])
def test_cosine_refuses_a_warmup_that_does_not_fit(warmup):
    with pytest.raises(ValueError, match="does not fit"):
        cosine(0.1, 10, warmup)


# learning_rate_search


@pytest.mark.parametrize("make", [lambda: mlp(batch_norm=True), layers_net])
def test_learning_rate_search_leaves_everything_as_it_was(make):
    model = make()
    optimizer = sgd(model, 0.7, momentum=0.9)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    exponents = torch.linspace(-3, 0, 20).tolist()
    data = batches(X, Y, 8, generator=seeded())
    rates, found = learning_rate_search(model, optimizer, data, exponents)
    assert rates.tolist() == pytest.approx([10**e for e in exponents])
    assert len(found) == 20
    assert found[-5:].mean() < found[:5].mean()
    assert optimizer.param_groups[0]["lr"] == 0.7
    assert not optimizer.state
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


def test_learning_rate_search_stops_where_the_loss_blows_up():
    model = mlp(n_layer=2)
    data = batches(X, Y, 8, generator=seeded())
    exponents = [0.0, 0.0, 38.0, 38.0, 0.0, 0.0]
    rates, found = learning_rate_search(model, sgd(model), data, exponents)
    assert len(rates) == len(found) < 6
    assert found.isfinite().all()


# fit


def run(model, seed=3, steps=60, **kwargs):
    settings: dict[str, Any] = {"eval_every": 20, "schedule": cosine(0.5, 60, 5)}
    return fit(
        model,
        (X[:40], Y[:40]),
        (X[40:], Y[40:]),
        optimizer=sgd(model, momentum=0.9),
        steps=steps,
        batch_size=8,
        generator=seeded(seed),
        **settings | kwargs,
    )


@pytest.mark.parametrize("make", [lambda: mlp(batch_norm=True), layers_net])
def test_the_same_generator_gives_bitwise_the_same_run(make):
    models = [make() for _ in range(3)]
    histories = [
        run(model, seed) for model, seed in zip(models, (3, 3, 4), strict=True)
    ]
    assert histories[0] == histories[1] != histories[2]
    states = [model.state_dict() for model in models]
    for name in states[0]:
        assert torch.equal(states[0][name], states[1][name])


@pytest.mark.parametrize("make", [lambda: mlp(batch_norm=True), layers_net])
def test_fit_keeps_the_best_parameters(make):
    model = make()
    history = run(model, steps=250, eval_every=10, schedule=lambda step: 0.5)
    assert history.dev_steps == list(range(10, 251, 10))
    assert len(history.losses) == 250
    assert history.best == min(history.dev_losses) < history.dev_losses[-1] - 0.1
    assert history.dev_losses[history.best_step // 10 - 1] == history.best
    again = losses(model, X[40:], Y[40:]).mean().item()
    assert again == pytest.approx(history.best, abs=1e-6)
    assert all(part.training for part in model.modules())


def test_fit_measures_after_the_last_step():
    assert run(mlp(), steps=50, eval_every=40).dev_steps == [40, 50]


def test_fit_learns_the_bigrams():
    X, Y = windows(WORDS, VOCAB, 1)
    model = NeuralBigram(V, generator=seeded())
    history = fit(
        model,
        (X, Y),
        (X, Y),
        optimizer=sgd(model),
        schedule=cosine(30.0, 300),
        steps=300,
        batch_size=64,
        generator=seeded(),
    )
    counts = torch.zeros(V, V)
    counts.index_put_((X[:, 0], Y), torch.ones(()), accumulate=True)
    best = -(counts / counts.sum(1, keepdim=True))[X[:, 0], Y].log().mean().item()
    assert best < history.best < best + 0.05 < math.log(V)


@pytest.mark.parametrize("kwargs", [{"steps": 0}, {"eval_every": 0}])
def test_fit_refuses(kwargs):
    with pytest.raises(ValueError, match="at least 1"):
        run(mlp(), **kwargs)


def test_adamw_decays_matrices_only():
    model = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.BatchNorm1d(3))
    before = [p.detach().clone() for p in model.parameters()]
    optimizer = adamw(model, rate=0.1, decay=0.5)
    for p in model.parameters():
        p.grad = torch.zeros_like(p)
    optimizer.step()
    for p, old in zip(model.parameters(), before, strict=True):
        share = 1 - 0.1 * 0.5 if p.ndim > 1 else 1.0
        torch.testing.assert_close(p.detach(), old * share)
