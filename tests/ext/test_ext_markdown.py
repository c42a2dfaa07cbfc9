"""The HTML of a page becomes Markdown that any Jupyter shows."""

import base64

import pytest
from bookext.markdown import Converter, blocks
from bookext.offline_math import render
from bs4 import BeautifulSoup

ADDRESS = "https://example.org/book/one.html"


@pytest.fixture
def converted(tmp_path):
    def convert(html):
        section = BeautifulSoup(f'<section id="s">{html}</section>', "html.parser")
        converter = Converter(ADDRESS, tmp_path / "one.html")
        return converter.convert_cell(blocks(section.section))

    return convert


def math(tex, tag="span"):
    return f'<{tag} class="math notranslate">{render(tex)}</{tag}>'


@pytest.mark.parametrize(
    "html, text",
    [
        ("<h2>A</h2><p>b <em>c</em> <strong>d</strong></p>", "## A\n\nb *c* **d**"),
        ("<p>5 * 3_000 &lt; $4 [a]</p>", r"5 \* 3\_000 &lt; \$4 \[a\]"),
        ("<p><code>a*b_c[0] &lt; $d</code></p>", "`a*b_c[0] < $d`"),
        (f"<p>so {math('x_1 * y')}.</p>", "so $x_1 * y$."),
        (math(r"a \\ b", "div"), "$$\na \\\\ b\n$$"),
        ("<ol><li><p>a</p></li><li><p>b</p></li></ol>", "1. a\n2. b"),
        (
            '<p><a href="two.html#x">a</a></p>',
            "[a](https://example.org/book/two.html#x)",
        ),
        ('<p><a href="#x">a</a></p>', f"[a]({ADDRESS}#x)"),
        ('<p><a href="https://a.org/b" title="t">a</a></p>', "[a](https://a.org/b)"),
        (
            '<div class="note admonition"><p class="admonition-title">A</p>'
            "<p>b</p><ul><li><p>c</p></li></ul></div>",
            "> **A**\n>\n> b\n>\n> - c",
        ),
        (
            "<details><summary><span>Hint</span></summary><div><p>b</p></div></details>",
            "<details>\n<summary>Hint</summary>\n\nb\n\n</details>",
        ),
        (
            "<details><summary><span>a. <code><i>x</i> &lt; y</code> "
            f"{math('x^2')}</span></summary><p>b</p></details>",
            "<details>\n<summary>a. <code>x &lt; y</code> $x^2$</summary>\n\nb\n\n"
            "</details>",
        ),
        (
            '<div class="highlight-python notranslate"><div class="highlight"><pre>'
            '<span></span><span class="k">a</span> * _b\n\n\nc\n</pre></div></div>',
            "```python\na * _b\n\n\nc\n```",
        ),
    ],
)
def test_markdown_of(converted, html, text):
    assert converted(html) == text


def test_a_bar_in_a_table_does_not_end_a_cell(converted):
    html = (
        "<table><thead><tr><th>a</th></tr></thead><tbody><tr><td>"
        f"<code>x | y</code> {math('p(a | b)')}</td></tr></tbody></table>"
    )
    row = converted(html).splitlines()[-1]
    assert row == r"| `x \| y` $p(a \vert  b)$ |"


def test_a_numbered_formula_keeps_its_number(converted):
    number = '<span class="eqno">(4)<a class="headerlink" href="#e">#</a></span>'
    html = math("a", "div").replace("<span", number + "<span", 1)
    assert converted(html) == "$$\na \\tag{4}\n$$"


def test_a_picture_travels_with_the_text(converted, tmp_path):
    (tmp_path / "a b.svg").write_text("<svg/>")
    text = converted('<p>x</p><img alt="A [net]" src="a%20b.svg"/><p>y</p>')
    body, _, definition = text.rpartition("\n\n")
    assert body == "x\n\n![A \\[net\\]][a b]\n\ny"
    label, data = definition.split(": ", 1)
    assert label == "[a b]"
    kind, content = data.split(";base64,")
    assert kind == "data:image/svg+xml" and base64.b64decode(content) == b"<svg/>"


def test_a_living_figure_is_its_still_and_a_link(converted):
    still = '<div class="living-still"><p>The still.</p></div>'
    html = f'<figure class="living">{still}</figure>'
    expected = f"The still.\n\n*[To play with, on the page]({ADDRESS}#s).*"
    assert converted(html) == expected


def test_blocks_come_out_of_their_sections_in_order():
    html = "<section><h1>a</h1><section><h2>b</h2><p>c</p></section><p>d</p></section>"
    section = BeautifulSoup(html, "html.parser")
    assert [block.name for block in blocks(section)] == ["h1", "h2", "p", "p"]
