"""Pages that show their text sooner still hold all of it."""

import pytest
from bookext.light import PLAIN, THEME, lighten, patient

SVG = '<svg xmlns="x" width="{}" height="{}" viewBox="0 0 1 1"></svg>'


@pytest.fixture
def images(tmp_path):
    (tmp_path / "a.svg").write_text(SVG.format("30pt", "60pt"))
    (tmp_path / "b.svg").write_text(SVG.format("460", "250"))
    return tmp_path


def test_all_figures_but_the_first_wait_in_a_space_of_their_size(images):
    page = '<img alt="A" src="../_images/a.svg" /> <img alt="B" src="../_images/b.svg">'
    html = patient(page, images)
    first, second = html.split("/>")
    assert 'loading="eager" width="40" height="80" alt="A"' in first
    assert 'loading="lazy" width="460" height="250" alt="B"' in second
    assert patient(html, images) == html


def test_other_pictures_are_left_alone(images):
    page = '<img src="../_static/logo.svg"> <img src="data:image/svg+xml;base64,AA">'
    assert patient(page, images) == page


def test_scripts_wait_except_those_that_come_first(tmp_path):
    (tmp_path / "quiet.js").write_text("hush()")
    page = '<script src="../_static/quiet.js?v=1"></script><script src="b.js"></script>'
    html = lighten(page, tmp_path)
    assert html == '<script>hush()</script><script defer src="b.js"></script>'
    assert lighten(html, tmp_path) == html


def test_the_scheme_is_known_before_the_first_script(tmp_path):
    page = '<script>d.theme = localStorage.getItem("theme") || "auto"</script>'
    assert THEME in lighten(page, tmp_path)


def test_code_keeps_its_text_and_its_colours():
    code = (
        '<span class="k">def</span><span class="w"> </span><span class="n">f</span>'
        '<span class="p">(</span><span class="mi">1</span>'
    )
    assert PLAIN.sub(r"\1", code) == (
        '<span class="k">def</span> f(<span class="mi">1</span>'
    )
