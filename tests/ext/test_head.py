"""The theme's rules are divided: none is lost, and what can match comes first."""

from bookext import head

CSS = """@charset "UTF-8";
/* a comment { with a brace } */
:root{--a:1}
p,.gone{margin:0}
.gone > p{color:red}
.seen:not(.gone){color:blue}
.seen .gone,.gone .seen{top:0}
.icon:before{content:"}"}
.seen:is(.gone,.other){left:0}
@media (min-width:1px){.seen{right:0}.gone{right:1px}}
@font-face{font-family:A;src:url(../fonts/a.woff2)}
@keyframes turn{from{top:0}to{top:1px}}
"""


def rules(css):
    return len(head.rules_of(css))


def test_rules_that_can_match_come_first_and_none_is_lost():
    first, later = head.divide(head.rules_of(head.CHARSET.sub("", CSS)), {"seen"})
    assert ".gone > p{color:red}" in later and ".seen .gone,.gone .seen{" in later
    assert "p,.gone{margin:0}" in first and ".seen:not(.gone){" in first
    assert ".seen:is(.gone,.other){" in first
    assert "@media (min-width:1px){.seen{right:0}}" in first
    assert "@media (min-width:1px){.gone{right:1px}}" in later
    assert "@font-face{" in first and "@keyframes turn{" in first
    assert '.icon:before{content:"}"}' in later
    # The group is in both.
    assert rules(first) + rules(later) == rules(CSS.partition("\n")[2]) + 1


def page(root, *files):
    links = "".join(
        f'<link href="{root}_static/{file}?v=1" rel="stylesheet"/>\n' for file in files
    )
    return f'<head>{links}</head><body class="seen"></body>'


def test_pages_link_to_two_sheets_and_a_later_build_changes_nothing(tmp_path):
    static = tmp_path / "_static"
    (static / "styles").mkdir(parents=True)
    (static / "styles" / "theme.css").write_text('@import "../basic.css";\n' + CSS)
    (static / "basic.css").write_text(".basic{color:red}")
    (static / "tokens.css").write_text(".gone{own:1}")
    (static / "sphinx-design.min.css").write_text(".seen{rare:1}.gone{rare:2}")
    (static / "documentation_options.js").write_text(
        "const DOCUMENTATION_OPTIONS = {};"
    )
    (tmp_path / "index.html").write_text(page("", "styles/theme.css", "tokens.css"))
    (tmp_path / "book").mkdir()
    inner = tmp_path / "book" / "one.html"
    own = "sphinx-design.min.css", "tokens.css", "living.css"
    inner.write_text(page("../", "styles/theme.css", *own))
    head.mend(tmp_path)
    first = (static / "first.css").read_text()
    later = (static / "later.css").read_text()
    assert first.index(".seen:not(.gone)") < first.index(".gone{own:1}")
    assert "url(fonts/a.woff2)" in first and ".basic{color:red}" in later
    assert "rare:1" in first and "rare" not in later  # it comes as it is, where needed
    once = inner.read_text()
    found = head.SHEET.findall(once)
    assert [file for _, file in found] == [
        *("later.css", "sphinx-design.min.css"),  # without scripts
        *("first.css", "living.css"),
    ]
    assert once.count("sphinx-design.min.css") == 2
    assert "sphinx-design" not in (tmp_path / "index.html").read_text()
    assert once.index("later.css") < once.index("first.css")
    head.mend(tmp_path)
    assert inner.read_text() == once and (static / "first.css").read_text() == first
