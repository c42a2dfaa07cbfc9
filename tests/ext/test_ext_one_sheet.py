"""The one style sheet keeps all that a page can use, and every address in it holds."""

import pytest
from bookext.one_sheet import join

PAGE = """<html><head>
<link rel="stylesheet" type="text/css" href="{to}_static/styles/theme.css?v=1" />
<link href="{to}_static/book.css" rel="stylesheet">
</head><body class="a"><p class="b">x</p></body></html>"""
THEME = """@charset "UTF-8";
@import "../basic.css";
p { color: red }
.a .b, .absent > i { background: url("../pics/dot.png?v=1") }
.absent { color: blue }
.absent:not(.b) p, .made-late { top: 0 }
.bs-tooltip-auto { left: 0 }
p:not(.absent) { right: 0 }
@media print { .absent { color: blue } .b { color: black } }
@media screen { .absent { color: blue } }
@font-face { font-family: F; src: url(data:font/woff2;base64,AAAA) }
"""


@pytest.fixture
def site(tmp_path):
    static = tmp_path / "_static"
    (static / "styles").mkdir(parents=True)
    (tmp_path / "book").mkdir()
    (tmp_path / "index.html").write_text(PAGE.format(to=""))
    (tmp_path / "book" / "page.html").write_text(PAGE.format(to="../"))
    (static / "styles" / "theme.css").write_text(THEME)
    (static / "basic.css").write_text("b { color: green }")
    (static / "book.css").write_text(".ours-but-absent { color: teal }")
    (static / "late.js").write_text("e.className = 'made-late'")
    join(tmp_path)
    return tmp_path


@pytest.fixture
def css(site):
    return (site / "_static" / "sheet.css").read_text()


@pytest.mark.parametrize("name, to", [("index", ""), ("book/page", "../")])
def test_a_page_names_one_sheet(site, name, to):
    html = (site / f"{name}.html").read_text()
    assert html.count("stylesheet") == 1
    assert f'href="{to}_static/sheet.css?v=' in html


def test_rules_for_classes_of_pages_and_scripts_stay(css):
    for kept in (".a .b{", ".made-late{", ".bs-tooltip-auto{", "p:not(.absent){", "p{"):
        assert kept in css
    assert "@media print{.b{color: black}}" in css


def test_rules_for_other_classes_go_except_our_own(css):
    assert "blue" not in css and "@media screen" not in css
    assert ".ours-but-absent" in css


def test_the_order_is_that_of_the_page_imports_first(css):
    places = [css.index(color) for color in ("green", "red", "teal")]
    assert places == sorted(places)


def test_addresses_hold_where_the_sheet_is(css):
    assert 'url("pics/dot.png?v=1")' in css and "data:font/woff2;base64,AAAA" in css


def test_a_second_build_that_wrote_one_page_agrees(site, css):
    unchanged = (site / "index.html").read_text()
    (site / "book" / "page.html").write_text(PAGE.format(to="../"))
    join(site)
    assert (site / "_static" / "sheet.css").read_text() == css
    assert (site / "index.html").read_text() == unchanged


def test_a_new_version_reaches_the_pages_that_were_not_written(site):
    before = (site / "index.html").read_text()
    (site / "_static" / "book.css").write_text("p { color: pink }")
    (site / "book" / "page.html").write_text(PAGE.format(to="../"))
    join(site)
    assert (site / "index.html").read_text() != before
