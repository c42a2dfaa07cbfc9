"""The heat map in a browser: its numbers are the package's; mouse, touch and keys."""

import re

import pytest
from books import NOTEBOOK, build, write_book
from visits import opened

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
        yield page.locator("figure.living")
    assert problems == []


def exact(figure):
    """The losses that the page shows, with all their digits."""
    data = figure.locator("data")
    return [float(data.nth(i).get_attribute("value")) for i in range(data.count())]


def smooth(figure, place):
    slider = figure.get_by_role("slider", name="Smoothing")
    slider.evaluate(
        "(s, v) => (s.value = v, s.dispatchEvent(new Event('input')))", place
    )
    return slider.get_attribute("aria-valuetext")


@pytest.mark.parametrize("place", [-30, -10, 0, 7, 20])
def test_losses_are_the_package_s(figure, place):
    alpha = float(smooth(figure, place))
    model = NGram(VOCAB, 2, alpha).fit(TRAIN)
    wanted = [evaluate(model, words, VOCAB).loss for words in (TRAIN, DEV)]
    assert exact(figure) == pytest.approx(wanted, abs=1e-9)


def test_without_smoothing_the_dev_loss_is_infinite_in_words(figure):
    assert smooth(figure, -34) == "0"
    model = NGram(VOCAB, 2).fit(TRAIN)
    assert exact(figure) == pytest.approx([evaluate(model, TRAIN, VOCAB).loss])
    pairs = {pair for w in DEV for pair in zip("." + w, w + ".", strict=True)}
    unseen = sum(
        model.probs(a if a != "." else "")[VOCAB.labels.index(b)] == 0 for a, b in pairs
    )
    assert f"on dev infinite: {unseen} pairs" in figure.inner_text()


def test_bars_are_the_chosen_row(figure):
    figure.get_by_role("combobox", name="Row").select_option("q")
    heights = figure.locator(".living-bar").evaluate_all(
        "bars => bars.map(bar => +bar.getAttribute('height'))"
    )
    wanted = NGram(VOCAB, 2, 1).fit(TRAIN).probs("q")
    assert [h / sum(heights) for h in heights] == pytest.approx(wanted.tolist())


def test_the_sentence_about_the_row_follows_the_smoothing(figure):
    figure.get_by_role("combobox", name="Row").select_option("q")
    for place in (0, 20, -34):
        alpha = float(smooth(figure, place))
        u = NGram(VOCAB, 2, alpha).fit(TRAIN).probs("q")[VOCAB.ids["u"]]
        said = figure.locator(".living-status").first.inner_text()
        assert said.startswith(f"Most likely after q: u {u:.3f}")


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
    button = figure.get_by_role("button", name="Draw")
    for _ in stream:
        button.click()
    *ended, begun = text.split(".")
    shown = figure.locator(".living-names").inner_text().split()
    assert shown == [f"{name}." for name in ended[-5:]] + [f"{begun}…"]
    assert f"The row of {VOCAB.labels[row]} is chosen" in label(figure)


def label(figure):
    return figure.get_by_role("img", name="probabilities").get_attribute("aria-label")


def test_rows_by_mouse_touch_and_keyboard(browser, url):
    context = browser.new_context(
        has_touch=True, viewport={"width": 390, "height": 900}
    )
    page = context.new_page()
    page.goto(url)
    figure = page.locator("figure.living")
    rows = figure.locator(".living-table-row")
    rows.nth(17).click()
    assert "The row of q is chosen" in label(figure)
    rows.nth(13).tap()
    assert "The row of m is chosen" in label(figure)
    figure.get_by_role("button", name="Draw").tap()
    assert "After m came" in figure.locator(".living-status").first.inner_text()
    figure.get_by_role("combobox", name="Row").select_option("z")
    figure.get_by_role("group", name="Table").focus()
    page.keyboard.press("ArrowDown")
    assert "The row of the boundary is chosen" in label(figure)
    page.keyboard.press("ArrowUp")
    assert "The row of z is chosen" in label(figure)
    figure.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
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
        assert min(size for size in sizes if size > 1) >= (12 if width > 360 else 11)
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
