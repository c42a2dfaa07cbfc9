"""What a cell prints arrives in pieces, and stands on the page in one."""

import json
import sys
from copy import deepcopy
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from bookext.streams import joined, setup, shown


def stream(*pieces, name="stdout"):
    return [{"output_type": "stream", "name": name, "text": text} for text in pieces]


def texts(outputs):
    return [output.get("text", output["output_type"]) for output in outputs]


def test_a_piece_may_end_anywhere():
    assert texts(shown(stream("5,775 pa", "rameters\nlo", "ss\n\n"))) == [
        "5,775 parameters\nloss\n"
    ]
    text = json.dumps({"loss": 2.5, "runs": [None, 12]}, indent=2)
    whole = shown(stream(*(text[i : i + 3] for i in range(0, len(text), 3))))
    assert json.loads(whole[0]["text"]) == json.loads(text)


def test_only_neighbours_of_one_stream_are_joined():
    image = {"output_type": "display_data", "data": {"text/plain": "x"}}
    mixed = [*stream("a", "b"), *stream("c", name="stderr"), image, *stream("d")]
    before = deepcopy(mixed)
    assert texts(joined(mixed)) == ["ab", "c", "display_data", "d"]
    assert texts(shown(mixed)) == ["ab\n", "c\n", "display_data", "d\n"]
    assert mixed == before and shown([]) == []


def test_pages_are_made_with_it(monkeypatch):
    """MyST-NB, which takes a second to import, calls what is set here by its name."""
    source = Path(find_spec("myst_nb.core.render").origin).read_text(encoding="utf-8")
    assert "= coalesce_streams(" in source
    for name in ("myst_nb", "myst_nb.core", "myst_nb.core.render"):
        module = ModuleType(name)
        monkeypatch.setitem(sys.modules, name, module)
        if "." in name:
            parent, _, child = name.rpartition(".")
            monkeypatch.setattr(sys.modules[parent], child, module, raising=False)
    setup(None)
    assert module.coalesce_streams is shown
