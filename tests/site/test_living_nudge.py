"""The figure `nudge`: the chapter's weight, with the loss and the slopes of PyTorch."""

import json
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from warnings import catch_warnings, simplefilter

import pytest
import torch
from bookext.fingerprint import cells
from books import NOTEBOOK, ROOT, build, write_book
from visits import draw, opened

PAGE = (
    NOTEBOOK
    + """# A

```{code-cell}
:tags: [remove-cell]
import json
from myst_nb import glue
from charlm.book.living import as_json
glue("nudge", as_json(json.load(open("nudge.json"))), display=False)
```

```{living} nudge
:data: nudge
The still picture.
```
"""
)
CHAPTER = (ROOT / "book" / "04_backprop.md").read_text(encoding="utf-8")
DATA = 'JSON.parse(document.querySelector("figure.living script").textContent)'


@pytest.fixture(scope="module")
def chapter():
    """What the chapter's cells define, up to the one that publishes the weight."""
    published: dict[str, Any] = {}
    names = {
        "note": published.__setitem__,
        "print": lambda *args: None,
        "expect": lambda *args, **band: None,
    }
    with torch.enable_grad(), catch_warnings():
        simplefilter("ignore")  # what matplotlib says of tensors
        for source in cells(CHAPTER):
            if "matplotlib_inline" in source or "IPython" in source:
                continue
            exec(source, names)
            if "nudge" in published:
                break
    return SimpleNamespace(**names, data=json.loads(published["nudge"].content))


@pytest.fixture(scope="module")
def url(tmp_path_factory, chapter):
    folder = write_book(tmp_path_factory.mktemp("nudge"), {"index": PAGE})
    (folder / "nudge.json").write_text(json.dumps(chapter.data))
    status, log = build(folder)
    assert status == 0, log
    return (folder / "_build" / "html" / "index.html").as_uri()


@contextmanager
def tried(browser, url, **options):
    """The page, in a context of its own where that has options."""
    if not options:
        with opened(browser, url) as (page, _):
            yield page
        return
    context = browser.new_context(**options)
    page = context.new_page()
    page.goto(url)
    if options.get("java_script_enabled", True):
        draw(page)
    yield page
    context.close()


def shown(page):
    """What the figure shows, once it has drawn."""
    page.wait_for_timeout(60)
    return page.evaluate("document.querySelector('.living-place').shown")


def nudge_by(page, k):
    """Choose the nudge 10 ** (-k / 3)."""
    page.get_by_label("Nudge ε").fill(str(-k))
    return shown(page)


def status(page):
    return page.locator("p[role=status]").inner_text()


@pytest.mark.parametrize("weight", [-2.0, -0.31, 0.030906995195625134, 1.5])
def test_loss_and_gradient_are_those_of_pytorch(browser, url, chapter, weight):
    with tried(browser, url) as page:
        loss, gradient = page.evaluate(
            f"""w => [nudge.loss({DATA}, w, nudge.round.float64),
                      nudge.gradient({DATA}, w)]""",
            weight,
        )
    P = {k: p.detach().clone() for k, p in chapter.parameters.items()}
    P["W1"][3, 5] = weight
    exact, grads, _ = chapter.backprop.mlp_gradients(
        P, chapter.x, chapter.y, correction=1
    )
    assert loss == pytest.approx(exact.item(), rel=1e-8)
    assert gradient == pytest.approx(grads["W1"][3, 5].item(), rel=1e-5)


def test_it_opens_on_the_chapter_s_weight_with_a_nudge_too_large(browser, url, chapter):
    with tried(browser, url) as page:
        first = shown(page)
        assert first["weight"] == chapter.W1[3, 5].item() and first["size"] == 1
        assert first["exact"] == pytest.approx(chapter.dW1[3, 5].item(), rel=1e-6)
        assert abs(first["slope"] / first["exact"] - 1) > 0.5
        assert "A large nudge" in status(page)
        page.get_by_role("radio", name="float64").check()
        for k in (6, 12, 15):
            ours = nudge_by(page, k)["slope"]
            theirs = chapter.nudged(10 ** (-k / 3), torch.float64)
            assert ours == pytest.approx(theirs, abs=1e-8)
        assert "Near the best nudge of float64" in status(page)


def test_large_is_wrong_and_small_is_rounding(browser, url):
    with tried(browser, url) as page:
        gaps = {}
        for kind in ("float32", "float64"):
            page.get_by_role("radio", name=kind).check()
            for k in range(37):
                now = nudge_by(page, k)
                gaps[kind, k] = abs(now["slope"] / now["exact"] - 1)
        best = {
            kind: min(range(37), key=lambda k: gaps[kind, k])
            for kind in ("float32", "float64")
        }
        assert 0 < best["float32"] < best["float64"] < 25
        assert gaps["float32", best["float32"]] < 0.05
        assert gaps["float64", best["float64"]] < 1e-7
        assert max(gaps["float32", k] for k in range(12, 20)) > 0.5
        page.get_by_role("radio", name="float32").check()
        nudge_by(page, 15)
        assert "A small nudge" in status(page)
        assert nudge_by(page, 36)["slope"] == 0 and "rounded away" in status(page)
        now = nudge_by(page, 24)  # the weight has moved, but no digit of the loss
        assert torch.tensor(now["weight"]) != torch.tensor(now["weight"] + 1e-8)
        assert now["slope"] == 0 and status(page).startswith("The change of the loss")


def test_the_table_and_the_lines_show_the_slopes(browser, url):
    """The drawn tangent and secant have the slopes of the two numbers."""
    with tried(browser, url) as page:
        now = shown(page)
        cells = page.locator(".nudge-numbers td").all_inner_texts()
        slopes = page.evaluate(
            """() => ['tangent', 'secant'].map(name => {
                const line = document.querySelector(`.nudge-plot .nudge-${name}`)
                const [, x0, y0, x1, y1] = line.getAttribute('d').split(/[ML ]/)
                return (y1 - y0) / (x1 - x0)
            })"""
        )
    found = [float(cell.replace("−", "-")) for cell in cells]
    expected = [now["exact"], now["slope"], now["slope"] - now["exact"]]
    assert found == pytest.approx(expected, abs=1e-8)
    assert slopes[0] / slopes[1] == pytest.approx(now["exact"] / now["slope"], rel=0.02)


def test_the_weight_is_dragged_by_mouse_finger_and_key(browser, url):
    with tried(browser, url, has_touch=True) as page:
        plot = page.locator(".nudge-plot").first
        box = plot.bounding_box()
        middle = box["x"] + box["width"] * 265 / 480, box["y"] + 60
        page.mouse.move(*middle)
        page.mouse.down()
        page.mouse.move(middle[0] + box["width"] * 69 / 480, middle[1], steps=4)
        page.mouse.up()
        assert shown(page)["weight"] == pytest.approx(1.03, abs=0.03)
        page.touchscreen.tap(middle[0], middle[1])
        assert shown(page)["weight"] == pytest.approx(0.03, abs=0.03)
        slider = page.get_by_label("Weight", exact=True)
        before = shown(page)["weight"]
        slider.focus()
        page.keyboard.press("ArrowRight")
        assert shown(page)["weight"] == pytest.approx(before + 0.01)
        assert slider.get_attribute("aria-valuetext") == f"{before + 0.01:.2f}"


def test_one_picture_a_frame(browser, url):
    with tried(browser, url) as page:
        backward = page.evaluate(
            """() => new Promise(done => {
                let count = 0
                const { gradient } = nudge
                nudge.gradient = (...all) => (count++, gradient(...all))
                const slider = document.querySelector('figure input[type=range]')
                for (let i = 0; i < 50; i++) {
                    slider.value = i
                    slider.dispatchEvent(new Event('input'))
                }
                setTimeout(() => done(count), 300)
            })"""
        )
    assert backward == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_quiet_and_in_the_page_s_colors(browser, url, scheme):
    with opened(browser, url, scheme=scheme, width=360) as (page, problems):
        root = "document.documentElement"
        assert page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth")
        colors = page.evaluate(
            """() => ['.nudge-curve', '.nudge-secant'].map(
                e => getComputedStyle(document.querySelector(e)).stroke)"""
        )
        sizes = page.evaluate(
            """() => [...document.querySelectorAll('figure svg text')].map(
                e => e.getBoundingClientRect().height)"""
        )
    assert problems == [] and min(sizes) >= 12
    blue, orange = {
        "light": ("rgb(31, 95, 158)", "rgb(212, 96, 26)"),
        "dark": ("rgb(134, 183, 236)", "rgb(240, 138, 62)"),
    }[scheme]
    assert colors == [blue, orange]


def test_without_scripts_the_still_is_there(browser, url):
    with tried(browser, url, java_script_enabled=False) as page:
        assert page.get_by_text("The still picture.").is_visible()
