"""axe finds nothing on any page, in light and dark, on a wide and a narrow screen."""

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from test_pages import PAGES, opened

# Formulas are left out: what a reader hears of them is MathML, and their colour is the
# text's. Of code, one word of each kind is enough: the others have its colours.
PREPARE = """() => {
    const folded = '.toggle-button-hidden, details:not([open]) > summary'
    for (const e of document.querySelectorAll(folded)) e.click()
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
DRAWN = "() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))"
RUN = """async () => {
    const rules = { 'label-content-name-mismatch': { enabled: true } }
    const options = { resultTypes: ['violations'], rules }
    const { violations } = await axe.run({ exclude: [['.katex']] }, options)
    return violations.flatMap(({ id, nodes }) => nodes.map(n => `${id}: ${n.html}`))
}"""


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(browser, address, name):
    found = {}
    with opened(browser, address + name) as (page, _):
        page.evaluate(AXE_SCRIPT)
        page.evaluate(PREPARE)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            for width in (1280, 390):
                page.set_viewport_size({"width": width, "height": 900})
                page.wait_for_timeout(300)
                page.evaluate(DRAWN)
                assert page.locator("html").get_attribute("data-theme") == scheme
                found[scheme, width] = page.evaluate(RUN)
    assert not any(found.values()), found
