"""The receptive field: its counts are those of the drawn graph and of the real nets."""

from contextlib import contextmanager

import pytest
import torch
from books import build, write_book
from visits import opened

from charlm.models import CausalConv, WaveNet

PAGE = """# A

```{living} receptive-field
The still picture of a tree.
```
"""
BLOCK, NAMES = 8, ("emma", "noah", "ava")


def under(level, end):
    """All joins that lead to the one on `level` that ends at `end`, itself included."""
    if level == 0:
        return set()
    before = under(level - 1, end - 2 ** (level - 1))
    return before | under(level - 1, end) | {(level, end)}


def tree(at):
    return under(3, at + BLOCK - 1)


def convolution(at):
    """Every join whose two ends lie in the window: 7, 5 and 1."""
    return {
        (level, end)
        for level in (1, 2, 3)
        for end in range(at, at + BLOCK)
        if end - 2**level + 1 >= at
    }


JOINS = {"tree": tree, "convolution": convolution}


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    folder = write_book(tmp_path_factory.mktemp("receptive"), {"index": PAGE})
    status, log = build(folder)
    assert status == 0, log
    return (folder / "_build" / "html" / "index.html").as_uri()


@pytest.fixture
def page(book, browser):
    with opened(browser, book) as (page, problems):
        yield page
    assert problems == []


def drawn(page, kind):
    marks = page.locator(f'figure.living [data-kind="{kind}"]')
    keys = marks.evaluate_all("all => all.map(e => e.dataset.join)")
    assert len(keys) == len(set(keys))
    return {tuple(map(int, key.split(","))) for key in keys}


def said(page):
    return " ".join(page.get_by_role("status").all_inner_texts())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("view", JOINS)
def test_what_is_new_and_what_is_kept_at_each_window(page, view, name):
    joins, made = JOINS[view], 0
    page.get_by_role("radio", name=view).check()
    page.get_by_role("radio", name=name).check()
    for at in range(len(name) + 1):
        earlier = joins(at - 1) if at else set()
        assert drawn(page, "new") == joins(at) - earlier
        assert drawn(page, "kept") == joins(at) & earlier
        made += len(joins(at) - earlier)
        assert f"Made so far: {made}." in said(page)
        assert f"Window {at + 1} of {len(name) + 1}" in said(page)
        slide = page.get_by_role("button", name="Slide by one")
        if at < len(name):
            slide.click()
    assert slide.is_disabled()


def test_sliding_costs_the_tree_seven_and_the_convolution_three(page):
    page.get_by_role("button", name="Slide by one").click()
    assert "7 joins (4 + 2 + 1), all new" in said(page)
    assert len(drawn(page, "new")) == 7 and drawn(page, "kept") == set()
    page.get_by_role("radio", name="convolution").check()
    assert "of 13 joins, 10 are kept" in said(page) and "only 3 are new" in said(page)
    assert len(drawn(page, "new")) == 3 and len(drawn(page, "kept")) == 10


@torch.no_grad()
def places(net, run, row):
    """How many rows the matrices of the three levels multiply: their joins."""
    counts = []
    levels = [m for m in net.modules() if isinstance(m, torch.nn.Linear)][:3]
    hooks = [
        level.register_forward_hook(
            lambda m, i, out: counts.append(out[..., 0].numel())
        )
        for level in levels
    ]
    run(row)
    for hook in hooks:
        hook.remove()
    return sum(counts)


@pytest.mark.parametrize("name", NAMES)
def test_the_nets_of_the_chapter_multiply_as_often(page, name):
    row = torch.zeros(1, BLOCK + len(name), dtype=torch.long)
    tree_net, conv_net = WaveNet(27).eval(), CausalConv(27).eval()
    one_by_one = places(tree_net, tree_net, row.unfold(1, BLOCK, 1)[0])
    at_once = places(conv_net, conv_net.all_places, row)
    page.get_by_role("radio", name=name).check()
    for view, count in [("tree", one_by_one), ("convolution", at_once)]:
        page.get_by_role("radio", name=view).check()
        page.get_by_role("slider", name="Window").fill(str(len(name) + 1))
        assert f"Made so far: {count}." in said(page)


@pytest.mark.parametrize("view", JOINS)
def test_each_circle_shows_what_it_sees(page, view):
    """Clicked one after the other, in the third window of `emma`."""
    page.get_by_role("radio", name=view).check()
    page.get_by_role("slider", name="Window").fill("3")
    letters = "." * BLOCK + "emma"
    for level, end in JOINS[view](2):
        page.locator(f'[data-join="{level},{end}"] .receptive-target').click()
        seen = page.locator(".receptive-seen text").all_text_contents()
        assert "".join(seen) == letters[end - 2**level + 1 : end + 1]
        assert f"sees the {2**level} characters “{' '.join(seen)}”" in said(page)
        assert page.locator(".receptive-cone").count() == 2 * (2**level - 1)
        own = len(under(level, end) - JOINS[view](1))
        said_new = {2**level - 1: "all", 0: "none"}.get(own, str(own))
        assert level == 1 or f"lead to it, {said_new} " in said(page)


def test_it_works_by_keyboard(page):
    page.get_by_role("radio", name="tree").focus()
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("radio", name="convolution").is_checked()
    page.get_by_role("slider", name="Window").focus()
    page.keyboard.press("ArrowRight")
    assert "Window 2 of 5" in said(page)
    circle = page.get_by_role("slider", name="Circle")
    circle.focus()
    page.keyboard.press("Home")
    assert "on level 1" in said(page)
    assert circle.get_attribute("aria-valuetext") == "1, level 1"


@contextmanager
def phone(browser, url, **options):
    context = browser.new_context(
        viewport={"width": 360, "height": 800}, has_touch=True, **options
    )
    page = context.new_page()
    page.goto(url)
    yield page
    context.close()


def test_it_works_by_touch_and_fits_a_phone(browser, book):
    with phone(browser, book) as page:
        page.get_by_text("convolution", exact=True).tap()
        page.get_by_role("button", name="Slide by one").tap()
        page.locator('[data-join="1,4"] .receptive-target').tap()
        assert "on level 1" in said(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        sizes = page.locator(
            "figure.living :is(.receptive-target, button, label:has(:checked))"
        ).evaluate_all(
            "all => all.map(e => e.getBoundingClientRect())"
            ".map(box => Math.min(box.width, box.height))"
        )
        assert min(sizes) >= 24
        scale = page.locator("svg.receptive-picture").evaluate(
            "e => e.getScreenCTM().a"
        )
        assert 15 * scale >= 12


def test_it_says_what_is_seen(page):
    picture = page.get_by_role("img", name="The tree over")
    assert "Window 1 of 5" in picture.get_attribute("aria-label")
    page.get_by_role("radio", name="convolution").check()
    assert page.get_by_role("img", name="The convolution over").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_letters_and_marks_stand_out(browser, book, scheme):
    """New and kept differ in shape, and each stands out from the page."""
    with phone(browser, book, color_scheme=scheme, reduced_motion="reduce") as page:
        page.get_by_text("convolution", exact=True).tap()
        page.get_by_role("button", name="Slide by one").tap()
        paths = page.locator('[data-kind="new"] .receptive-new > path').count()
        dots = page.locator('[data-kind="kept"] .receptive-dot').count()
        assert (paths, dots) == (3, 10)
        background, *colors = page.evaluate(
            """() => {
                const one = (css, what) =>
                    getComputedStyle(document.querySelector(css))[what]
                return [one('body', 'backgroundColor'),
                        one('.receptive-new > circle', 'fill'),
                        one('.receptive-kept > circle', 'stroke'),
                        one('.receptive-cell text', 'fill')]
            }"""
        )
        assert all(contrast(background, color) >= 3 for color in colors)


def contrast(one, other):
    def light(color):
        parts = [int(x) / 255 for x in color[4:-1].split(",")]
        linear = [
            x / 12.92 if x <= 0.04 else ((x + 0.055) / 1.055) ** 2.4 for x in parts
        ]
        return sum(w * x for w, x in zip((0.2126, 0.7152, 0.0722), linear))

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


def test_without_scripts_the_still_is_there(browser, book):
    with phone(browser, book, java_script_enabled=False) as page:
        assert page.get_by_text("The still picture of a tree.").is_visible()
