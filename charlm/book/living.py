"""What the scripts of a page need: numbers and models, as outputs of a cell."""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn

from charlm.attention import GPT, causal_mask
from charlm.counts import NGram
from charlm.recurrent import GRU, LSTM, RNN
from charlm.vocab import Vocabulary

Part = tuple[dict[str, Any], dict[str, Tensor]]  # what to do, and its tensors
# From here on places are read one by one, with what was kept at the one before.
READ: Part = ({"op": "read"}, {})
CELLS: dict[type, str] = {RNN: "rnn", GRU: "gru", LSTM: "lstm"}


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

    Half precision rounds each weight to 11 bits and halves what a reader has to load.
    It moves a probability by less than 0.001. Raises ValueError where a number is too
    large for it.

    Parameters
    ----------
    tensors : the parameters by name and of any shape; what is not whole becomes float16
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
    kept = {name: _halved(name, t).contiguous() for name, t in tensors.items()}
    content = base64.b64encode(save(kept, notes)).decode()
    return Published("application/x-safetensors", content)


def _halved(name: str, tensor: Tensor) -> Tensor:
    if not tensor.is_floating_point():
        return tensor
    half = tensor.detach().half()
    if not half.isfinite().all():
        raise ValueError(f"{name} has a number that half precision lacks")
    return half


def layers_of(model: Any) -> tuple[dict[str, Tensor], list[dict[str, Any]]]:
    """Return the tensors of a model, in their shapes, and its layers: for `as_model`.

    A table of counts, a Sequential of `charlm.layers`, one of `charlm.models` that is a
    row of such layers, a recurrent net or a GPT, in eval mode. Raises ValueError for
    any other model, and for a layer that pages lack.
    """
    if isinstance(model, NGram):
        return _counts_of(model)
    row = _parts_of(model)
    if not isinstance(row, Iterable):
        raise ValueError(f"{type(model).__name__} is not a row of layers")
    tensors: dict[str, Tensor] = {}
    return tensors, _described(row, "", tensors)


def _parts_of(model: Any) -> Any:
    """Layers in a row; a list among them is a row whose end is added to its start."""
    if cell := CELLS.get(type(model)):
        own = {"weight": model.hidden.weight.T, "bias": model.hidden.bias}
        return [READ, model.table, ({"op": cell}, own), model.out]
    if not isinstance(model, GPT):
        return getattr(model, "net", model)
    place = ({"op": "places"}, {"weight": model.places.weight})
    row: list[Any] = [READ, model.characters, place]
    for block in model.blocks:
        heads = block.attention
        if heads.mask is not causal_mask:
            raise ValueError("pages have only the causal mask")
        read: Part = ({"op": "attention", "heads": heads.n_head}, {})
        row.append([block.norm1, heads.qkv, read, heads.out])
        row.append([block.norm2, *block.feed_forward])
    return [*row, model.norm, model.out]


def _described(
    row: Iterable[Any], path: str, tensors: dict[str, Tensor]
) -> list[dict[str, Any]]:
    """The layers of a row, whose tensors go to `tensors`, named from the path on."""
    layers: list[dict[str, Any]] = []
    for i, part in enumerate(row):
        name = f"{path}{i}."
        if isinstance(part, list):
            inner = _described(part, name, tensors)
            layers.append({"op": "add", "layers": inner})
            continue
        settings, own = part if isinstance(part, tuple) else _operation(part)
        layers.append(settings | {key: name + key for key in own})
        tensors |= {name + key: tensor for key, tensor in own.items()}
    return layers


def _counts_of(model: NGram) -> tuple[dict[str, Tensor], list[dict[str, Any]]]:
    """Every n-gram that occurs, (n, order), and how often, (n,)."""
    grams, V = model.grams(), len(model.vocab)
    small = torch.uint8 if V <= 256 else torch.int32
    tensors = {"grams": grams.to(small), "counts": model.key_counts.int()}
    layer = {"op": "counts", "grams": "grams", "counts": "counts"}
    return tensors, [layer | {"smoothing": model.smoothing}]


def _operation(part: Any) -> Part:
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
        case "LayerNorm":
            own = {"weight": part.weight, "bias": part.bias}
            return {"op": "layer_norm", "eps": part.eps}, own
        case "Tanh" | "ReLU" | "GELU" as name:
            return {"op": name.lower()}, {}
        case name:
            raise ValueError(f"pages have no operation for the layer {name}")
