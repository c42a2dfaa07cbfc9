"""The heat map in a browser: its numbers are the package's; mouse, touch and keys."""

import math
import re
from itertools import pairwise

import pytest
from books import NOTEBOOK, build, write_book
from visits import draw, opened, settle

from charlm.counts import NGram
from charlm.data import load_words, split_words
from charlm.evaluate import evaluate
from charlm.vocab import Vocabulary

PAGE = (
    NOTEBOOK
    + """# A

```{code-cell}
:tags: [remove-cell]
from myst_nb import glue
from charlm.counts import NGram
from charlm.data import load_words, split_words
from charlm.book.living import as_json
from charlm.vocab import Vocabulary

words = load_words()
vocab = Vocabulary.from_words(words)
train, dev, _ = split_words(words)
tables = {"train": train, "dev": dev}
glue("heat", as_json({"labels": vocab.labels} | {
    key: NGram(vocab, 2).fit(names).counts().tolist()
    for key, names in tables.items()}), display=False)
```

```{living} heat-map
:data: heat
The still picture.
```
"""
)

WORDS = load_words()
VOCAB = Vocabulary.from_words(WORDS)
TRAIN, DEV, _ = split_words(WORDS)


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folder = write_book(tmp_path_factory.mktemp("heat"), {"index": PAGE})
    status, log = build(folder)
    assert status == 0, log
    return (folder / "_build" / "html" / "index.html").as_uri()


@pytest.fixture
def figure(browser, url):
    with opened(browser, url) as (page, problems):
        settle(page)
        yield page.locator("figure.living")
    assert problems == []


def exact(figure):
    """What the page shows, with all its digits: the name's surprise, and two losses."""
    return figure.locator("data").evaluate_all("all => all.map(d => +d.value)")


def smooth(figure, place):
    slider = figure.get_by_role("slider", name="Smoothing")
    slider.evaluate(
        "(s, v) => (s.value = v, s.dispatchEvent(new Event('input')))", place
    )
    settle(figure.page)
    return slider.get_attribute("aria-valuetext")


@pytest.mark.parametrize("place", [-30, -10, 0, 7, 20])
def test_losses_are_the_package_s(figure, place):
    alpha = float(smooth(figure, place))
    model = NGram(VOCAB, 2, alpha).fit(TRAIN)
    wanted = [evaluate(model, words, VOCAB).loss for words in (TRAIN, DEV)]
    assert exact(figure)[1:] == pytest.approx(wanted, abs=1e-9)


def test_without_smoothing_the_dev_loss_is_infinite_in_words(figure):
    assert smooth(figure, -34) == "0"
    model = NGram(VOCAB, 2).fit(TRAIN)
    assert exact(figure)[1] == pytest.approx(evaluate(model, TRAIN, VOCAB).loss)
    pairs = {pair for w in DEV for pair in zip("." + w, w + ".", strict=True)}
    unseen = sum(
        model.probs(a if a != "." else "")[VOCAB.labels.index(b)] == 0 for a, b in pairs
    )
    assert f"on dev infinite: {unseen} pairs" in figure.inner_text()


def test_bars_are_the_chosen_row(figure):
    figure.get_by_role("combobox", name="Row").select_option("j")
    settle(figure.page)
    heights = figure.locator(".living-bar").evaluate_all(
        "bars => bars.map(bar => +bar.getAttribute('height'))"
    )
    wanted = NGram(VOCAB, 2, 1).fit(TRAIN).probs("j")
    assert [h / sum(heights) for h in heights] == pytest.approx(wanted.tolist())


def test_the_sentence_about_the_row_follows_the_smoothing(figure):
    figure.get_by_role("combobox", name="Row").select_option("q")
    for place in (0, 20, -34):
        alpha = float(smooth(figure, place))
        u = NGram(VOCAB, 2, alpha).fit(TRAIN).probs("q")[VOCAB.ids["u"]]
        assert f"Most likely after q: u {u:.3f}" in figure.inner_text()


@pytest.mark.parametrize("name", ["christopher", "Zoë", "qxz", ""])
@pytest.mark.parametrize("place", [0, -34])
def test_a_name_is_a_path_that_glows_by_its_surprise(figure, name, place):
    alpha = float(smooth(figure, place))
    model = NGram(VOCAB, 2, alpha).fit(TRAIN)
    figure.get_by_role("textbox", name="A name").fill(name)
    settle(figure.page)
    letters = name.lower().replace("ë", "e")
    pairs = list(pairwise("." + letters + "."))
    p = [model.probs(a.strip("."))[VOCAB.labels.index(b)].item() for a, b in pairs]
    surprises = [-math.log(p_k) if p_k else math.inf for p_k in p]
    cells = figure.locator(".living-glow rect").evaluate_all(
        "all => all.map(c => ['x', 'y', 'fill-opacity'].map(k => +c.getAttribute(k)))"
    )
    columns = [round((x + 1 - 40) / 18) for x, _, _ in cells]
    rows = [round((y + 1 - 44) / 18.4) for _, y, _ in cells]
    path = [VOCAB.labels.index(a) for a, _ in pairs]
    assert rows == path and columns == [*path[1:], 0]
    glows = [glow for _, _, glow in cells]
    assert glows == pytest.approx([min(1, s / 6) for s in surprises], abs=0.0051)
    if math.inf in surprises:
        assert "infinite nats per character" in figure.inner_text()
        assert "which never occurs in train" in figure.inner_text()
    else:
        assert exact(figure)[0] == pytest.approx(sum(surprises) / len(pairs))


def test_cells_are_read_by_pointer_and_by_keys(figure):
    model = NGram(VOCAB, 2, 1).fit(TRAIN)
    counts = NGram(VOCAB, 2).fit(TRAIN).counts()
    q, u = VOCAB.ids["q"], VOCAB.ids["u"]
    figure.locator(".living-cell").nth(27 * q + u).hover()
    settle(figure.page)
    p = model.probs("q")[u].item()
    told = f"q → u: {p:.4f}, {counts[q, u]} times in train; "
    told += f"surprise {-math.log(p):.2f} nats"
    assert figure.locator(".living-read").inner_text() == told
    figure.get_by_role("group", name="Table").focus()
    figure.page.keyboard.press("ArrowRight")
    figure.page.keyboard.press("ArrowRight")
    figure.page.keyboard.press("ArrowDown")
    settle(figure.page)
    read = figure.locator(".living-read").inner_text()
    assert read.startswith(f"r → a: {model.probs('r')[1].item():.4f}, ")


def test_drawing_follows_the_row_and_writes_names(figure):
    """The letters drawn are the inverse CDF of the page's own random numbers."""
    P = [
        NGram(VOCAB, 2, 1).fit(TRAIN).probs(label.strip(".")) for label in VOCAB.labels
    ]
    stream = figure.page.evaluate(
        "() => { const u = charlm.random(42); return Array.from({ length: 40 }, u) }"
    )
    row, text = 0, ""
    for u in stream:
        row = int((P[row].cumsum(0) <= u).sum())
        text += VOCAB.labels[row]
    figure.get_by_role("combobox", name="Row").select_option("0")
    button = figure.get_by_role("button", name="Draw")
    for _ in stream:
        button.click()
    *ended, begun = text.split(".")
    settle(figure.page)
    shown = figure.locator(".living-drawn").inner_text().split()
    assert shown == [f"{name}." for name in ended[-5:]] + [f"{begun}…"]
    assert f"The row of {VOCAB.labels[row]} is chosen" in label(figure)


def label(figure):
    settle(figure.page)
    return figure.get_by_role("img", name="probabilities of the next").get_attribute(
        "aria-label"
    )


def test_rows_by_mouse_touch_and_keyboard(browser, url):
    context = browser.new_context(
        has_touch=True, viewport={"width": 390, "height": 900}
    )
    page = context.new_page()
    page.goto(url)
    draw(page)
    figure = page.locator("figure.living")
    cells = figure.locator(".living-cell")
    cells.nth(27 * 17 + 3).click()
    assert "The row of q is chosen" in label(figure)
    cells.nth(27 * 13 + 1).tap()
    assert "The row of m is chosen" in label(figure)
    assert "m → a: " in figure.locator(".living-read").inner_text()
    figure.get_by_role("button", name="Draw").tap()
    settle(page)
    assert "After m came" in figure.inner_text()
    figure.get_by_role("combobox", name="Row").select_option("z")
    figure.get_by_role("group", name="Table").focus()
    page.keyboard.press("ArrowDown")
    assert "The row of the boundary is chosen" in label(figure)
    page.keyboard.press("ArrowUp")
    assert "The row of z is chosen" in label(figure)
    figure.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    settle(page)
    assert "With α = 1.3" in figure.inner_text()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 390, 1280])
def test_it_fits_and_can_be_read(browser, url, scheme, width):
    with opened(browser, url, scheme=scheme, width=width) as (page, problems):
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        sizes = page.locator("figure.living svg text").evaluate_all(
            """texts => texts.map(t => parseFloat(getComputedStyle(t).fontSize)
                * t.getScreenCTM().a || Infinity)"""
        )
        assert min(size for size in sizes if size > 1) >= (
            11.5 if width > 360 else 10.5
        )
        if width == 1280:
            assert page.locator("figure.living").bounding_box()["height"] <= 720
        for control in page.locator("figure.living :is(button, select, input)").all():
            assert control.bounding_box()["height"] >= 24
        ink = page.locator("figure.living svg text").first.evaluate(
            "t => getComputedStyle(t).fill"
        )
        bright = sum(map(int, re.findall(r"\d+", ink)[:3])) > 380
    assert bright == (scheme == "dark") and problems == []


def test_without_scripts_the_still_is_there(browser, url):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(url)
    assert page.get_by_text("The still picture.").is_visible()
    context.close()
