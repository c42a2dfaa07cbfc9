"""Every page in a real browser: quiet, self-contained, legible, and open to everybody.

Each is visited twice: on a wide screen in light, and on a narrow phone in dark.
"""

import gzip
import re
from functools import cache
from types import SimpleNamespace

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from books import SITE
from visits import PAGES, opened

# The pages of the package's source are all made in one way: one of them is enough.
LOOKED_AT = [name for name in PAGES if not name.startswith("_modules/")]
LOOKED_AT += [name for name in PAGES if name.endswith("charlm/counts.html")]
VIEWS = {"desktop": ("light", 1280), "phone": ("dark", 360)}
MAX_OWN, MAX_SHARED = 500_000, 600_000  # bytes
UNFOLD = """() => {
    for (const e of document.querySelectorAll('details')) e.open = true
    for (const e of document.querySelectorAll('.toggle-button-hidden')) e.click()
}"""
DRAWN = "() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))"


@pytest.fixture(
    scope="module",
    params=[(name, view) for name in LOOKED_AT for view in VIEWS],
    ids=lambda param: "-".join(param),
)
def visit(browser, address, request):
    """A page with all its folds open, as one of the two readers sees it."""
    name, view = request.param
    scheme, width = VIEWS[view]
    with opened(browser, address + name, scheme=scheme, width=width) as (page, found):
        page.wait_for_load_state("networkidle")
        page.evaluate(UNFOLD)
        page.wait_for_timeout(300)  # what unfolds fades in
        page.evaluate(DRAWN)
        yield SimpleNamespace(page=page, problems=found, scheme=scheme)


def test_page_is_quiet_and_self_contained(visit):
    assert visit.page.locator("html").get_attribute("data-theme") == visit.scheme
    assert visit.problems == []


@cache
def sent_bytes(path):
    """How much a file is over the web, where text is compressed."""
    content = (SITE / path).read_bytes()
    return min(len(content), len(gzip.compress(content)))


def test_a_page_is_light(visit, address):
    """Itself with all its figures; and what it shares with others, which comes once.

    The models of living figures are left out.
    """
    resources = "performance.getEntriesByType('resource').map(e => e.name)"
    images = "[...document.images].map(e => e.src)"
    urls = {*visit.page.evaluate(resources), *visit.page.evaluate(images)}
    paths = {
        url.removeprefix(address).partition("?")[0].partition("#")[0]
        for url in {visit.page.url, *urls}
        if url.startswith(address) and "/models/" not in url
    }
    shared = {path for path in paths if path.startswith(("_static/", "searchindex."))}
    assert len(shared) > 5 and sum(map(sent_bytes, shared)) <= MAX_SHARED
    assert sum(map(sent_bytes, paths - shared)) <= MAX_OWN


@pytest.mark.parametrize("name", [name for name in LOOKED_AT if name != "404.html"])
def test_page_opens_from_a_folder(browser, site, name):
    with opened(browser, (site / name).as_uri()) as (page, problems):
        assert page.evaluate("document.fonts.ready.then(() => true)")
    assert problems == []


def test_front_door_leads_to_the_cover(browser, address):
    with opened(browser, address) as (page, problems):
        page.wait_for_url("**/book/index.html")
    assert problems == []


def test_page_never_scrolls_sideways(visit):
    too_wide = visit.page.evaluate(
        """() => {
            const root = document.documentElement
            if (root.scrollWidth <= root.clientWidth) return []
            const scrolls = e => e && e !== root && e !== document.body &&
                (getComputedStyle(e).overflowX !== 'visible' ||
                 scrolls(e.parentElement))
            return [...document.querySelectorAll('main *')]
                .filter(e => e.getBoundingClientRect().right > root.clientWidth + 1)
                .filter(e => !scrolls(e.parentElement))
                .map(e => e.outerHTML.slice(0, 120)).concat(['page'])
        }"""
    )
    assert too_wide == []


def test_nothing_is_cut_off(visit):
    """What is wider than the phone is inside a box that the reader can scroll."""
    cut = visit.page.evaluate(
        """() => [...document.querySelectorAll('article *')]
            .filter(e => !e.closest('.katex, .katex-mathml'))
            .filter(e => ['hidden', 'clip'].includes(getComputedStyle(e).overflowX))
            .filter(e => e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1)
            .map(e => e.outerHTML.slice(0, 120))"""
    )
    assert cut == []


def test_each_picture_has_alternative_text(visit):
    pictures = visit.page.evaluate(
        "[...document.images].map(i => [i.src, i.getAttribute('alt') ?? ''])"
    )
    file_name = re.compile(r"\S*(\.\w{3,4}|[0-9a-f]{16}\S*)")
    bad = [src for src, alt in pictures if not alt.strip() or file_name.fullmatch(alt)]
    assert bad == []


def test_no_markup_is_left_in_the_text(visit):
    text = visit.page.evaluate(
        """() => {
            const copy = (document.querySelector('article') ?? document.body)
                .cloneNode(true)
            for (const e of copy.querySelectorAll(
                'pre, code, script, .math, .sig, .field-list strong'
            ))
                e.remove()
            return copy.textContent
        }"""
    )
    assert re.findall(r"```|:::|\{[a-z][\w:-]+\}|\$\$|\*\*|^#+ ", text) == []


# Formulas are left out: what a reader hears of them is MathML, and their color is the
# text's. Of code, one word of each kind is enough: the others have its colors.
PREPARE = """() => {
    const seen = new Set()
    for (const word of document.querySelectorAll('pre span')) {
        const box = word.closest('.highlight')?.parentElement.className
        const kind = [word.className, word.parentElement.className, box].join()
        if (seen.has(kind)) word.dataset.again = ''
        seen.add(kind)
    }
    const selector = '*:not([data-again])'
    axe.configure({ rules: [{ id: 'color-contrast', selector }] })
}"""
RUN = """async () => {
    const rules = { 'label-content-name-mismatch': { enabled: true } }
    const options = { resultTypes: ['violations'], rules }
    const { violations } = await axe.run({ exclude: [['.katex']] }, options)
    return violations.flatMap(({ id, nodes }) => nodes.map(n => `${id}: ${n.html}`))
}"""


def test_axe_finds_nothing(visit):
    visit.page.evaluate(AXE_SCRIPT)
    visit.page.evaluate(PREPARE)
    assert visit.page.evaluate(RUN) == []


@pytest.mark.parametrize("name", PAGES)
def test_formulas_are_typeset_without_a_script(site, name):
    html = (site / name).read_text(encoding="utf-8")
    assert not re.search(r"<script[^>]*mathjax", html, re.I)
    assert html.count('class="math notranslate') <= html.count('class="katex"')
