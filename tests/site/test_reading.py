"""What a page does for its reader: quiz, margin, pauses, numbers, folded answers."""

import itertools
import re

import pytest
from visits import PAGES, opened

PARTS = [name for name in PAGES if re.match(r"book/0\d", name)]
WITH_EXERCISES = [*PARTS, "book/evaluation.html"]
ONLY_REASONS = "[...document.querySelectorAll('.quiz-reason')].filter(e => !e.hidden)"


@pytest.mark.parametrize("name", PARTS)
def test_a_quiz_locks_with_the_first_answer_and_counts(browser, address, name):
    with opened(browser, address + name) as (page, problems):
        questions = page.locator(".quiz").all()
        assert len(questions) >= 4
        right = 0
        for number, question in enumerate(questions):
            choices = question.get_by_role("radio")
            good = question.locator(".quiz-reason").evaluate_all(
                "all => all.map(e => /^\\s*Right/.test(e.textContent))"
            )
            others = question.locator(".quiz-reason").evaluate_all(
                "all => all.map(e => /^\\s*No\\b/.test(e.textContent))"
            )
            assert good.count(True) == 1 and len(good) == others.count(True) + 1
            pick = good.index(True) if number % 2 == 0 else good.index(False)
            choices.nth(pick).check()
            right += good[pick]
            assert all(choice.is_disabled() for choice in choices.all())
            shown = question.locator(".quiz-reason:visible").all_inner_texts()
            assert len(shown) == 2 - good[pick]
            assert any(text.startswith("Right") for text in shown)
        score = page.locator(".quiz-score").inner_text()
        assert score == f"{right} of {len(questions)} right."
    assert problems == []


def test_a_quiz_is_answered_by_no_arrow_key(browser, address):
    with opened(browser, address + PARTS[0]) as (page, _):
        radios = page.locator(".quiz").first.get_by_role("radio")
        radios.first.focus()
        page.keyboard.press("ArrowDown")
        assert page.evaluate(f"{ONLY_REASONS}.length") == 0
        page.keyboard.press("Space")
        assert radios.nth(1).is_checked() and page.evaluate(f"{ONLY_REASONS}.length")


def test_without_scripts_a_quiz_is_a_list_of_folds(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + PARTS[0])
    assert page.locator(".quiz details > summary").count() >= 12
    context.close()


@pytest.mark.parametrize("name", PARTS)
def test_words_stand_in_the_margin_beside_their_paragraph(browser, address, name):
    """Once each, level with the text or just below the note before, never over it."""
    with opened(browser, address + name, width=1280) as (page, _):
        notes = page.evaluate(
            """() => [...document.querySelectorAll('.margin-note')]
                .filter(e => e.checkVisibility()).map(e => {
                    const { left, right, top, bottom } = e.getBoundingClientRect()
                    const text = e.nextElementSibling.getBoundingClientRect()
                    const word = e.querySelector('strong').textContent
                    return [word, left - text.right, top - text.top, bottom, top, right]
                })"""
        )
        assert len(notes) >= 4
        words = [note[0] for note in notes]
        assert len(set(words)) == len(words)
        for _, gap, *_, right in notes:
            assert gap >= 20 and right <= 1280
        for before, after in itertools.pairwise(notes):
            assert after[4] >= before[3]  # none stands on another
        level = [abs(below) < 20 for _, _, below, *_ in notes]
        assert level.count(True) >= 0.6 * len(level)
    with opened(browser, address + name, width=1100) as (page, _):
        assert page.locator(".margin-note:visible").count() == 0


@pytest.mark.parametrize("name", PARTS)
def test_places_to_stop_say_how_much_is_left(browser, address, name):
    with opened(browser, address + name) as (page, _):
        texts = page.locator(".pause").all_inner_texts()
    left = [int(re.findall(r"about (\d+) minutes", text)[0]) for text in texts]
    assert len(left) in (2, 3) and left == sorted(left, reverse=True)
    assert all(5 <= minutes <= 100 for minutes in left)


@pytest.mark.parametrize("name", PARTS)
def test_figures_are_numbered_within_their_part(browser, address, name):
    part = int(name[6])
    with opened(browser, address + name) as (page, _):
        numbers = page.locator("figcaption .caption-number").all_text_contents()
        alike = page.evaluate(
            """() => [...document.querySelectorAll('figure')].filter(f => {
                const [alt, text] = [f.querySelector('img')?.alt,
                    f.querySelector('.caption-text')?.textContent]
                return alt && text && alt.trim() === text.trim()
            }).length"""
        )
    expected = [f"Figure {part}.{k}" for k in range(1, len(numbers) + 1)]
    assert [number.strip() for number in numbers] == expected and len(expected) >= 7
    assert alike == 0


@pytest.mark.parametrize("name", WITH_EXERCISES)
def test_no_answer_stands_open(browser, address, name):
    """Between its hints and the next exercise, all that is seen is folds."""
    with opened(browser, address + name) as (page, _):
        seen = page.evaluate(
            """() => [...document.querySelectorAll('#exercises > section')]
            .flatMap(s => {
                const parts = [...s.children]
                const first = parts.findIndex(e => /Hint 1/.test(e.textContent)
                    && e.matches('details'))
                return parts.slice(first).filter(e => e.checkVisibility()
                    && !e.matches('details') && !e.matches('.tag_hide-cell'))
                    .map(e => e.textContent.slice(0, 60))
            })"""
        )
        assert seen == []
        page.locator("#exercises details").evaluate_all(
            "all => all.forEach(e => e.open = true)"
        )
        after = "#exercises > section > .cell.tag_hide-cell ~ p"
        assert page.locator(f"{after}:visible").count() == page.locator(after).count()


DIAGRAMS = [name for name in PAGES if re.match(r"book/(0\d|architecture)", name)]
# Labels that leave their drawing, or the smallest box that they stand in.
OUTSIDE = """() => [...document.querySelectorAll('svg.diagram')].flatMap(svg => {
    const box = e => e.getBoundingClientRect()
    const [frame, rects] = [box(svg), [...svg.querySelectorAll('rect')].map(box)]
    return [...svg.querySelectorAll('text')].filter(text => {
        const { left, right, top, bottom } = box(text)
        const [x, y] = [(left + right) / 2, (top + bottom) / 2]
        const around = rects.filter(r => r.left < x && x < r.right
            && r.top < y && y < r.bottom).sort((a, b) => a.width - b.width)
        return left < frame.left - 1 || right > frame.right + 1
            || around.length && (left < around[0].left || right > around[0].right)
    }).map(text => text.textContent)
})"""


@pytest.mark.parametrize("name", DIAGRAMS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_labels_of_diagrams_fit_and_take_the_colors(browser, address, name, scheme):
    with opened(browser, address + name, scheme=scheme) as (page, _):
        assert page.evaluate(OUTSIDE) == []
        inks = page.locator("svg.diagram text").evaluate_all(
            "all => [...new Set(all.map(e => getComputedStyle(e).fill))]"
        )
        ink = {"light": "rgb(29, 32, 38)", "dark": "rgb(230, 227, 220)"}[scheme]
        assert ink in inks and "rgb(0, 0, 0)" not in inks
