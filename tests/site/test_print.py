"""A page on paper: black on white, whole, without bar, rail, folds and solutions."""

import io
import re

import pytest
from visits import PAGES, opened

PARTS = [name for name in PAGES if re.match(r"book/0\d", name)]
A4 = 635, 960  # pixels, less the margins

CLIPPED = """() => [...document.querySelectorAll('article *')]
    .filter(e => !e.closest('.katex-mathml, .katex-html .base *, svg *'))
    .filter(e => e.getClientRects().length)
    .filter(e => e.getBoundingClientRect().right > innerWidth + 1 ||
        getComputedStyle(e).overflowX !== 'visible' &&
        e.localName !== 'svg' && e.scrollWidth > e.clientWidth + 1)
    .map(e => e.outerHTML.slice(0, 120))"""
# The words that are printed, with their colors, and the ground of each box.
INKS = """() => {
    const inks = new Set(), grounds = new Set()
    for (const e of document.querySelectorAll('body, article, article *')) {
        if (!e.checkVisibility() || e.closest('svg')) continue
        const { color, backgroundColor, filter } = getComputedStyle(e)
        if (filter !== 'none') inks.add('filter')
        if (!backgroundColor.endsWith(', 0)')) grounds.add(backgroundColor)
        const text = [...e.childNodes].filter(node => node.nodeType === Node.TEXT_NODE)
        if (text.some(({ data }) => data.trim())) inks.add(color)
    }
    return [[...inks], [...grounds]]
}"""


def brightness(color):
    assert color.startswith("rgb("), color
    red, green, blue = (int(n) / 255 for n in re.findall(r"\d+", color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.fixture(scope="module", params=PARTS)
def part(browser, address, request):
    """A part as a reader with a dark theme prints it, one of its solutions open."""
    with opened(browser, address + request.param, scheme="dark") as (page, _):
        page.wait_for_function(
            "[...document.images].every(i => i.loading !== 'lazy' && i.complete)"
        )
        page.locator("details:not(.quiz *) summary").last.click()
        page.set_viewport_size(dict(zip(("width", "height"), A4)))
        page.emulate_media(media="print", color_scheme="dark")
        assert page.locator("html").get_attribute("data-theme") == "dark"
        yield page


def test_nothing_is_clipped(part):
    assert part.evaluate(CLIPPED) == []


def test_it_is_black_on_white(part):
    inks, grounds = part.evaluate(INKS)
    assert max(map(brightness, inks)) < 0.4
    assert min(map(brightness, grounds)) > 0.9


def test_only_the_page_is_printed(part):
    """And of its folds only the choices of a quiz."""
    away = (
        "button, nav, header, dialog, input, .rail, .headerlink, #jb-print-docs-body,"
        ".answer, .prev-next-area, details:not(.quiz *) *,"
        ".quiz details > :not(summary)"
    )
    seen = part.evaluate(
        """away => [...document.querySelectorAll(away)].filter(e => e.checkVisibility())
            .map(e => e.outerHTML.slice(0, 120))""",
        away,
    )
    assert seen == []
    for one in ("h1", "figcaption >> nth=0", ".quiz label >> nth=0"):
        assert part.locator(f"article {one}").is_visible()


def test_a_living_figure_is_its_still_picture(part):
    figures = part.locator("figure.living-ready").all()
    assert figures or "06_recurrent" in part.url  # it has none
    for figure in figures:
        assert not figure.locator(".living-place").is_visible()
        assert figure.locator(
            ".living-still :is(img, svg, p, table)"
        ).first.is_visible()
        assert figure.locator("figcaption").count() <= 1


def test_nothing_moves(part):
    moving = "document.getAnimations().length"
    part.locator("details").first.evaluate("e => { e.open = !e.open }")
    assert part.evaluate(moving) == 0


def test_no_sheet_is_empty_and_no_solution_is_printed(part):
    pypdf = pytest.importorskip("pypdf")
    pdf = part.pdf(prefer_css_page_size=True, print_background=True)
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    sheets = [" ".join(page.extract_text().split()) for page in reader.pages]
    assert 20 < len(sheets) < 60
    assert reader.pages[0].mediabox.height / reader.pages[0].mediabox.width > 1.41
    title = part.locator("article h1").inner_text().rstrip("#")
    assert title in sheets[0]
    for number, sheet in enumerate(sheets, 1):
        assert len(sheet) > 80, number
        assert str(number) in (sheet.split()[0], sheet.split()[-1])
    text = " ".join(sheets)
    assert not re.search("Show the (solution|code)|Hint 1|Solution", text)
    numbers = part.locator("figcaption .caption-number").all_inner_texts()
    assert numbers and all(number.strip() in text for number in numbers)
