"""Pages that show their text sooner still hold all of it."""

from typing import Any

import pytest
from bookext.light import defer_scripts, lazy
from sphinx.builders.html._assets import _JavaScript

SVG = '<svg xmlns="x" width="{}" height="{}" viewBox="0 0 1 1"></svg>'


@pytest.fixture
def images(tmp_path):
    """{name in the site: file} of two drawings."""
    (tmp_path / "a.svg").write_text(SVG.format("30pt", "60pt"))
    (tmp_path / "b.svg").write_text(SVG.format("460", "250"))
    return {"a1.svg": tmp_path / "a.svg", "b.svg": tmp_path / "b.svg"}


def test_all_figures_but_the_first_wait_in_a_space_of_their_size(images):
    page = (
        '<img alt="A" src="../_images/a1.svg" /> <img alt="B" src="../_images/b.svg">'
    )
    html = lazy(page, images)
    first, second = html.split("/>")
    assert 'loading="eager" width="40" height="80" alt="A"' in first
    assert 'loading="lazy" width="460" height="250" alt="B"' in second
    assert lazy(html, images) == html


def test_other_pictures_are_left_alone(images):
    page = '<img src="../_static/logo.svg"> <img src="data:image/svg+xml;base64,AA">'
    assert lazy(page, images) == page


def test_scripts_wait_but_those_that_others_use():
    own = ["_static/documentation_options.js", "_static/a.js", "doctools.js"]
    names: list[Any] = [*own, None]
    scripts = [_JavaScript(name) for name in names]
    for _ in range(2):  # the same scripts are there for each page
        defer_scripts(None, "", "", {"script_files": scripts}, None)
    assert [script.attributes for script in scripts] == [
        {},
        {"defer": "defer"},
        {"defer": "defer"},
        {},
    ]
