"""Lines of code that know their indentation, and outputs that know their width."""

import re
from html import unescape

from bookext.lines import LISTING, with_lines

CODE = (
    '<div class="highlight-ipython3 notranslate"><div class="highlight"><pre>'
    "<span></span>{}</pre></div></div>"
)
OUTPUT = (
    '<div class="output stream highlight-myst-ansi notranslate">'
    '<div class="highlight"><pre><span></span>{}</pre></div></div>'
)


def written(html):
    return LISTING.sub(with_lines, html)


def text(html):
    return unescape(re.sub("<[^>]*>", "", html))


def test_each_line_has_its_indentation_and_the_code_stays():
    code = (
        '<span class="k">if</span> a &lt; b:\n<span class="w">    </span>c()\n\n  d\n'
    )
    html = written(CODE.format(code))
    assert re.findall(r'class="ln"(?: style="--i:(\d+)")?', html) == ["", "4", "", "2"]
    assert text(html) == text(code)
    assert text("".join(re.findall(r'class="indent">([^<]*)<', html))) == " " * 6


def test_written_twice_is_written_once():
    once = written(CODE.format("a\n  b\n"))
    assert text(written(once)) == text(once)


def test_an_output_says_its_width_and_wraps_where_it_does_not_fit():
    for columns, names in ((57, []), (58, ["when-narrow"]), (79, ["wraps", "narrow"])):
        html = written(OUTPUT.format("x" * columns + "\nshort\n"))
        assert f"--cols:{columns}" in html
        assert all(name in html for name in names)
        assert ("wraps" in html) == bool(names)
