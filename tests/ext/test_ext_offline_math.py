"""Formulas are typeset at build time, and a bad one is refused."""

import re
from pathlib import Path

import pytest
from bookext.offline_math import KATEX, MathError, display_source, render


def test_formula_has_a_drawing_and_mathml():
    html = render(r"\frac{1}{2}")
    assert 'class="katex-html" aria-hidden="true"' in html
    assert "<mfrac>" in html


@pytest.mark.parametrize(
    "tex", [r"\frac{1", r"\nothing", r"x_1_2", r"\begin{aligned}", "é"]
)
def test_bad_formula_is_refused(tex):
    with pytest.raises(MathError, match=r"KaTeX parse error"):
        render(tex)


@pytest.mark.parametrize(
    "tex, start",
    [
        ("x^2", "x^2"),
        ("a &= b \\\\\n&= c", r"\begin{aligned}a &= b"),
        ("a = b\n\nc = d", r"\begin{aligned}a = b\\"),
        (r"\begin{align}a&=b\\c&=d\end{align}", r"\begin{align*}a"),
        (r"\begin{equation}a\end{equation}", r"\begin{equation*}a"),
        (r"A = \begin{pmatrix}1&2\\3&4\end{pmatrix}", r"A = \begin{pmatrix}"),
        (r"f = \begin{cases}1&x\\0\end{cases} \\ g", r"\begin{aligned}f ="),
        (r"\text{a \& b}", r"\text"),
    ],
)
def test_several_lines_get_one_environment(tex, start):
    source = display_source(tex)
    assert source.startswith(start)
    assert "<math" in render(source, display=True)


def test_macros_are_known():
    assert render(r"\RR", macros={r"\RR": r"\mathbb{R}"})
    with pytest.raises(MathError):
        render(r"\RR")


def test_style_sheet_names_only_files_that_are_here():
    folder = Path(KATEX).parent
    css = (folder / "katex.min.css").read_text(encoding="utf-8")
    urls = set(re.findall(r"url\(([^)]*)\)", css))
    fonts = {path.relative_to(folder).as_posix() for path in folder.glob("fonts/*")}
    assert urls == fonts
