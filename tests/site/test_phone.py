"""A page under a finger: folds that stay, edges that fade, targets that can be hit."""

import re

import pytest
from visits import PAGES, lay_out, settle

PARTS = [name for name in PAGES if re.match(r"book/0\d", name)]
FINGER = 40  # pixels
SMALL = """least => [...document.querySelectorAll(
        '.bd-article summary, .living-letter, .quiz-choice label, .living-button')]
    .filter(e => e.checkVisibility() && e.getBoundingClientRect().height < least)
    .map(e => e.textContent.trim())"""
FADED = "e => getComputedStyle(e).maskImage !== 'none'"


@pytest.fixture
def phone(browser):
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    yield context.new_page()
    context.close()


def visit(page, url):
    page.goto(url, wait_until="load")
    lay_out(page)
    page.wait_for_timeout(200)


@pytest.mark.parametrize("name", ["search.html", "genindex.html", PARTS[0]])
def test_each_page_but_the_cover_has_the_button_of_the_menu(phone, address, name):
    visit(phone, address + name)
    phone.get_by_label("Contents of the book").tap()
    phone.locator("dialog .rail a", has_text="Bigrams").first.wait_for()


def test_a_fold_that_opens_stays_under_the_finger(phone, address):
    visit(phone, address + PARTS[0])
    folds = phone.locator("#exercises details > summary")
    assert folds.count() > 20
    for number in range(0, 24, 3):
        fold = folds.nth(number)
        for _ in ("open", "close"):
            fold.evaluate("e => scrollBy(0, e.getBoundingClientRect().top - 60)")
            settle(phone)
            before = fold.bounding_box()["y"]
            fold.evaluate("e => e.click()")
            phone.wait_for_timeout(100)
            assert abs(fold.bounding_box()["y"] - before) < 2, number


def test_a_wide_formula_fades_where_it_goes_on(phone, address):
    wide = 0
    for name in PARTS:
        visit(phone, address + name)
        for formula in phone.locator(".katex-display").all():
            room = formula.evaluate("e => e.scrollWidth - e.clientWidth")
            assert formula.evaluate(FADED) == (room > 2)
            if room > 2:
                wide += 1
                formula.evaluate("e => e.scrollLeft = e.scrollWidth")
                settle(phone)
                assert not formula.evaluate(FADED)
    assert wide >= 1


@pytest.mark.parametrize("name", [PARTS[0], "book/playground.html"])
def test_a_finger_can_hit_what_it_aims_at(phone, address, name):
    visit(phone, address + name)
    assert phone.evaluate(SMALL, FINGER) == []


def test_the_answers_of_a_quiz_are_kept_until_all_are_asked_again(phone, address):
    visit(phone, address + PARTS[0])
    question = phone.locator(".quiz").nth(1)
    question.get_by_role("radio").nth(2).check()
    score = phone.locator(".quiz-score").inner_text()
    shown = question.locator(".quiz-reason:visible").all_inner_texts()
    assert shown and score.endswith("of 1 right so far.")
    phone.reload()
    assert phone.locator(".quiz-score").inner_text() == score
    assert question.locator(".quiz-reason:visible").all_inner_texts() == shown
    assert question.get_by_role("radio").nth(2).is_checked()
    locked = phone.locator(".quiz input:disabled").count()
    assert locked == question.get_by_role("radio").count()
    assert phone.evaluate("document.activeElement === document.body")
    phone.get_by_role("button", name="Answer all again").click()
    assert phone.locator(".quiz input:is(:disabled, :checked)").count() == 0
    phone.reload()
    assert phone.locator(".quiz input:disabled").count() == 0


def test_the_search_answers_while_one_types(phone, address):
    visit(phone, address + "search.html")
    hits = phone.locator("#search-results li a")
    phone.locator(".bd-search-container input").press_sequentially("smoothing")
    hits.first.wait_for()
    phone.wait_for_url("**/search.html?q=smoothing")
    assert "Smoothing" in hits.first.inner_text()
    hits.first.click()
    phone.wait_for_url("**/book/*.html*")
    visit(phone, address + PARTS[0])
    phone.locator(".bar .search-button-field").tap()
    phone.locator("#pst-search-dialog input").press_sequentially("smoothing")
    hits = phone.locator("#pst-search-dialog li a")
    hits.first.wait_for()
    assert hits.count() <= 6
    hits.last.click()
    phone.wait_for_url(re.compile(r"/charlm/book/\w+\.html"))
    assert "Not found" not in phone.title()
