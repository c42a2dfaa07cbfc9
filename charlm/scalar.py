"""Autograd for single numbers: the graph of a computation, walked backwards.

After micrograd (Karpathy 2020). A `Value` remembers which values it was computed from,
and its derivative with respect to each; that is all that `backward` needs.
"""

import math


class Value:
    """A number; after `backward`, `grad` is the result's derivative with respect to it.

    It has ``+``, ``-``, ``*``, ``/``, ``**`` (by a number), and the methods exp, log,
    tanh, relu.

    Parameters
    ----------
    data : the number
    parents : the values that it was computed from
    slopes : its derivative with respect to each of them

    Examples
    --------
    >>> a, b = Value(2.0), Value(-3.0)
    >>> loss = a * b + a**2
    >>> loss.backward()
    >>> loss.data, a.grad, b.grad
    (-2.0, 1.0, 2.0)
    """

    __slots__ = ("data", "grad", "parents", "slopes")

    def __init__(
        self,
        data: float,
        parents: tuple["Value", ...] = (),
        slopes: tuple[float, ...] = (),
    ) -> None:
        self.data, self.grad = data, 0.0
        self.parents, self.slopes = parents, slopes

    def __add__(self, other: "Value | float") -> "Value":
        other = _value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other: "Value | float") -> "Value":
        other = _value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, n: float) -> "Value":
        return Value(self.data**n, (self,), (n * self.data ** (n - 1),))

    def exp(self) -> "Value":
        e = math.exp(self.data)
        return Value(e, (self,), (e,))

    def log(self) -> "Value":
        return Value(math.log(self.data), (self,), (1 / self.data,))

    def tanh(self) -> "Value":
        t = math.tanh(self.data)
        return Value(t, (self,), (1 - t * t,))

    def relu(self) -> "Value":
        return Value(max(self.data, 0.0), (self,), (float(self.data > 0),))

    def __neg__(self) -> "Value":
        return self * -1.0

    def __sub__(self, other: "Value | float") -> "Value":
        return self + -_value(other)

    def __rsub__(self, other: float) -> "Value":
        return other + -self

    def __truediv__(self, other: "Value | float") -> "Value":
        return self * _value(other) ** -1

    def __rtruediv__(self, other: float) -> "Value":
        return other * self**-1

    __radd__, __rmul__ = __add__, __mul__

    def __repr__(self) -> str:
        return f"Value({self.data:.4g}, grad={self.grad:.4g})"

    def backward(self) -> None:
        """Set `grad` of every value that this one depends on."""
        order = topological(self)
        for value in order:
            value.grad = 0.0
        self.grad = 1.0
        for value in reversed(order):
            for parent, slope in zip(value.parents, value.slopes, strict=True):
                parent.grad += slope * value.grad


def topological(root: Value) -> list[Value]:
    """Return root and all that it depends on, each after its own parents.

    Without recursion: a sum of ten thousand terms is a graph ten thousand deep.
    """
    order: list[Value] = []
    seen = set()
    stack = [(root, False)]
    while stack:
        value, parents_done = stack.pop()
        if parents_done:
            order.append(value)
        elif value not in seen:
            seen.add(value)
            stack.append((value, True))
            stack.extend((parent, False) for parent in value.parents)
    return order


def _value(x: Value | float) -> Value:
    return x if isinstance(x, Value) else Value(x)
