"""Diagrams in the page: its colors, ids of their own, the alternative text as name."""

from pathlib import Path

import pytest
from bookext.drawings import COLORS, drawing

FIGURES = Path(__file__).parents[2] / "book" / "assets" / "figures"
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg"><marker id="arrow"/>'
    '<path fill="#1f5f9e" marker-end="url(#arrow)"/></svg>\n'
)


def test_a_drawing_takes_the_page_s_colors_and_keeps_its_ids_apart(tmp_path):
    file = tmp_path / "loop.svg"
    file.write_text(SVG)
    html = drawing(file, 'a "loop"', "../_images/loop.svg")
    assert 'fill="var(--blue)"' in html and "#1f5f9e" not in html
    assert 'id="loop-arrow"' in html and "url(#loop-arrow)" in html
    assert 'aria-label="a &quot;loop&quot;"' in html and html.startswith("<svg class=")


@pytest.mark.parametrize("file", sorted(FIGURES.glob("*.svg")), ids=lambda f: f.stem)
def test_each_color_of_a_diagram_is_one_of_the_page(file):
    html = drawing(file, "", "")
    assert "#" not in html.replace("url(#", "").replace('href="#', "")
    assert len(COLORS) == len({*COLORS.values()})
