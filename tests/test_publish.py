"""What a cell publishes keeps its numbers, and says what to do with them."""

import base64
import json

import pytest
import torch
from IPython.core.formatters import format_display_data
from safetensors import safe_open

from charlm.publish import as_json, as_model


def test_a_model_keeps_its_numbers_and_its_layers(vocab, tmp_path):
    W = torch.randn(27, 27, dtype=torch.float64)
    layers = [{"op": "table", "weight": "W"}]
    shown = as_model({"W": W.T}, layers, vocab, block_size=1, label="bigram")
    data, _ = format_display_data(shown)
    path = tmp_path / "model.safetensors"
    path.write_bytes(base64.b64decode(data["application/x-safetensors"]))
    with safe_open(path, "pt") as file:
        assert torch.equal(file.get_tensor("W"), W.T.float())
        notes = file.metadata()
    assert json.loads(notes["layers"]) == layers
    assert json.loads(notes["chars"]) == list(vocab.chars)


def test_json_has_no_nan():
    data, _ = format_display_data(as_json({"a": [1.5]}))
    assert json.loads(data["text/x-json"]) == {"a": [1.5]}
    with pytest.raises(ValueError, match="JSON"):
        as_json([float("nan")])
