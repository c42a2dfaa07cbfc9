"""The text of sections: prose to show, other words to find."""

from bookext.search import Reader

PAGE = """<nav>Contents</nav><article class="bd-article"><section id="part-1-a">
<h1>A<a class="headerlink" href="#part-1-a">#</a></h1><p>Opening.</p>
<section id="b"><h2>To <code>b</code><a class="headerlink" href="#b">#</a></h2>
<p>Prose with <span class="math"><math><mi>x</mi></math><span>x</span></span>.</p>
<div class="math">y = x</div>
<div class="cell_input"><pre><span>torch</span>.<b>rand</b>(3)</pre></div>
<div class="cell_output"><pre>0.5 printed</pre><figcaption>Caption.</figcaption></div>
<details class="sd-dropdown"><summary>Solution</summary><p>Secret prose</p></details>
<dl><dt id="term-C">C<a class="headerlink" href="#term-C">#</a></dt><dd>Means c.</dd>
<dt class="sig" id="charlm.m.K.run">run(self)</dt><dd>Runs.</dd>
<dt>D</dt><dd>d</dd></dl>
</section></section></article>"""


def test_a_page_is_cut_into_sections_and_entries():
    rows = [section.row() for section in Reader(PAGE, "p.html", "Part 1: A").found]
    assert rows == [
        ["p.html", "Part 1: A", "Opening.", ""],
        [
            "p.html#b",
            "Part 1 › To b",
            "Prose with x. Caption. D d",
            "rand secret solution torch",
        ],
        ["p.html#term-C", "Part 1 › C", "Means c.", ""],
        ["p.html#charlm.m.K.run", "Part 1 › K.run", "Runs.", ""],
    ]
