"""Every page in a real browser: quiet, self-contained, legible at each width."""

import re
from contextlib import contextmanager

import pytest
from books import SITE

PAGES = sorted(
    path.relative_to(SITE).as_posix()
    for path in SITE.rglob("*.html")
    if "_static" not in path.parts and path != SITE / "index.html"
) or ["book/index.html"]


@contextmanager
def opened(browser, url, *, scheme="light", width=1280):
    """A page with `problems`: whatever a reader's browser would complain about."""
    context = browser.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 900}
    )
    page, problems = context.new_page(), []
    home = re.match(r"file://|http://[^/]+/", url)[0]

    def check_request(request):
        if not request.url.startswith((home, "data:", "blob:")):
            problems.append(f"request to another host: {request.url}")

    def check_failure(request):
        if request.failure != "net::ERR_ABORTED":  # the page moved on
            problems.append(f"{request.failure}: {request.url}")

    context.on("request", check_request)
    context.on("requestfailed", check_failure)
    context.on(
        "response",
        lambda r: r.status >= 400 and problems.append(f"{r.status}: {r.url}"),
    )
    page.on("console", lambda m: problems.append(f"console {m.type}: {m.text}"))
    page.on("pageerror", lambda error: problems.append(f"error: {error}"))
    page.goto(url, wait_until="load")
    page.wait_for_timeout(150)
    yield page, problems
    context.close()


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_is_quiet_and_self_contained(browser, address, name, width, scheme):
    with opened(browser, address + name, scheme=scheme, width=width) as (
        page,
        problems,
    ):
        assert page.locator("html").get_attribute("data-theme") == scheme
    assert problems == []


@pytest.mark.parametrize("name", [name for name in PAGES if name != "404.html"])
def test_page_opens_from_a_folder(browser, site, name):
    with opened(browser, (site / name).as_uri()) as (page, problems):
        assert page.evaluate("document.fonts.ready.then(() => true)")
    assert problems == []


def test_front_door_leads_to_the_cover(browser, address):
    with opened(browser, address) as (page, problems):
        page.wait_for_url("**/book/index.html")
    assert problems == []


@pytest.fixture(scope="module", params=PAGES)
def phone(browser, address, request):
    with opened(browser, address + request.param, width=360) as (page, _):
        page.evaluate(
            "document.querySelectorAll('details').forEach(d => d.open = true)"
        )
        yield page


def test_page_never_scrolls_sideways(phone):
    too_wide = phone.evaluate(
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


def test_nothing_is_cut_off(phone):
    """What is wider than the phone is inside a box that the reader can scroll."""
    cut = phone.evaluate(
        """() => [...document.querySelectorAll('article *')]
            .filter(e => !e.closest('.katex, .katex-mathml'))
            .filter(e => ['hidden', 'clip'].includes(getComputedStyle(e).overflowX))
            .filter(e => e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1)
            .map(e => e.outerHTML.slice(0, 120))"""
    )
    assert cut == []


def test_each_picture_has_alternative_text(phone):
    pictures = phone.evaluate(
        "[...document.images].map(i => [i.src, i.getAttribute('alt') ?? ''])"
    )
    file_name = re.compile(r"\S*(\.\w{3,4}|[0-9a-f]{16}\S*)")
    bad = [src for src, alt in pictures if not alt.strip() or file_name.fullmatch(alt)]
    assert bad == []


def test_no_markup_is_left_in_the_text(phone):
    text = phone.evaluate(
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


@pytest.mark.parametrize("name", PAGES)
def test_formulas_are_typeset_without_a_script(site, name):
    html = (site / name).read_text(encoding="utf-8")
    assert not re.search(r"<script[^>]*mathjax", html, re.I)
    assert html.count('class="math notranslate') <= html.count('class="katex"')
