"""Which names in a cell get a link; tests/site/test_reference.py tries it on pages."""

import ast

import pytest
from bookext.code_links import dedented, is_named
from sphinx_codeautolink.parse import Name


@pytest.mark.parametrize(
    "code, entry, found",
    [
        ("windows", "charlm.data.windows", True),
        ("plots.bars", "charlm.book.plots.bars", True),
        ("vocab.decode", "charlm.vocab.Vocabulary.decode", True),
        ("vocab", "charlm.vocab.Vocabulary", False),
        ("run", "charlm.runs.run.Run", False),
    ],
)
def test_a_variable_has_no_entry(code, entry, found):
    assert is_named(Name([], code, 1, 1, resolved_location=entry)) == found


def test_a_method_is_parsed_though_it_stands_indented():
    shown = "    def f(self):\n        return 1\n"
    source, parsed = dedented(shown)
    assert source == shown
    assert ast.parse(parsed).body[0].name == "f"
