"""The page for a wrong address is relative to a base, which a script may correct."""

from bookext.wrong_address import with_base

PAGE = """<head></head>
<a href="/b/x.html">x</a><a href="#main">y</a><img src="/b/_static/z">"""


def test_addresses_are_relative_to_the_base():
    html = with_base(PAGE, "/b/")
    assert html.startswith('<head><base href="/b/">')
    assert '<a href="x.html">x</a><a href="404.html#main">y</a>' in html
    assert '<img src="_static/z">' in html
    assert with_base(html, "/b/") == html
