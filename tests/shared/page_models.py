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


def layer_norm(x, weight, bias, eps):
    return F.layer_norm(x, x.shape[-1:], weight, bias, eps)


def read(x):
    return x


def cell(kind):
    """One of torch's recurrent nets, which is given rows of its input: (1, T, C)."""

    def states(x, weight, bias):
        net = kind(x.shape[-1], weight.shape[0], batch_first=True)
        net.weight_ih_l0.data = torch.eye(x.shape[-1])
        net.bias_ih_l0.data.zero_()
        net.weight_hh_l0.data, net.bias_hh_l0.data = weight.T.contiguous(), bias
        return net(x)[0]

    return states


def places(x, weight):
    return x + weight[: x.shape[1]]


def attention(x, heads):
    q, k, v = (
        part.unflatten(2, (heads, -1)).transpose(1, 2) for part in x.chunk(3, dim=2)
    )
    read = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    return read.transpose(1, 2).flatten(2)


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
    "gelu": F.gelu,
    "counts": counts,
    "layer_norm": layer_norm,
    "read": read,
    "rnn": cell(torch.nn.RNN),
    "gru": cell(torch.nn.GRU),
    "lstm": cell(torch.nn.LSTM),
    "places": places,
    "attention": attention,
}


class PageModel:
    """A published file as a model: (B, block_size) -> (B, V)."""

    def __init__(self, path):
        with safe_open(path, "pt") as file:
            halves = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            notes = file.metadata()
        self.tensors = {
            name: half.float() if half.is_floating_point() else half
            for name, half in halves.items()
        }
        self.label, self.chars = notes["label"], json.loads(notes["chars"])
        self.block_size, self.layers, self.loss = (
            json.loads(notes[name]) for name in ("block_size", "layers", "loss")
        )

    @torch.no_grad()
    def __call__(self, x):
        if self.layers[0] != {"op": "read"}:
            return self.through(self.layers, x)
        rows = [row[max(0, int((row == 0).cumprod(0).sum()) - 1) :] for row in x]
        return torch.cat([self.through(self.layers, row[None])[:, -1] for row in rows])

    def through(self, layers, x):
        for layer in layers:
            op, *settings = layer.items()
            if op[1] == "add":
                x = x + self.through(layer["layers"], x)
                continue
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
