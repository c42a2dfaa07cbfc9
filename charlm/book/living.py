"""What the scripts of a page need: numbers and models, as outputs of a cell."""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn

from charlm.counts import NGram
from charlm.vocab import Vocabulary


class Published:
    """Something that a cell shows or keeps for the page, of one type of content."""

    def __init__(self, kind: str, content: str) -> None:
        self.kind, self.content = kind, content

    def _repr_mimebundle_(self, **options: Any) -> dict[str, str]:
        return {self.kind: self.content}


def as_json(data: Any) -> Published:
    """Return numbers, lists, texts and dictionaries of them, for a living figure."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return Published("text/x-json", text)


def as_model(
    tensors: Mapping[str, Tensor],
    layers: Sequence[Mapping[str, Any]],
    vocab: Vocabulary,
    *,
    block_size: int,
    label: str,
    loss: float,
) -> Published:
    """Return a model for the playground: safetensors, with what to do in its header.

    Parameters
    ----------
    tensors : the parameters by name and of any shape; what is not whole becomes float32
    layers : what happens to a context, one after the other, such as {"op": "linear",
        "weight": "W1", "bias": "b1"}. The operations and the layouts of their tensors
        are those of `book/assets/living/models.js`.
    vocab : the characters; the boundary has id 0
    block_size : the length of a context
    label : what the page calls the model
    loss : on the dev words, in nats per character
    """
    notes = {
        "label": label,
        "loss": json.dumps(loss),
        "chars": json.dumps(vocab.chars),
        "block_size": json.dumps(block_size),
        "layers": json.dumps(list(layers)),
    }
    whole = {
        name: (t.float() if t.is_floating_point() else t).detach().contiguous()
        for name, t in tensors.items()
    }
    content = base64.b64encode(save(whole, notes)).decode()
    return Published("application/x-safetensors", content)


def layers_of(model: Any) -> tuple[dict[str, Tensor], list[dict[str, Any]]]:
    """Return the tensors of a model, in their shapes, and its layers: for `as_model`.

    A table of counts, a Sequential of `charlm.layers`, or one of `charlm.models` that
    is a row of such layers, in eval mode. Raises ValueError for any other model, and
    for a layer that pages lack.
    """
    if isinstance(model, NGram):
        return _counts_of(model)
    row = getattr(model, "net", model)
    if not isinstance(row, Iterable):
        raise ValueError(f"{type(model).__name__} is not a row of layers")
    tensors: dict[str, Tensor] = {}
    layers: list[dict[str, Any]] = []
    for i, part in enumerate(row):
        settings, own = _operation(part)
        layers.append(settings | {name: f"{i}.{name}" for name in own})
        tensors |= {f"{i}.{name}": tensor for name, tensor in own.items()}
    return tensors, layers


def _counts_of(model: NGram) -> tuple[dict[str, Tensor], list[dict[str, Any]]]:
    """Every n-gram that occurs, (n, order), and how often, (n,)."""
    grams, V = model.grams(), len(model.vocab)
    small = torch.uint8 if V <= 256 else torch.int32
    tensors = {"grams": grams.to(small), "counts": model.key_counts.int()}
    layer = {"op": "counts", "grams": "grams", "counts": "counts"}
    return tensors, [layer | {"smoothing": model.smoothing}]


def _operation(part: Any) -> tuple[dict[str, Any], dict[str, Tensor]]:
    match type(part).__name__:
        case "Embedding":
            return {"op": "embedding"}, {"weight": part.weight}
        case "Flatten":
            return {"op": "join"}, {}
        case "FlattenConsecutive":
            return {"op": "join", "n": part.n}, {}
        case "Linear":
            weight = part.weight.T if isinstance(part, nn.Linear) else part.weight
            bias = {} if part.bias is None else {"bias": part.bias}
            return {"op": "linear"}, {"weight": weight} | bias
        case "BatchNorm1d":
            statistics = {"mean": part.running_mean, "var": part.running_var}
            own = {"weight": part.weight, "bias": part.bias} | statistics
            return {"op": "batch_norm", "eps": part.eps}, own
        case "Tanh" | "ReLU" as name:
            return {"op": name.lower()}, {}
        case name:
            raise ValueError(f"pages have no operation for the layer {name}")
