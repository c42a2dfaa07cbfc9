"""Numbers of the text below zero have a minus sign, code has none."""

from bookext.minus import with_minus
from docutils import nodes

HYPHENS = "well-known 1-2, 0.1-0.2, 2026-11-27, -1, e-0.5"


def test_decimals_below_zero():
    doctree = nodes.paragraph("", f"-0.5 and (-1.25): {HYPHENS} ")
    doctree += [nodes.literal("", "-0.5"), nodes.math("", "-0.5")]
    with_minus(None, doctree, "page")
    assert doctree.astext() == f"−0.5 and (−1.25): {HYPHENS} -0.5-0.5"
