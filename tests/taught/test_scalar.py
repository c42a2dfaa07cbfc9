"""The scalar engine against torch in float64: operations, shared nodes, deep graphs."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from charlm import backprop
from charlm.scalar import Value, topological

NUMBERS = st.floats(0.2, 3) | st.floats(-3, -0.2)

EXPRESSIONS = {
    "add": lambda a, b: a + b + a + 2 + (3 + b),
    "mul": lambda a, b: a * b * a * 2 * (3 * b),
    "sub": lambda a, b: a - b - 2 - (1 - a * b),
    "div": lambda a, b: a / b + 1 / a - b / 4,
    "pow": lambda a, b: a**3 + b**-2 + (a * a) ** 0.5,
    "neg": lambda a, b: -a * b,
    "exp": lambda a, b: (a * b).exp() + a.exp(),
    "log": lambda a, b: (a * a + b * b).log(),
    "tanh": lambda a, b: (a + b).tanh() * a.tanh(),
    "relu": lambda a, b: (a * b).relu() + (-a).relu() * b,
    "shared": lambda a, b: (c := a * b + a) * c + c.tanh() / c,
    "same twice": lambda a, b: a * a + b + b,
}


@pytest.mark.parametrize("name", EXPRESSIONS)
@given(a=NUMBERS, b=NUMBERS)
def test_as_torch(name, a, b):
    a, b = Value(a), Value(b)
    if name == "shared" and abs(a.data * b.data + a.data) < 0.05:
        return
    ours = EXPRESSIONS[name](a, b)
    ours.backward()
    p, q = (
        torch.tensor(v.data, dtype=torch.float64, requires_grad=True) for v in (a, b)
    )
    theirs = EXPRESSIONS[name](p, q)
    theirs.backward()
    assert ours.data == pytest.approx(theirs.item(), rel=1e-12, abs=1e-12)
    assert p.grad is not None
    assert a.grad == pytest.approx(p.grad.item(), rel=1e-11, abs=1e-11)
    assert b.grad == pytest.approx(
        q.grad.item() if q.grad is not None else 0, rel=1e-11
    )


def test_parents_come_first():
    a = Value(2.0)
    b = a * a
    c = b + a
    order = topological(c)
    assert order.index(a) < order.index(b) < order.index(c) == len(order) - 1
    assert len(order) == len(set(order)) == 3


def test_backward_twice_gives_the_same():
    a = Value(3.0)
    loss = a * a
    loss.backward()
    loss.backward()
    assert a.grad == 6


def test_a_deep_graph_needs_no_recursion():
    total = a = Value(1.0)
    for _ in range(20_000):
        total = total + a
    total.backward()
    assert (total.data, a.grad) == (20_001, 20_001)


def test_a_net_has_the_gradients_of_the_tensor_code():
    g = torch.Generator().manual_seed(0)
    x, W, b = (
        torch.randn(*shape, dtype=torch.float64, generator=g)
        for shape in [(4, 3), (3, 5), (5,)]
    )
    y = torch.tensor([0, 4, 2, 2])

    X, Ws, bs = (
        [[Value(v) for v in row] for row in t.tolist()] for t in (x, W, b[None])
    )
    loss = Value(0.0)
    for row, target in zip(X, y.tolist()):
        z = [sum((row[i] * Ws[i][j] for i in range(3)), bs[0][j]) for j in range(5)]
        loss = loss + sum((v.exp() for v in z), Value(0.0)).log() - z[target]
    (loss / 4).backward()

    dx, dW, db = backprop.linear_backward(
        backprop.cross_entropy_backward(x @ W + b, y), x, W
    )
    for ours, theirs in ((X, dx), (Ws, dW), (bs, db[None])):
        grads = torch.tensor([[v.grad for v in row] for row in ours], dtype=x.dtype)
        torch.testing.assert_close(grads, theirs, rtol=0, atol=1e-12)


def test_out_of_range_is_an_error():
    with pytest.raises(ValueError):
        Value(-1.0).log()
    with pytest.raises(OverflowError):
        Value(1000.0).exp()
    assert math.isclose(Value(1000.0).tanh().data, 1)
