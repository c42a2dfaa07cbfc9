"""Which names in a cell get a link; tests/site/test_reference.py tries it on pages."""

import ast

import pytest
from bookext.code_links import is_named, parsed
from sphinx_codeautolink.parse import Name


@pytest.mark.parametrize(
    "code, entry, found",
    [
        ("windows", "charlm.data.windows", True),
        ("plots.bars", "charlm.book.plots.bars", True),
        ("vocab.decode", "charlm.vocab.Vocabulary.decode", True),
        ("vocab", "charlm.vocab.Vocabulary", False),
        ("run", "charlm.runs.run.Run", False),
        ("s", "charlm.evaluate.losses", False),
    ],
)
def test_a_variable_has_no_entry(code, entry, found):
    assert is_named(Name([], code, 1, 1, resolved_location=entry)) == found


@pytest.mark.parametrize(
    "shown, name",
    [
        ("def f():\n    pass\n", "f"),
        ("    def f(self):\n        return 1\n", "f"),
        ("%matplotlib inline\ndef f(): pass\n", "f"),
        ("def f(:\n", None),
        ("%%sh\nls from here\n", None),
    ],
)
def test_what_can_be_parsed_of_a_block(shown, name):
    """All of it, or nothing: the page shows it in any case."""
    source, python = parsed(shown)
    assert source == shown
    found = [getattr(node, "name", None) for node in ast.parse(python).body][-1:]
    assert found in ([name], [])
    assert name is None or python.count("\n") == shown.count("\n")
