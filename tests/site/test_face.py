"""What the face promises in numbers: widths, lines, weight, stops of the Tab key."""

import gzip
import re

import pytest
from books import SITE
from visits import PAGES, opened

PARTS = [name for name in PAGES if re.match(r"book/0\d", name)]
COVER = "book/index.html"
WIDTHS = (320, 390, 800, 1100, 1440)
# Stops of the Tab key: a group of radio buttons is one.
STOPS = """() => {
    const all = document.querySelectorAll(
        'a[href], button, input, select, summary, textarea, [tabindex]')
    const seen = [...all].filter(e => e.tabIndex >= 0 && !e.disabled
        && e.checkVisibility({ visibilityProperty: true }))
    const groups = seen.filter(e => e.type === 'radio').map(e => e.name)
    return seen.length - groups.length + new Set(groups).size
}"""
# Characters per line of each long paragraph without formulas.
LINES = """() => [...document.querySelectorAll('.bd-article > section > section > p')]
    .filter(p => p.textContent.length > 250 && !p.querySelector('.math, .katex'))
    .map(p => p.textContent.length
        / Math.round(p.offsetHeight / parseFloat(getComputedStyle(p).lineHeight)))"""
SHIFT = """window.shift = 0
new PerformanceObserver(list => {
    for (const entry of list.getEntries())
        if (!entry.hadRecentInput) window.shift += entry.value
}).observe({ type: 'layout-shift', buffered: true })"""
UNNAMED = """() => [...document.querySelectorAll(
        '.bd-article :is(img, svg.diagram), figure.living')]
    .filter(e => e.checkVisibility() && !e.closest('details'))
    .filter(e => !(e.closest('figure') ?? e).querySelector('.caption-number'))
    .map(e => e.outerHTML.slice(0, 100))"""
GAPS = """() => [...document.querySelectorAll('.bd-article section > .cell')]
.flatMap(cell => {
    const [code, output] = [cell.querySelector(':scope > .cell_input'),
        cell.querySelector(':scope > .cell_output')]
    const box = e => e.getBoundingClientRect()
    if (!code || !output || !cell.checkVisibility()) return []
    const next = cell.nextElementSibling
    const gap = next?.matches('.cell') && next.checkVisibility() && box(next).height
        && !next.querySelector(':scope > details')
        ? box(next).top - box(output).bottom : 24
    return [[box(output).top - box(code).bottom, gap]]
})"""


@pytest.mark.parametrize("name", [COVER, *PARTS, "book/evaluation.html"])
def test_no_width_scrolls_the_page_sideways(browser, address, name):
    with opened(browser, address + name) as (page, _):
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width


@pytest.mark.parametrize("name", PARTS)
def test_lines_are_neither_long_nor_short(browser, address, name):
    with opened(browser, address + name) as (page, _):
        for width, low, high in [(390, 35, 45), (1100, 45, 80), (1440, 45, 80)]:
            page.set_viewport_size({"width": width, "height": 900})
            lengths = sorted(page.evaluate(LINES))
            assert low <= lengths[len(lengths) // 2] <= high
            assert lengths[0] >= 0.8 * low and lengths[-1] <= 1.1 * high


def test_the_tab_key_does_not_stop_everywhere(browser, address):
    with opened(browser, address + PARTS[0]) as (page, _):
        assert page.evaluate(STOPS) <= 220


@pytest.mark.parametrize("name", PARTS)
def test_each_figure_has_a_number_and_a_caption(browser, address, name):
    with opened(browser, address + name) as (page, _):
        assert page.evaluate(UNNAMED) == []


@pytest.mark.parametrize("name", PARTS)
def test_code_and_output_are_one_and_cells_are_apart(browser, address, name):
    with opened(browser, address + name) as (page, _):
        found = page.evaluate(GAPS)
        assert len(found) >= 20
        assert all(abs(joint) < 1 and gap >= 21 for joint, gap in found)
        h2, h3 = (
            page.locator(f".bd-article {tag}").first.evaluate(
                "e => [getComputedStyle(e).fontSize, getComputedStyle(e).fontWeight]"
            )
            for tag in ("h2", "h3")
        )
        assert h2[1] == h3[1] and float(h2[0][:-2]) > 1.2 * float(h3[0][:-2])


def test_fonts_and_cover_are_light_and_nothing_shifts(browser, address):
    """Compressed as a server sends them, before anybody types a name."""
    fonts = sum(path.stat().st_size for path in SITE.glob("_static/fonts/*.woff2"))
    assert fonts <= 110_000
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.add_init_script(SHIFT)
    page.goto(address + COVER, wait_until="networkidle")
    resources = "performance.getEntriesByType('resource').map(e => e.name)"
    paths = {url.partition("?")[0] for url in page.evaluate(resources)}
    files = [SITE / path.removeprefix(address) for path in paths] + [SITE / COVER]
    sent = [min(len(b), len(gzip.compress(b))) for b in (f.read_bytes() for f in files)]
    assert sum(sent) <= 230_000
    assert page.evaluate("window.shift") < 0.02
    context.close()
