"""The tug of war in a browser: softmax, its gradient and its descent are PyTorch's."""

import re

import pytest
import torch
from books import NOTEBOOK, build, write_book
from visits import opened, settle

from charlm.counts import NGram
from charlm.data import load_words
from charlm.vocab import Vocabulary

PAGE = (
    NOTEBOOK
    + """# A

```{code-cell}
:tags: [remove-cell]
from myst_nb import glue
from charlm.counts import NGram
from charlm.data import load_words
from charlm.book.living import as_json
from charlm.vocab import Vocabulary

words = load_words()
vocab = Vocabulary.from_words(words)
counts = NGram(vocab, 2).fit(words).counts().tolist()
row = {"row": vocab.ids["a"], "at": vocab.ids["u"], "logit": 2.5}
data = {"labels": vocab.labels, "counts": counts} | row
glue("tug", as_json(data), display=False)
```

```{living} tug-of-war
:data: tug
The still picture.
```
"""
)
WORDS = load_words()
VOCAB = Vocabulary.from_words(WORDS)
SHARES = NGram(VOCAB, 2).fit(WORDS).counts().double()
SHARES /= SHARES.sum(dim=1, keepdim=True)
SHARE = SHARES[VOCAB.ids["a"]]
U = VOCAB.ids["u"]


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folder = write_book(tmp_path_factory.mktemp("tug"), {"index": PAGE})
    status, log = build(folder)
    assert status == 0, log
    return (folder / "_build" / "html" / "index.html").as_uri()


@pytest.fixture
def figure(browser, url):
    with opened(browser, url) as (page, problems):
        settle(page)
        yield page.locator("figure.living")
    assert problems == []


def numbers(figure):
    """p, its share of the counts, its gradient; the loss, how far above, the floor."""
    settle(figure.page)
    data = figure.locator("data").evaluate_all("all => all.map(d => +d.value)")
    return torch.tensor(data, dtype=torch.float64)


def heights(figure, kind):
    settle(figure.page)
    found = figure.locator(f"rect.tug-{kind}").evaluate_all(
        "bars => bars.map(bar => +bar.getAttribute('height'))"
    )
    return torch.tensor(found, dtype=torch.float64)


def raised(logit):
    z = torch.zeros(27, dtype=torch.float64)
    z[U] = logit
    return z


def loss_of(z):
    return -(SHARE * torch.log_softmax(z, 0)).nan_to_num(0).sum()


def test_the_numbers_and_the_bars_are_those_of_softmax(figure):
    z = raised(2.5)
    p = torch.softmax(z, dim=0)
    floor = torch.special.entr(SHARE).sum()
    loss = loss_of(z)
    wanted = [p[U], SHARE[U], p[U] - SHARE[U], loss, loss - floor, floor]
    assert torch.allclose(numbers(figure), torch.stack(wanted))
    bars = heights(figure, "model")
    assert torch.allclose(bars / bars.sum(), p)
    assert torch.allclose(heights(figure, "counted") / bars.sum(), SHARE)


def test_one_logit_rises_and_all_other_bars_fall(figure):
    bars = heights(figure, "model")
    before = bars / bars.sum()
    figure.get_by_role("slider", name="Logit of u").fill("3")
    bars = heights(figure, "model")
    after = bars / bars.sum()
    assert after[U] > before[U]
    assert (after < before).sum() == 26


def test_each_arrow_leads_from_the_bar_to_its_count(figure):
    top, foot = heights(figure, "counted"), heights(figure, "model")
    arrows = figure.locator(".tug-arrow").evaluate_all(
        "all => all.map(a => a.getAttribute('d'))"
    )
    spans = [re.match(r"M[\d.]+ ([\d.]+)V([\d.]+)", arrow) for arrow in arrows]
    drawn = {j: span.groups() for j, span in enumerate(spans) if span}
    assert [*drawn] == ((top - foot).abs() >= 5).nonzero().flatten().tolist()
    for j, ends in drawn.items():
        start, end = map(float, ends)
        assert start - end == pytest.approx((top - foot)[j].item())


def test_steps_are_gradient_descent_s(figure):
    z = raised(2.5).requires_grad_()
    for _ in range(3):
        figure.get_by_role("button", name="One step").click()
        (gradient,) = torch.autograd.grad(loss_of(z), z)
        z = (z - 4 * gradient).detach().requires_grad_()
    assert numbers(figure)[3].item() == pytest.approx(loss_of(z).item())
    assert "Step 3:" in figure.inner_text()


@pytest.mark.parametrize("row", ["a", "q"])
def test_the_run_ends_on_the_counts(browser, url, row):
    with opened(browser, url) as (page, problems):
        page.emulate_media(reduced_motion="reduce")  # then it runs at once
        figure = page.locator("figure.living")
        figure.get_by_role("combobox", name="After").select_option(row)
        figure.get_by_role("button", name="Run").click()
        assert 0 < numbers(figure)[4] < 0.006
        bars, counted = heights(figure, "model"), heights(figure, "counted")
        assert torch.allclose(bars / bars.sum(), counted / counted.sum(), atol=0.004)
    assert problems == []


def test_a_run_moves_and_can_be_paused(figure):
    figure.get_by_role("button", name="Run").click()
    figure.get_by_text(re.compile(r"Step [5-9]|Step \d\d")).wait_for()
    figure.get_by_role("button", name="Pause").click()
    told = figure.inner_text()
    figure.page.wait_for_timeout(200)
    assert figure.inner_text() == told


def logit(figure, letter):
    settle(figure.page)
    return float(figure.get_by_role("slider", name=f"Logit of {letter}").input_value())


def test_logits_are_dragged(browser, url):
    with opened(browser, url, width=390) as (page, problems):
        figure = page.locator("figure.living")
        figure.scroll_into_view_if_needed()
        settle(page)
        knob = figure.locator(".tug-knob").nth(VOCAB.ids["n"]).bounding_box()
        x, y = knob["x"] + knob["width"] / 2, knob["y"] + knob["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x, y - 20)
        page.mouse.up()
        there = logit(figure, "n")
        assert there > 1
        page.mouse.move(x, y + 20)  # nothing is held any more
        assert logit(figure, "n") == there
        slider = figure.get_by_role("slider", name="Logit of n")
        slider.focus()
        page.keyboard.press("ArrowLeft")
        assert logit(figure, "n") == pytest.approx(there - 0.1, abs=0.06)
        figure.get_by_role("button", name="All logits 0").click()
        assert logit(figure, "n") == 0
    assert problems == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 390, 1280])
def test_it_fits_and_can_be_read(browser, url, scheme, width):
    with opened(browser, url, scheme=scheme, width=width) as (page, problems):
        figure = page.locator("figure.living")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        sizes = figure.locator("svg text").evaluate_all(
            """texts => texts.map(t => parseFloat(getComputedStyle(t).fontSize)
                * t.getScreenCTM().a)"""
        )
        assert min(sizes) >= (11.5 if width > 360 else 10.5)
        for control in figure.locator(":is(button, select, input)").all():
            assert control.bounding_box()["height"] >= 24
        if width == 1280:
            assert figure.bounding_box()["height"] <= 720
            assert figure.bounding_box()["width"] == 992
    assert problems == []
