"""Where a reader is: the bar, the rail, the way back; and code that fits a phone."""

import re

import pytest
from visits import PAGES, opened

PARTS = [name for name in PAGES if re.match(r"book/0\d", name)]
LOOK = """async (share) => {
    const article = document.querySelector('.bd-article')
    scrollTo(0, share * (document.documentElement.scrollHeight - innerHeight))
    for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame)
    const links = [...document.querySelectorAll('.rail-sections > li > a')]
    const passed = share === 1 ? links : links.filter(a => document
        .querySelector(a.hash).getBoundingClientRect().top < innerHeight * 0.3)
    const here = document.querySelector('.rail-sections [aria-current]')
    const rail = document.querySelector('#pst-primary-sidebar').getBoundingClientRect()
    const box = here && here.getBoundingClientRect()
    return {
        right: passed.at(-1)?.textContent ?? '',
        bar: document.querySelector('.bar-here').textContent,
        rail: here?.textContent ?? '',
        seen: !here || (box.top >= rail.top && box.bottom <= rail.bottom),
    }
}"""
UNFOLD = "document.querySelectorAll('details').forEach(fold => fold.open = true)"
WIDE = """() => [...document.querySelectorAll('.bd-article *')]
    .filter(e => /auto|scroll/.test(getComputedStyle(e).overflowX))
    .filter(e => e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1)
    .map(e => [e.localName, Boolean(e.querySelector('.ln'))])"""


@pytest.mark.parametrize("name", PARTS)
def test_the_bar_and_the_rail_name_the_section_in_view(browser, address, name):
    with opened(browser, address + name) as (page, _):
        for k in range(20):
            found = page.evaluate(LOOK, k / 19)
            assert found["bar"] == found["rail"] == found["right"], k
            assert found["seen"], k


def test_a_reader_can_go_on_where_she_left(browser, address):
    with opened(browser, address + PARTS[0]) as (page, _):
        page.evaluate("document.querySelector('#sampling').scrollIntoView()")
        page.wait_for_function("document.querySelector('.bar-here').textContent")
        page.wait_for_timeout(100)
        page.evaluate("scrollTo(0, 0)")
        page.reload()
        line = page.locator(".resume")
        assert "Sampling" in line.inner_text()


def test_no_code_scrolls_on_a_phone_and_hardly_anything_else(browser, address):
    wide = []
    for name in PARTS:
        with opened(browser, address + name, width=390) as (page, _):
            page.evaluate(UNFOLD)
            wide += page.evaluate(WIDE)
    assert not any(code for _, code in wide)
    assert len(wide) <= 30


def test_on_a_phone_the_drawer_closes_over_the_chosen_section(browser, address):
    with opened(browser, address + PARTS[0], width=390) as (page, _):
        page.get_by_label("Contents of the book").click()
        link = page.locator(".rail-sections a", has_text="Sampling")
        link.click()
        page.wait_for_url("**#sampling")
        link.wait_for(state="hidden")
        assert page.locator("#sampling > h2").is_visible()


def test_the_cover_leads_back_to_the_last_section(browser, address):
    with opened(browser, address + PARTS[0]) as (page, _):
        page.evaluate("document.querySelector('#sampling').scrollIntoView()")
        page.wait_for_function("document.querySelector('.bar-here').textContent")
        page.goto(address + "book/index.html")
        page.get_by_role(
            "link", name="Continue with Part 1 · Bigrams: Sampling"
        ).click()
        page.wait_for_url("**/01_bigrams.html#sampling")
