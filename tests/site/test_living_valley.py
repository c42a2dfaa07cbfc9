"""The valley in a browser: its paths are gradient descent's, and so are its kinds."""

from typing import Any

import pytest
import torch
from books import NOTEBOOK, build, write_book
from visits import opened, settle

VALLEY: dict[str, Any] = {
    "along": 1,
    "across": 12,
    "start": [-2.3, 1.05],
    "steps": 30,
    "rate": 0.15,
}
PAGE = (
    NOTEBOOK
    + f"""# A

```{{code-cell}}
:tags: [remove-cell]
from myst_nb import glue
from charlm.book.living import as_json
glue("valley", as_json({VALLEY}), display=False)
```

```{{living}} valley
:data: valley
The still picture.
```
"""
)
CURVATURES = torch.tensor([1.0, 12.0], dtype=torch.float64)


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folder = write_book(tmp_path_factory.mktemp("valley"), {"index": PAGE})
    status, log = build(folder)
    assert status == 0, log
    return (folder / "_build" / "html" / "index.html").as_uri()


@pytest.fixture
def figure(browser, url):
    with opened(browser, url) as (page, problems):
        settle(page)
        yield page.locator("figure.living")
    assert problems == []


def loss_of(w):
    return (CURVATURES * w**2).sum() / 2


def descend(rate):
    """The places of gradient descent, (steps + 1, 2), by autograd."""
    path = [torch.tensor(VALLEY["start"], dtype=torch.float64)]
    for _ in range(VALLEY["steps"]):
        w = path[-1].clone().requires_grad_()
        (gradient,) = torch.autograd.grad(loss_of(w), w)
        path.append(path[-1] - rate * gradient)
    return torch.stack(path)


def drag(figure, rate):
    exponent = torch.tensor(rate, dtype=torch.float64).log10().item()
    figure.get_by_role("slider").fill(f"{exponent:.2f}")
    settle(figure.page)
    return 10 ** float(f"{exponent:.2f}")


@pytest.mark.parametrize(
    ("rate", "kind"),
    [(0.01, "Small"), (0.06, "Medium"), (0.15, "Large"), (0.18, "Too large")],
)
def test_the_path_is_gradient_descent_s_and_has_its_kind(figure, rate, kind):
    rate = drag(figure, rate)
    path = descend(rate)
    said = float(figure.locator("data").get_attribute("value"))
    assert said == pytest.approx(loss_of(path[-1]).item())
    assert figure.locator(".living-status").inner_text().startswith(f"{kind}: ")
    crosses = bool((path[1:, 1].sign() != path[:-1, 1].sign())[0])
    losses = [loss_of(w).item() for w in path]
    assert crosses == (kind in ("Large", "Too large"))
    assert (losses[-1] > losses[0]) == (kind == "Too large")
    left = path[-1, 0] / path[0, 0]
    assert (left > 0.5) == (kind == "Small")


def test_the_dots_are_the_path(figure):
    path = descend(drag(figure, 0.15))
    found = figure.locator("g circle").evaluate_all(
        "all => all.map(d => [+d.getAttribute('cx'), +d.getAttribute('cy')])"
    )
    *steps, start = torch.tensor(found, dtype=torch.float64)  # it is drawn last
    shown = torch.stack([start, *steps]) - torch.tensor([260.0, 220.0])
    assert torch.allclose(shown, 100 * path * torch.tensor([1.0, -1.0]))


def test_the_curve_is_lowest_where_its_dot_says(figure):
    """The sweep ends each rate where the path ends."""
    heights = []
    for rate in (0.1, 2 / 13, 0.164):
        drag(figure, rate)
        heights.append(float(figure.locator(".valley-here").get_attribute("cy")))
    assert heights[1] == max(heights)


def test_the_rate_is_dragged_on_the_curve_too(browser, url):
    with opened(browser, url, width=390) as (page, problems):
        figure = page.locator("figure.living")
        hand = figure.locator(".valley-hand")
        hand.scroll_into_view_if_needed()
        box = hand.bounding_box()
        y = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + box["width"] - 20, y)
        page.mouse.down()
        settle(page)
        assert "Too large" in figure.inner_text()
        page.mouse.move(box["x"] + 20, y)
        page.mouse.up()
        settle(page)
        assert "Small" in figure.inner_text()
        slider = figure.get_by_role("slider")
        before = float(slider.input_value())
        slider.focus()
        page.keyboard.press("ArrowRight")
        assert float(slider.input_value()) == pytest.approx(before + 0.01)
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
        assert min(sizes) >= (12 if width > 360 else 11)
        if width == 1280:
            assert figure.bounding_box()["height"] <= 720
            assert figure.bounding_box()["width"] == 992
    assert problems == []
