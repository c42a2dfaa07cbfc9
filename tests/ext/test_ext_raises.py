"""A cell that has to fail shows one line; another error, or none, is found."""

from types import SimpleNamespace

import pytest
from bookext.raises import MESSAGE, TAG, CheckErrors, cut_down, fault
from docutils import nodes
from docutils.utils import new_document
from nbformat.v4 import new_output

SHOWN = "RuntimeError: mat1 and mat2 shapes cannot be multiplied (96x10 and 30x200)"
WANTED = "shapes cannot be multiplied"


def error(name, value):
    return new_output("error", ename=name, evalue=value, traceback=["long", "longer"])


@pytest.mark.parametrize(
    "name, value, line",
    [
        ("KeyError", "'é'", "KeyError: 'é'"),
        ("torch.OutOfMemoryError", "none left", "OutOfMemoryError: none left"),
        ("StopIteration", "", "StopIteration"),
        ("ValueError", "one\n\ttwo\n", "ValueError: one\n\ttwo"),
    ],
)
def test_a_traceback_is_cut_down_to_its_last_line(name, value, line):
    output = error(name, value)
    cut_down(output)
    assert output.traceback == [line]


def test_a_long_message_ends_between_two_words():
    output = error("RuntimeError", "word " * MESSAGE)
    cut_down(output)
    [line] = output.traceback
    assert line.endswith("word […]") and len(line) < MESSAGE + 30


@pytest.mark.parametrize(
    "raises, shown, what",
    [
        (WANTED, SHOWN, ""),
        (["no such thing", WANTED], SHOWN, ""),
        ("shapes  cannot\nbe", SHOWN.replace("cannot be", "cannot\n\tbe"), ""),
        (WANTED, "", f'this cell should fail with "{WANTED}", but it raises no error'),
        (WANTED, "KeyError: 3", "but it fails with: KeyError: 3"),
        (["a", "b"], "", 'with "a" or "b", but'),
        ([], SHOWN, "needs the option `raises`"),
        ("", SHOWN, "needs the option `raises`"),
    ],
)
def test_what_is_wrong_with_an_error(raises, shown, what):
    found = fault(raises, shown)
    assert (what in found) if what else found == ""


def cell(shown, **metadata):
    outputs = [nodes.literal_block("", "printed before", classes=["output", "stream"])]
    if shown:
        outputs.append(nodes.literal_block("", shown, classes=["output", "traceback"]))
    return nodes.container("", *outputs, cell_metadata={"tags": [TAG], **metadata})


def test_a_wrong_cell_gets_a_note_before_it_and_is_on_the_list():
    document = new_document("a.md")
    document += [
        cell(SHOWN, raises=WANTED),
        cell("", raises=WANTED),
        cell(SHOWN),
        nodes.container("", cell_metadata={"tags": ["expect"]}),
    ]
    env = SimpleNamespace(
        docname="a", metadata={"a": {"missed": [(1, "a number", False)]}}
    )
    document.settings.env = env
    CheckErrors(document).apply()
    kinds = [type(child).__name__ for child in document]
    assert kinds == ["container", *["admonition", "container"] * 2, "container"]
    said = [text for _, text, _ in env.metadata["a"]["missed"]]
    assert said[0] == "a number" and len(said) == 3
    assert said[1] in document[1].astext() and said[2] in document[3].astext()
