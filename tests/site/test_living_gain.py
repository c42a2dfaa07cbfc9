"""The figure `gain`: what the page computes is what PyTorch computes."""

from collections.abc import Callable
from contextlib import contextmanager

import pytest
import torch
import torch.nn.functional as F
from books import build, write_book
from visits import opened

PAGE = """# A

```{living} gain
The still picture.
```
"""
ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "tanh": torch.tanh,
    "ReLU": F.relu,
    "none": lambda z: z,
}
KNOWN = ("std", "saturated", "zero", "dead")


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folder = write_book(tmp_path_factory.mktemp("gain"), {"index": PAGE})
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
    yield page
    context.close()


def set_gain(page, gain):
    page.get_by_label("Gain", exact=True).fill(str(gain))


def layers(page):
    """What the page has measured: a dictionary for each layer."""
    return page.evaluate("document.querySelector('.living-place').net.layers")


def status(page):
    return page.locator("p[role=status]").inner_text()


def expected(net, gain, activation, norm):
    """The same numbers from the page's inputs and weights, by PyTorch."""
    h = net["inputs"].view(-1, 100)
    for W in net["weights"]:
        z = h @ W.view(100, 100) * gain / 100**0.5
        if norm:
            z = F.batch_norm(z, None, None, training=True)
        h = ACTIVATIONS[activation](z)
        yield {
            "std": h.std(),
            "saturated": (h.abs() > 0.97).double().mean(),
            "zero": (h == 0).double().mean(),
            "dead": (h == 0).all(0).sum(),
        }


@pytest.fixture(scope="module")
def net(browser, url):
    with tried(browser, url) as page:
        found = page.evaluate(
            """() => {
                const { inputs, weights } = document.querySelector('.living-place').net
                return [inputs, ...weights].map(numbers => [...numbers])
            }"""
        )
    inputs, *weights = (torch.tensor(t, dtype=torch.float64) for t in found)
    return {"inputs": inputs, "weights": weights}


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_layers_are_those_of_pytorch(browser, url, net, activation, norm):
    with tried(browser, url) as page:
        page.get_by_role("radio", name=activation).check()
        page.get_by_role("radio", name="on" if norm else "off", exact=True).check()
        for gain in (0.2, 1, 1.67, 4):
            set_gain(page, gain)
            rows = list(expected(net, gain, activation, norm))
            found = layers(page)
            assert len(found) == len(rows) == 10
            for ours, theirs in zip(found, rows):
                for name in KNOWN:
                    assert ours[name] == pytest.approx(
                        theirs[name].item(), rel=1e-6, abs=1e-6
                    )


def test_numbers_are_drawn_from_a_normal_distribution(net):
    for numbers in (net["inputs"], *net["weights"]):
        assert abs(numbers.mean()) < 0.05 and abs(numbers.std() - 1) < 0.03
        assert abs((numbers.abs() < 1).double().mean() - 0.6827) < 0.03


def test_facts_of_the_chapter(browser, url):
    with tried(browser, url) as page:
        set_gain(page, 1.67)
        settled = [layer["std"] for layer in layers(page)]
        assert max(settled[3:]) - min(settled[3:]) < 0.03
        assert 0.63 < settled[-1] < 0.67 and "keeps its size" in status(page)

        set_gain(page, 1)
        fading = [layer["std"] for layer in layers(page)]
        assert fading == sorted(fading, reverse=True) and fading[-1] < 0.3
        assert "fades" in status(page)
        set_gain(page, 1.1)  # slowly: the last layer is near the middle one
        assert "fades" in status(page)

        page.get_by_role("radio", name="none").check()
        set_gain(page, 1.67)
        assert layers(page)[-1]["std"] > 100 and "grows" in status(page)

        page.get_by_role("radio", name="tanh").check()
        page.get_by_role("radio", name="on", exact=True).check()
        ends = []
        for gain in (0.2, 1, 4):
            set_gain(page, gain)
            ends.append(layers(page)[-1]["std"])
        assert max(ends) - min(ends) < 0.01


def test_table_and_histograms_show_what_is_measured(browser, url):
    with tried(browser, url) as page:
        set_gain(page, 3)
        found = layers(page)
        rows = page.locator(".living-layers tbody tr")
        for i, layer in enumerate(found):
            _, _, std, saturated = rows.nth(i).locator("th, td").all_inner_texts()
            assert float(std) == pytest.approx(layer["std"], abs=0.0051)
            assert saturated == f"{100 * layer['saturated']:.0f} %"
        pictures = page.get_by_role("img", name="Histogram of layer")
        assert pictures.count() == 10
        # the two ends hold the saturated: tall in the first row, and none at gain 0.2
        assert rows.first.locator("path.saturated").get_attribute("d").count("V2.00")
        set_gain(page, 0.2)
        assert "V2.00" not in rows.last.locator("path.saturated").get_attribute("d")


def test_relu_tells_zeros_and_dead_units(browser, url):
    with tried(browser, url) as page:
        page.get_by_text("ReLU").click()
        heads = page.locator(".living-layers thead th").all_inner_texts()
        assert heads == ["layer", "above zero", "deviation", "zero", "dead"]
        last = page.locator(".living-layers tbody tr").last.locator("td").last
        dead = layers(page)[-1]["dead"]
        assert last.inner_text() == str(dead)
        assert f"{dead} of 100 units are dead" in status(page)


def test_keyboard_alone_is_enough(browser, url):
    with tried(browser, url) as page:
        slider = page.get_by_role("slider", name="Gain")
        slider.focus()
        before = layers(page)[-1]["std"]
        page.keyboard.press("ArrowRight")
        assert slider.get_attribute("aria-valuetext") == "1.01"
        assert layers(page)[-1]["std"] > before
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowRight")
        assert page.get_by_role("radio", name="ReLU").is_checked()
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowRight")
        assert "with batch normalization" in status(page)


def test_touch_on_a_phone(browser, url):
    phone = {"width": 360, "height": 800}
    with tried(browser, url, has_touch=True, viewport=phone) as page:
        for name in ("none", "on"):
            label = page.locator("figure label").filter(has_text=name).last
            assert label.bounding_box()["height"] >= 24
            label.tap()
        assert "no activation, with batch normalization" in status(page)
        root = "document.documentElement"
        assert page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth")
        inside = page.evaluate(
            """() => {
                const right = e => document.querySelector(e).getBoundingClientRect()
                    .right
                return right('.living-layers tbody') <= right('.living-place') + 1
            }"""
        )
        assert inside


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_quiet_and_in_the_page_s_colors(browser, url, scheme):
    with opened(browser, url, scheme=scheme, width=390) as (page, problems):
        colors = page.evaluate(
            """() => ['.bars', '.saturated'].map(
                e => getComputedStyle(document.querySelector(e)).fill)"""
        )
        sizes = page.evaluate(
            """() => [...document.querySelectorAll('figure th, figure td')].map(
                e => parseFloat(getComputedStyle(e).fontSize))"""
        )
    assert problems == [] and min(sizes) >= 12
    blue, orange = {
        "light": ("rgb(31, 95, 158)", "rgb(168, 72, 12)"),
        "dark": ("rgb(134, 183, 236)", "rgb(242, 160, 101)"),
    }[scheme]
    assert colors == [blue, orange]


def test_without_scripts_the_still_is_there(browser, url):
    with tried(browser, url, java_script_enabled=False) as page:
        assert page.get_by_text("The still picture.").is_visible()


def test_nothing_moves(browser, url):
    with tried(browser, url, reduced_motion="reduce") as page:
        set_gain(page, 2)
        assert page.evaluate("document.getAnimations().length") == 0
