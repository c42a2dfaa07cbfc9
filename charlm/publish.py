"""What the scripts of a page need: numbers and models, as outputs of a cell."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from safetensors.torch import save
from torch import Tensor

from charlm.vocab import Vocabulary


class Published:
    """Something that a cell can display or glue, of one type of content."""

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
) -> Published:
    """Return a model for the playground: safetensors, with what to do in its header.

    Parameters
    ----------
    tensors
        The parameters, float32, by name.
    layers
        What happens to a context, one after the other, such as
        {"op": "linear", "weight": "W1", "bias": "b1"}. The operations and the
        layouts of their tensors are those of `book/assets/living/playground.js`.
    vocab
        The characters; the boundary has id 0.
    block_size
        The length of a context.
    label
        What the page calls the model.
    """
    notes = {
        "label": label,
        "chars": json.dumps(vocab.chars),
        "block_size": json.dumps(block_size),
        "layers": json.dumps(list(layers)),
    }
    whole = {name: t.detach().float().contiguous() for name, t in tensors.items()}
    content = base64.b64encode(save(whole, notes)).decode()
    return Published("application/x-safetensors", content)
