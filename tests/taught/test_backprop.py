"""Every backward pass against autograd in float64, and against finite differences."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from charlm import backprop
from charlm.backprop import EPS, compare

TOLERANCE: dict[str, Any] = {"rtol": 0, "atol": 1e-9}
BATCHES = st.sampled_from([2, 32])
SIZES = st.integers(1, 7)
SEEDS = st.integers(0, 1000)


def draws(seed):
    """Return functions that draw real numbers, and integers below n, by shape."""
    g = torch.Generator().manual_seed(seed)
    return (
        lambda *shape: torch.randn(shape, dtype=torch.float64, generator=g),
        lambda n, *shape: torch.randint(n, shape, generator=g),
    )


def autograd(function, *inputs, dy):
    """Return the gradients of the inputs when that of the output is dy."""
    leaves = [t.clone().requires_grad_() for t in inputs]
    return torch.autograd.grad(function(*leaves), leaves, dy)


def assert_all_close(ours, theirs):
    ours = ours if isinstance(ours, tuple) else (ours,)
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape
        torch.testing.assert_close(a, b, **TOLERANCE)


def batch_norm_forward(x, gamma, beta, correction=0):
    """Return y and what the backward pass needs: xhat and inv_std."""
    inv_std = (x.var(0, correction=correction) + EPS) ** -0.5
    xhat = (x - x.mean(0)) * inv_std
    return gamma * xhat + beta, xhat, inv_std


def mlp_forward(P, x, y, correction=0):
    hpre = P["C"][x].flatten(1) @ P["W1"]
    hpreact, *_ = batch_norm_forward(hpre, P["gamma"], P["beta"], correction)
    return F.cross_entropy(hpreact.tanh() @ P["W2"] + P["b2"], y)


def mlp_parameters(seed, T=3, V=27, C=4, H=6, dtype=torch.float64):
    randn, _ = draws(seed)
    shapes = {"C": (V, C), "W1": (T * C, H), "gamma": (H,), "beta": (H,)}
    P = {k: randn(*shape) for k, shape in (shapes | {"W2": (H, V), "b2": (V,)}).items()}
    P["gamma"] += 1
    return {k: p.to(dtype) for k, p in P.items()}


@given(BATCHES, SIZES, SEEDS)
def test_cross_entropy(B, V, seed):
    randn, randint = draws(seed)
    logits, y = 5 * randn(B, V), randint(V, B)
    one = torch.tensor(1.0, dtype=torch.float64)
    theirs = autograd(lambda z: F.cross_entropy(z, y), logits, dy=one)
    ours = backprop.cross_entropy_backward(logits, y)
    assert_all_close(ours, theirs)
    torch.testing.assert_close(ours.sum(1), torch.zeros_like(ours[:, 0]), **TOLERANCE)


def test_cross_entropy_survives_large_logits():
    logits = torch.tensor([[1000.0, 0.0], [0.0, -1000.0]])
    expected = torch.tensor([[0.0, 0.0], [0.5, -0.5]])
    ours = backprop.cross_entropy_backward(logits, torch.tensor([0, 1]))
    torch.testing.assert_close(ours, expected)


@given(BATCHES, SIZES, SIZES, SEEDS)
def test_linear(B, fan_in, fan_out, seed):
    randn, _ = draws(seed)
    x, W, b, dy = (
        randn(B, fan_in),
        randn(fan_in, fan_out),
        randn(fan_out),
        randn(B, fan_out),
    )
    theirs = autograd(lambda x, W, b: x @ W + b, x, W, b, dy=dy)
    assert_all_close(backprop.linear_backward(dy, x, W), theirs)


@given(st.lists(SIZES, max_size=3), SEEDS)
def test_tanh(shape, seed):
    randn, _ = draws(seed)
    x, dh = randn(*shape), randn(*shape)
    assert_all_close(
        backprop.tanh_backward(dh, x.tanh()), autograd(torch.tanh, x, dy=dh)
    )


@given(BATCHES, SIZES, st.sampled_from([0, 1]), SEEDS)
def test_batch_norm(B, H, correction, seed):
    randn, _ = draws(seed)
    x, gamma, beta, dy = 1 + 3 * randn(B, H), randn(H), randn(H), randn(B, H)
    theirs = autograd(
        lambda x, gamma, beta: batch_norm_forward(x, gamma, beta, correction)[0],
        x,
        gamma,
        beta,
        dy=dy,
    )
    _, xhat, inv_std = batch_norm_forward(x, gamma, beta, correction)
    ours = backprop.batch_norm_backward(dy, xhat, inv_std, gamma, correction)
    assert_all_close(ours, theirs)


@given(BATCHES, SEEDS)
def test_batch_norm_is_torchs(B, seed):
    randn, _ = draws(seed)
    x, gamma, beta, dy = randn(B, 3), randn(3), randn(3), randn(B, 3)
    theirs = autograd(
        lambda x, g, b: F.batch_norm(x, None, None, g, b, training=True, eps=EPS),
        *(x, gamma, beta),
        dy=dy,
    )
    _, xhat, inv_std = batch_norm_forward(x, gamma, beta)
    assert_all_close(backprop.batch_norm_backward(dy, xhat, inv_std, gamma), theirs)


@given(BATCHES, SIZES, SIZES, SIZES, SEEDS)
def test_embedding(B, T, V, C, seed):
    randn, randint = draws(seed)
    table, idx, demb = randn(V, C), randint(V, B, T), randn(B, T, C)
    theirs = autograd(lambda table: table[idx], table, dy=demb)
    assert_all_close(backprop.embedding_backward(demb, idx, V), theirs)


@given(BATCHES, st.integers(1, 4), st.sampled_from([0, 1]), SEEDS)
def test_mlp(B, T, correction, seed):
    P = mlp_parameters(seed, T)
    _, randint = draws(seed)
    x, y = randint(27, B, T), randint(27, B)
    loss, grads, (mean, var) = backprop.mlp_gradients(P, x, y, correction)
    Q = {k: p.clone().requires_grad_() for k, p in P.items()}
    their_loss = mlp_forward(Q, x, y, correction)
    their_loss.backward()
    torch.testing.assert_close(loss, their_loss.detach(), **TOLERANCE)
    assert grads.keys() == P.keys()
    for k in P:
        torch.testing.assert_close(grads[k], Q[k].grad, **TOLERANCE)
    hpre = P["C"][x].flatten(1) @ P["W1"]
    torch.testing.assert_close(mean, hpre.mean(0))
    torch.testing.assert_close(var, hpre.var(0, correction=correction))


class Ours(torch.autograd.Function):
    """Cross-entropy of a linear layer of tanh of batch norm, backwards by hand."""

    @staticmethod
    def forward(ctx, x, gamma, beta, W, b, y, correction):
        hpreact, xhat, inv_std = batch_norm_forward(x, gamma, beta, correction)
        h = hpreact.tanh()
        logits = h @ W + b
        ctx.save_for_backward(xhat, inv_std, gamma, h, W, logits, y)
        ctx.correction = correction
        return F.cross_entropy(logits, y)

    @staticmethod
    def backward(ctx, dloss):
        xhat, inv_std, gamma, h, W, logits, y = ctx.saved_tensors
        dh, dW, db = backprop.linear_backward(
            dloss * backprop.cross_entropy_backward(logits, y), h, W
        )
        dnorm = backprop.batch_norm_backward(
            backprop.tanh_backward(dh, h), xhat, inv_std, gamma, ctx.correction
        )
        return *dnorm, dW, db, None, None


@pytest.mark.parametrize("B", [2, 32])
@pytest.mark.parametrize("correction", [0, 1])
def test_gradcheck(B, correction):
    randn, randint = draws(0)
    inputs = [randn(B, 3), randn(3) + 1, randn(3), randn(3, 5), randn(5)]
    inputs = [t.requires_grad_() for t in inputs]
    assert torch.autograd.gradcheck(Ours.apply, (*inputs, randint(5, B), correction))


def test_nothing_is_overwritten():
    P = mlp_parameters(3)
    _, randint = draws(3)
    x, y = randint(27, 32, 3), randint(27, 32)
    before = {k: p.clone() for k, p in P.items()}
    first, second = backprop.mlp_gradients(P, x, y), backprop.mlp_gradients(P, x, y)
    assert first[0].equal(second[0])
    assert all(first[1][k].equal(second[1][k]) for k in P)
    assert all(P[k].equal(before[k]) for k in P)

    logits = torch.randn(4, 5, generator=torch.Generator().manual_seed(0))
    copy = logits.clone()
    backprop.cross_entropy_backward(logits, y[:4] % 5)
    assert logits.equal(copy)


def test_compare_tells_exact_from_close_from_wrong():
    t = torch.tensor([1.0, 2.0], requires_grad=True)
    (t * torch.tensor([3.0, 4.0])).sum().backward()
    assert compare("t", torch.tensor([3.0, 4.0]), t) == ("t", True, True, 0.0)
    close = compare("t", torch.tensor([3.0, 4.000001]), t)
    assert not close.exact and close.approximate and 0 < close.largest < 2e-6
    wrong = compare("t", torch.tensor([3.0, 5.0]), t)
    assert (wrong.exact, wrong.approximate, wrong.largest) == (False, False, 1.0)
    assert str(wrong).split() == ["t", "exact", "no", "close", "no", "1.0e+00"]


def test_compare_refuses_what_it_cannot_compare():
    t = torch.zeros(2, 3, requires_grad=True)
    with pytest.raises(ValueError, match="retain_grad"):
        compare("t", torch.zeros(2, 3), t)
    t.sum().backward()
    with pytest.raises(ValueError, match=r"\(3,\), but t has \(2, 3\)"):
        compare("t", torch.ones(3), t)
