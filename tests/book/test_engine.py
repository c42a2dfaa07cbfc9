"""The tensor autograd that Part 4 builds on its page: against torch, case by case."""

import ast
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from bookext.fingerprint import cells
from hypothesis import given
from hypothesis import strategies as st

from charlm.scalar import topological

PAGE = Path(__file__).parents[2] / "book" / "04_backprop.md"
FIRST, LAST = "class Node:", "Node.exp, Node.log"


def engine_cells():
    """The page's cells from the class to the last operation, in order."""
    found = list(cells(PAGE.read_text(encoding="utf-8")))
    first = next(i for i, source in enumerate(found) if source.startswith(FIRST))
    last = next(i for i, source in enumerate(found) if LAST in source)
    return found[first : last + 1]


def build():
    names: dict[str, Any] = {"torch": torch, "topological": topological}
    for source in engine_cells():
        exec(source, names)
    return SimpleNamespace(**names)


ENGINE = build()
Node = ENGINE.Node


def close(a, b):
    return torch.allclose(a, b, rtol=0, atol=1e-12)


def random(*shape, seed=0):
    g = torch.Generator().manual_seed(seed)
    return torch.rand(shape, dtype=torch.float64, generator=g) + 0.5


def agree(formula, *tensors, theirs=None):
    """Compare the gradients of the formula's sum, by the engine and by torch."""
    nodes = [Node(t.clone()) for t in tensors]
    leaves = [t.clone().requires_grad_() for t in tensors]
    result = formula(*nodes)
    result.backward()
    (theirs or formula)(*leaves).sum().backward()
    for node, leaf in zip(nodes, leaves, strict=True):
        expected = torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
        assert node.grad.shape == leaf.shape
        assert close(node.grad, expected)


SHAPES = [
    ((3, 4), (3, 4)),
    ((3, 4), (4,)),
    ((4,), (3, 4)),
    ((3, 4), (3, 1)),
    ((3, 1), (1, 4)),
    ((3, 4), (1, 1)),
    ((3, 4), ()),
    ((2, 3, 4), (4,)),
    ((2, 3, 4), (3, 1)),
    ((2, 1, 4), (3, 1)),
    ((1, 1), (1,)),
    ((1,), (1, 1)),
]


@pytest.mark.parametrize("a, b", SHAPES)
def test_sums_and_products_of_broadcast_shapes(a, b):
    left, right = random(*a), random(*b, seed=1)
    agree(lambda a, b: a + b, left, right)
    agree(lambda a, b: a * b, left, right)
    agree(lambda a, b: a * b + b, left, right)


@given(st.data())
def test_unbroadcast_undoes_any_expansion(data):
    """The gradient of what was expanded is the sum over the copies."""
    full = data.draw(st.lists(st.integers(1, 3), max_size=4))
    start = data.draw(st.integers(0, len(full)))
    shape = [data.draw(st.sampled_from([1, size])) for size in full[start:]]
    leaf = random(*shape).requires_grad_()
    dy = random(*full, seed=1)
    leaf.expand(full).backward(dy)
    assert leaf.grad is not None
    found = ENGINE.unbroadcast(dy, leaf.shape)
    assert found.shape == leaf.shape
    assert close(found, leaf.grad)


def test_unbroadcast_returns_what_was_not_stretched():
    dy = random(3, 4)
    assert ENGINE.unbroadcast(dy, (3, 4)).equal(dy)
    assert ENGINE.unbroadcast(dy, ()).shape == ()


@pytest.mark.parametrize("n, i, o", [(4, 3, 5), (3, 3, 3), (1, 4, 1)])
def test_matrix_products(n, i, o):
    x, W = random(n, i), random(i, o, seed=1)
    agree(lambda x, W: x @ W, x, W)
    agree(lambda x, W: (x @ W).tanh() * (x @ W), x, W)


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_sums_along_each_dimension(dim):
    def torchs(x):
        return x * x.sum(dim, keepdim=True)

    agree(lambda x: x * x.sum(dim), random(3, 4), theirs=torchs)


@pytest.mark.parametrize(
    "formula",
    [
        lambda x: x.tanh(),
        lambda x: x.exp(),
        lambda x: x.log(),
        lambda x: x**-0.5,
        lambda x: x**3,
        lambda x: x.view(2, 6).exp(),
        lambda x: x.view(2, -1).exp() @ x.view(-1, 2),
    ],
)
def test_operations_of_one_tensor(formula):
    agree(formula, random(3, 4))


@pytest.mark.parametrize(
    "formula",
    [
        lambda x: x + x,
        lambda x: x * x,
        lambda x: x * x.tanh() + x,
        lambda x: x @ x,
        lambda x: (x + x) @ (x * x) + x.exp(),
    ],
)
def test_a_tensor_used_several_times_gets_all_its_gradients(formula):
    agree(formula, random(3, 3))


def test_a_shared_result_is_walked_once():
    """In a ladder of doublings each node is used twice: 2 ** 40 paths, 41 nodes."""
    x = node = Node(torch.ones(2, dtype=torch.float64))
    for _ in range(40):
        node = node + node
    node.backward()
    assert x.grad.tolist() == [2.0**40] * 2


def test_a_second_backward_does_not_add_to_the_first():
    x = Node(random(3))
    y = x * x
    y.backward()
    first = x.grad.clone()
    y.backward()
    assert x.grad.equal(first)


def test_a_tensor_that_is_not_used_keeps_a_gradient_of_zero():
    agree(lambda x, other: x * x, random(3), random(2))


def test_the_engine_works_without_autograd():
    with torch.no_grad():
        x = Node(random(3, 4))
        (x.tanh() * x).sum(0).backward()
        assert not x.grad.requires_grad and x.grad.any()


def test_the_engine_is_short_and_in_short_cells():
    sizes = [
        sum(bool(line.strip()) for line in source.splitlines())
        for source in engine_cells()
    ]
    assert max(sizes) <= 12 and sum(sizes) <= 80
    tree = ast.parse("\n".join(engine_cells()))
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not used & {"requires_grad", "requires_grad_", "autograd"}
