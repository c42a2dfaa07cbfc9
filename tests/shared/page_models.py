"""The models of a page in plain PyTorch, to compare with the numbers of its scripts."""

import json
from collections.abc import Callable

import torch
import torch.nn.functional as F
from safetensors import safe_open


def embedding(x, weight):
    return F.embedding(x, weight)


def join(x, n=None):
    B, T, C = x.shape
    return x.reshape(B, T // n, n * C) if n and n < T else x.reshape(B, T * C)


def linear(x, weight, bias=None):
    return F.linear(x, weight.T, bias)


def batch_norm(x, weight, bias, mean, var, eps):
    rows = F.batch_norm(x.flatten(0, -2), mean, var, weight, bias, eps=eps)
    return rows.view(x.shape)


def counts(x, grams, counts, smoothing):
    V = 27
    table = torch.zeros((V,) * grams.shape[1], dtype=torch.float64)
    table[tuple(grams.long().T)] = counts.double()
    row = (table[tuple(x.T)] + smoothing).expand(len(x), V)
    total = row.sum(1, keepdim=True)
    return torch.where(total > 0, row / total, 1 / V).log()


OPERATIONS: dict[str, Callable[..., torch.Tensor]] = {
    "embedding": embedding,
    "join": join,
    "linear": linear,
    "batch_norm": batch_norm,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "counts": counts,
}


class PageModel:
    """A published file as a model: (B, block_size) -> (B, V)."""

    def __init__(self, path):
        with safe_open(path, "pt") as file:
            self.tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            notes = file.metadata()
        self.label, self.chars = notes["label"], json.loads(notes["chars"])
        self.block_size, self.layers, self.loss = (
            json.loads(notes[name]) for name in ("block_size", "layers", "loss")
        )

    def __call__(self, x):
        for layer in self.layers:
            op, *settings = layer.items()
            own = {name: self.tensor(value) for name, value in settings}
            x = OPERATIONS[op[1]](x, **own)
        return x

    def tensor(self, value):
        return self.tensors[value] if isinstance(value, str) else value

    def contexts(self, prefixes):
        """(B, block_size)"""
        rows = [
            [0] * self.block_size + [1 + self.chars.index(char) for char in prefix]
            for prefix in prefixes
        ]
        return torch.tensor([row[len(row) - self.block_size :] for row in rows])

    def probs(self, prefixes, temperature=1.0):
        """(B, V)"""
        logits = self(self.contexts(prefixes))
        return torch.softmax(logits / temperature, dim=1)
