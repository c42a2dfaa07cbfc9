"""A small torch.nn in plain classes: the same names, arguments and behavior.

Two differences: `Linear` stores its weight as (in, out), to mirror y = x W + b, and
torch the transpose; `BatchNorm1d` takes (B, T, C), and torch (B, C, T).
"""

from collections.abc import Iterator, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor


class Layer:
    """A function of tensors of any shape; it learns those that require gradients."""

    block_size: int  # of a net that is evaluated: the length of its contexts
    training = True

    def __call__(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def named_children(self) -> list[tuple[str, "Layer"]]:
        """Return the names and layers inside this one."""
        return []

    def modules(self) -> Iterator["Layer"]:
        """Yield this layer and all layers inside it."""
        yield self
        for _, child in self.named_children():
            yield from child.modules()

    def state_dict(self) -> dict[str, Tensor]:
        """Return all tensors by name, learned or not: as "0.weight" in a Sequential."""
        state = {k: v for k, v in vars(self).items() if isinstance(v, Tensor)}
        for name, child in self.named_children():
            state |= {f"{name}.{k}": v for k, v in child.state_dict().items()}
        return state

    @torch.no_grad()
    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Copy a `state_dict`; raise RuntimeError where names or shapes differ."""
        own = self.state_dict()
        here, there = ({(k, v.shape) for k, v in s.items()} for s in (own, state))
        if differ := sorted({name for name, _ in here ^ there}):
            raise RuntimeError(f"these tensors differ: {', '.join(differ)}")
        for name, tensor in own.items():
            tensor.copy_(state[name])

    def named_parameters(self) -> list[tuple[str, Tensor]]:
        """Return the learned tensors with their names."""
        return [(k, v) for k, v in self.state_dict().items() if v.requires_grad]

    def parameters(self) -> list[Tensor]:
        """Return the learned tensors."""
        return [tensor for _, tensor in self.named_parameters()]

    def train(self, mode: bool = True) -> "Layer":
        """Behave as in training (or, with False, as at inference); return self."""
        for layer in self.modules():
            layer.training = mode
        return self

    def eval(self) -> "Layer":
        """Behave as at inference; return self."""
        return self.train(False)

    def __repr__(self) -> str:
        own = {k: v.shape for k, v in vars(self).items() if isinstance(v, Tensor)}
        shapes = ", ".join(f"{k}={tuple(shape)}" for k, shape in own.items())
        return f"{type(self).__name__}({shapes})"


class Linear(Layer):
    """x W + b on the last dimension: (..., in_features) -> (..., out_features).

    Parameters
    ----------
    in_features : the channels of x; W is (in_features, out_features)
    out_features : the channels of the result
    bias : whether there is a b, (out_features,); it starts at zero
    gain : W is drawn with standard deviation gain / sqrt(in_features)
    generator : the source of W; None for torch's global one
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        gain: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> None:
        W = torch.randn(in_features, out_features, generator=generator)
        self.weight = (W * gain / in_features**0.5).requires_grad_()
        self.bias = torch.zeros(out_features, requires_grad=True) if bias else None

    def __call__(self, x: Tensor) -> Tensor:
        y = x @ self.weight
        return y if self.bias is None else y + self.bias


class BatchNorm1d(Layer):
    """Each channel with mean 0 and variance 1, then scaled and shifted.

    y = weight * (x - mean) / sqrt(var + eps) + bias, (B, C) or (B, T, C) -> the same

    In training, mean and var are the batch's, over all dimensions but the last; in eval
    mode they are the running ones, with the unbiased variance (Ioffe and Szegedy 2015).
    Raises ValueError in training where there is a single row: it has no variance.

    Parameters
    ----------
    num_features : C
    eps : is added to var, so that the root is never zero; 1e-5 as in torch
    momentum : the share of each batch in the running statistics; 0.1 as in torch
    correction : the batch's var divides by n - correction; 0 in torch, 1 in the lecture
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        *,
        correction: int = 0,
    ) -> None:
        self.eps, self.momentum, self.correction = eps, momentum, correction
        self.weight = torch.ones(num_features, requires_grad=True)
        self.bias = torch.zeros(num_features, requires_grad=True)
        self.running_mean = torch.zeros(num_features)
        self.running_var = torch.ones(num_features)

    def __call__(self, x: Tensor) -> Tensor:
        if self.training:
            dims = tuple(range(x.ndim - 1))
            n = x.shape[:-1].numel()
            if n < 2:
                raise ValueError("a batch of one has no variance: call eval() first")
            mean = x.mean(dims)
            var = x.var(dims, correction=self.correction)
            with torch.no_grad():
                unbiased = var * (n - self.correction) / (n - 1)
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(unbiased, self.momentum)
        else:
            mean, var = self.running_mean, self.running_var
        return self.weight * (x - mean) / (var + self.eps).sqrt() + self.bias


class Tanh(Layer):
    """tanh x, of any shape."""

    def __call__(self, x: Tensor) -> Tensor:
        return x.tanh()


class ReLU(Layer):
    """max(x, 0), of any shape."""

    def __call__(self, x: Tensor) -> Tensor:
        return x.relu()


class Embedding(Layer):
    """One row of a table for each id: (...) -> (..., embedding_dim).

    Parameters
    ----------
    num_embeddings : V, the rows, drawn from the standard normal distribution
    embedding_dim : C, the numbers in each
    generator : the source of the rows; None for torch's global one
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        table = torch.randn(num_embeddings, embedding_dim, generator=generator)
        self.weight = table.requires_grad_()

    def __call__(self, idx: Tensor) -> Tensor:
        return F.embedding(idx, self.weight)  # weight[idx], with a faster gradient


class Flatten(Layer):
    """The dimensions from start_dim to end_dim as one: (B, T, C) -> (B, T * C)."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim, self.end_dim = start_dim, end_dim

    def __call__(self, x: Tensor) -> Tensor:
        return x.flatten(self.start_dim, self.end_dim)


class Unflatten(Layer):
    """One dimension as several, the size -1 worked out: (n, ...) -> (a, b, ...)."""

    def __init__(self, dim: int, unflattened_size: tuple[int, ...]) -> None:
        self.dim, self.unflattened_size = dim, unflattened_size

    def __call__(self, x: Tensor) -> Tensor:
        return x.unflatten(self.dim, self.unflattened_size)


class FlattenConsecutive(Layer):
    """Each n neighbors in time as one: (B, T, C) -> (B, T / n, n * C).

    When that leaves one place in time, the dimension goes: (B, n * C). torch.nn has
    no such layer, but Unflatten(1, (-1, n)) and Flatten(2) do the same.
    """

    def __init__(self, n: int) -> None:
        self.n = n

    def __call__(self, x: Tensor) -> Tensor:
        B, T, C = x.shape
        x = x.view(B, T // self.n, self.n * C)
        return x.squeeze(1) if x.shape[1] == 1 else x


class Sequential(Layer):
    """The layers one after the other: each takes what the last one gave, any shape."""

    def __init__(self, *layers: Layer) -> None:
        self.layers = list(layers)

    def __call__(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return x

    def named_children(self) -> list[tuple[str, Layer]]:
        return [(str(i), layer) for i, layer in enumerate(self.layers)]

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, i: int) -> Layer:
        return self.layers[i]

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {layer!r}" for name, layer in self.named_children())
