"""The receptive field: its counts are those of the drawn graph and of the real nets."""

from contextlib import contextmanager

import pytest
import torch
from books import build, write_book
from visits import opened, settle

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
        settle(page)
        yield page
    assert problems == []


def net(page, view):
    """One of the two nets, side by side: its picture, slider and lines."""
    settle(page)
    return page.locator(".receptive-net").nth([*JOINS].index(view))


def drawn(net, kind):
    marks = net.locator(f'[data-kind="{kind}"]')
    keys = marks.evaluate_all("all => all.map(e => e.dataset.join)")
    assert len(keys) == len(set(keys))
    return {tuple(map(int, key.split(","))) for key in keys}


def said(net):
    return " ".join(net.locator(".living-status").all_inner_texts())


@pytest.mark.parametrize("name", NAMES)
def test_what_is_new_and_what_is_kept_at_each_window(page, name):
    made = dict.fromkeys(JOINS, 0)
    page.get_by_role("radio", name=name).check()
    page.get_by_role("slider", name="Window").fill("1")
    for at in range(len(name) + 1):
        for view, joins in JOINS.items():
            shown, earlier = net(page, view), joins(at - 1) if at else set()
            assert drawn(shown, "new") == joins(at) - earlier
            assert drawn(shown, "kept") == joins(at) & earlier
            made[view] += len(joins(at) - earlier)
            assert f"Made so far: {made[view]}." in said(shown)
        slide = page.get_by_role("button", name="Slide by one")
        ended = at == len(name)
        assert slide.get_attribute("aria-disabled") == str(ended).lower()
        if not ended:
            slide.click()


def test_at_the_end_the_button_keeps_the_focus(page):
    slide = page.get_by_role("button", name="Slide by one")
    slide.focus()
    for _ in range(4):
        page.keyboard.press("Enter")
    assert slide.get_attribute("aria-disabled") == "true"
    assert slide.evaluate("button => button === document.activeElement")
    window = page.get_by_role("slider", name="Window")
    assert window.get_attribute("aria-valuetext") == "5 of 5"


def test_it_opens_with_what_sliding_costs_each_net(page):
    shown = net(page, "tree")
    assert "7 joins (4 + 2 + 1), all new" in said(shown)
    assert len(drawn(shown, "new")) == 7 and drawn(shown, "kept") == set()
    shown = net(page, "convolution")
    assert "13 joins: 10 kept, only 3 new" in said(shown)
    assert len(drawn(shown, "new")) == 3 and len(drawn(shown, "kept")) == 10


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
    page.get_by_role("slider", name="Window").fill(str(len(name) + 1))
    for view, count in [("tree", one_by_one), ("convolution", at_once)]:
        assert f"Made so far: {count}." in said(net(page, view))


@pytest.mark.parametrize("view", JOINS)
def test_each_circle_shows_what_it_sees(page, view):
    """Clicked one after the other, in the third window of `emma`."""
    shown, letters = net(page, view), "." * BLOCK + "emma"
    for level, end in JOINS[view](2):
        shown.locator(f'[data-join="{level},{end}"] .receptive-target').click()
        settle(page)
        seen = shown.locator(".receptive-seen text").all_text_contents()
        assert "".join(seen) == letters[end - 2**level + 1 : end + 1]
        assert f"sees the {2**level} characters “{' '.join(seen)}”" in said(shown)
        assert shown.locator(".receptive-cone").count() == 2 * (2**level - 1)
        own = len(under(level, end) - JOINS[view](1))
        said_new = {2**level - 1: "all", 0: "none"}.get(own, str(own))
        assert level == 1 or f"lead to it, {said_new} " in said(shown)


def test_it_works_by_keyboard(page):
    page.get_by_role("slider", name="Window").focus()
    page.keyboard.press("ArrowRight")
    assert "Made so far: 28." in said(net(page, "tree"))
    circle = page.get_by_role("slider", name="Circle of the convolution")
    circle.focus()
    page.keyboard.press("Home")
    assert "on level 1" in said(net(page, "convolution"))
    assert "on level 3" in said(net(page, "tree"))
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
        page.get_by_role("button", name="Slide by one").tap()
        shown = net(page, "convolution")
        shown.locator('[data-join="1,4"] .receptive-target').tap()
        assert "on level 1" in said(net(page, "convolution"))
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        sizes = page.locator(
            "figure.living :is(.receptive-target, button, label:has(:checked))"
        ).evaluate_all(
            "all => all.map(e => e.getBoundingClientRect())"
            ".map(box => Math.min(box.width, box.height))"
        )
        assert min(sizes) >= 24
        scale = page.locator("svg.receptive-picture").first.evaluate(
            "e => e.getScreenCTM().a"
        )
        assert 15 * scale >= 12


def test_it_says_what_is_seen(page):
    picture = page.get_by_role("img", name="The tree over")
    assert "7 joins (4 + 2 + 1), all new" in picture.get_attribute("aria-label")
    assert page.get_by_role("img", name="The convolution over").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_letters_and_marks_stand_out(browser, book, scheme):
    """New and kept differ in shape, and each stands out from the page."""
    with phone(browser, book, color_scheme=scheme, reduced_motion="reduce") as page:
        settle(page)
        page = net(page, "convolution")
        paths = page.locator('[data-kind="new"] .receptive-new > path').count()
        dots = page.locator('[data-kind="kept"] .receptive-dot').count()
        assert (paths, dots) == (3, 10)
        background, *colors = page.evaluate(
            """net => {
                const one = (css, what) =>
                    getComputedStyle(net.querySelector(css) ?? document.body)[what]
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
