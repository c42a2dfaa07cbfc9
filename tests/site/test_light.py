"""What a phone waits for before it shows a page, and what it does only later."""

import gzip
import re

import pytest
from books import SITE
from visits import LAID_OUT, PAGES, draw, opened, settle

PARTS = [name for name in PAGES if re.match(r"book/0\d", name)]
BLOCKING = """() => performance.getEntriesByType('resource')
    .filter(e => e.renderBlockingStatus === 'blocking').map(e => e.name)"""
# The sections that are not laid out, when the text has come and when all is over.
SKIPPED = """() => [...document.querySelectorAll('.bd-article section section > p')]
    .filter(e => !e.closest('details') && e.checkVisibility()
        && !e.checkVisibility({ contentVisibilityAuto: true })).length"""
WATCH = f"""addEventListener('DOMContentLoaded', () => requestAnimationFrame(() =>
    requestAnimationFrame(() => window.skipped = ({SKIPPED})())))
window.shift = 0
new PerformanceObserver(list => {{
    for (const entry of list.getEntries()) window.shift += entry.value
}}).observe({{ type: 'layout-shift', buffered: true }})"""
# What each element of a page looks like.
LOOKS = """() => [...document.querySelectorAll('body, body *')]
    .filter(e => !e.closest('.living-place, svg, .katex'))
    .map(e => {
        const style = getComputedStyle(e)
        return `${e.localName}.${e.className}: ` + ['display', 'position', 'font',
            'color', 'background-color', 'margin', 'padding', 'border', 'float', 'gap',
            'width', 'visibility', 'opacity', 'text-decoration', 'list-style',
            'overflow', 'flex', 'align-items', 'border-radius', 'box-shadow', 'z-index'
        ].map(name => style.getPropertyValue(name)).join('|')
    })"""
ORIGINAL = """async ([first, later]) => {
    const [one, two] = [first, later].map(name =>
        document.querySelector(`head > link[href*="${name}"]`))
    const names = (await (await fetch(one.href)).text()).match(/\\/\\* (.*?) \\*\\//)[1]
    const links = names.split(' ').map(name => {
        const link = document.createElement('link')
        link.rel = 'stylesheet'
        link.href = new URL(name, one.href)
        one.before(link)
        return link
    })
    await Promise.all(links.map(link => new Promise(done => link.onload = done)))
    one.remove()
    two.remove()
}"""


@pytest.fixture
def plain(browser):
    """A page as a reader has it, on which no helper has done anything."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.add_init_script(WATCH)
    yield page
    context.close()


@pytest.mark.parametrize("name", [PARTS[0], "book/index.html", "search.html"])
def test_the_first_screen_waits_for_one_or_two_sheets(plain, address, name):
    plain.goto(address + name, wait_until="load")
    files = [url.partition("?")[0] for url in plain.evaluate(BLOCKING)]
    assert {file.rpartition("/")[2] for file in files} <= {"first.css", "living.css"}
    sent = [gzip.compress((SITE / f.removeprefix(address)).read_bytes()) for f in files]
    assert sum(map(len, sent)) <= 40_000


@pytest.mark.parametrize("name", [PARTS[0], "book/setup.html", "book/api_words.html"])
def test_two_sheets_look_like_those_that_they_are_made_of(browser, address, name):
    with opened(browser, address + name) as (page, _):
        page.wait_for_function(
            "document.querySelector('link[href*=later]').media === 'all'"
        )
        ours = page.evaluate(LOOKS)
        page.evaluate(ORIGINAL, ["first.css", "later.css"])
        theirs = page.evaluate(LOOKS)
    different = [pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1]]
    assert different == []


@pytest.mark.parametrize("name", PARTS)
def test_a_page_is_laid_out_in_turn_and_then_as_ever(plain, address, name):
    plain.goto(address + name, wait_until="load")
    plain.wait_for_timeout(300)
    assert plain.evaluate(SKIPPED) > 20  # so it stays while nobody scrolls
    plain.evaluate("document.fonts.ready.then(() => { window.shift = 0 })")
    plain.mouse.wheel(0, 300)
    plain.wait_for_function(LAID_OUT)
    assert plain.evaluate("window.skipped") > 20 and plain.evaluate(SKIPPED) == 0
    assert plain.evaluate("window.shift") < 0.02
    draw(plain)
    plain.wait_for_timeout(300)
    height = plain.evaluate("document.documentElement.scrollHeight")
    plain.reload()  # a reader who comes back finds all of it there
    assert plain.evaluate(SKIPPED) == plain.evaluate("window.skipped") == 0
    draw(plain)
    plain.wait_for_timeout(300)
    assert abs(plain.evaluate("document.documentElement.scrollHeight") - height) < 50


def test_a_link_into_a_page_leads_there_at_once(plain, address):
    plain.goto(f"{address}{PARTS[0]}#exercises", wait_until="load")
    assert plain.evaluate(SKIPPED) == plain.evaluate("window.skipped") == 0
    top = "document.querySelector('#exercises').getBoundingClientRect().top"
    plain.wait_for_function(f"Math.abs({top} - 72) < 20")


def test_a_link_inside_of_a_page_leads_to_its_place(plain, address):
    plain.goto(address + PARTS[0], wait_until="load")
    plain.evaluate("document.querySelector('a[href=\"#exercises\"]').click()")
    settle(plain)
    assert plain.evaluate(SKIPPED) == 0
    top = "document.querySelector('#exercises').getBoundingClientRect().top"
    plain.wait_for_function(f"Math.abs({top} - 72) < 20")


def test_a_living_figure_is_drawn_when_a_reader_comes_near(plain, address):
    plain.goto(address + PARTS[0], wait_until="load")
    plain.wait_for_timeout(300)
    figures = plain.locator("figure.living")
    ready = "e => e.classList.contains('living-ready')"
    last = figures.last
    assert figures.count() >= 3 and not last.evaluate(ready)
    last.scroll_into_view_if_needed()
    plain.wait_for_function("document.querySelector('.living-ready [role=status]')")
    plain.wait_for_timeout(200)
    assert last.evaluate(ready)


def test_the_theme_measures_no_boxes_after_each_change(site):
    script = (site / "_static/scripts/pydata-sphinx-theme.js").read_text("utf-8")
    assert '["pre"' not in script and 'querySelectorAll("pre:not(*)")' in script
