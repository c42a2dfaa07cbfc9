"""What a cell prints arrives in pieces, and stands on the page in one."""

import json
from copy import deepcopy

from myst_nb.core import render
from nbformat.v4 import new_output
from streams import joined, setup, shown


def stream(*pieces, name="stdout"):
    return [new_output("stream", name=name, text=piece) for piece in pieces]


def texts(outputs):
    return [output.get("text", output.output_type) for output in outputs]


def test_a_piece_may_end_anywhere():
    assert texts(shown(stream("5,775 pa", "rameters\nlo", "ss\n\n"))) == [
        "5,775 parameters\nloss\n"
    ]
    text = json.dumps({"loss": 2.5, "runs": [None, 12]}, indent=2)
    whole = shown(stream(*(text[i : i + 3] for i in range(0, len(text), 3))))
    assert json.loads(whole[0].text) == json.loads(text)


def test_only_neighbours_of_one_stream_are_joined():
    image = new_output("display_data", {"text/plain": "x"})
    mixed = [*stream("a", "b"), *stream("c", name="stderr"), image, *stream("d")]
    before = deepcopy(mixed)
    assert texts(joined(mixed)) == ["ab", "c", "display_data", "d"]
    assert texts(shown(mixed)) == ["ab\n", "c\n", "display_data", "d\n"]
    assert mixed == before and shown([]) == []


def test_pages_are_made_with_it(monkeypatch):
    monkeypatch.setattr(render, "coalesce_streams", render.coalesce_streams)
    setup(None)
    assert render.coalesce_streams is shown
