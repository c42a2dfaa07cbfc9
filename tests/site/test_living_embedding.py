"""The embedding in a browser: it stands where training put it, at the step chosen."""

import json
import re

import pytest
import torch
from books import NOTEBOOK, build, write_book
from visits import draw, opened, settle

from charlm.data import batches, load_words, split_words, windows
from charlm.evaluate import losses
from charlm.models import MLP
from charlm.train import training_steps
from charlm.vocab import Vocabulary

STEPS = 10
PAGE = (
    NOTEBOOK
    + """# A

```{code-cell}
:tags: [remove-cell]
from myst_nb import glue
from charlm.book.living import as_json
glue("path", as_json(DATA), display=False)
```

```{living} embedding
:data: path
The still picture.
```
"""
)


def snapshots():
    """A short training, seen before it and after each step."""
    words = load_words()
    vocab = Vocabulary.from_words(words)
    train, dev, _ = split_words(words)
    g = torch.Generator().manual_seed(42)
    net = MLP(len(vocab), block_size=3, n_embd=2, n_hidden=20, generator=g)
    table = next(net.parameters())
    drawn = batches(*windows(train, vocab, 3), 256, generator=g, steps=STEPS)
    loop = training_steps(net, torch.optim.SGD(net.parameters(), lr=1.0), drawn)
    held_back, found, places = windows(dev[:200], vocab, 3), [], []
    for _ in range(STEPS + 1):
        found.append(losses(net, *held_back).mean().item())
        places.append(table.tolist())
        next(loop, None)
    numbers = {"steps": [*range(STEPS + 1)], "losses": found, "places": places}
    return {"labels": vocab.labels, "vowels": list("aeiou")} | numbers


@pytest.fixture(scope="module")
def data():
    return snapshots()


@pytest.fixture(scope="module")
def url(tmp_path_factory, data):
    page = PAGE.replace("DATA", json.dumps(data))
    folder = write_book(tmp_path_factory.mktemp("embedding"), {"index": page})
    status, log = build(folder)
    assert status == 0, log
    return (folder / "_build" / "html" / "index.html").as_uri()


@pytest.fixture
def figure(browser, url):
    with opened(browser, url) as (page, problems):
        page.emulate_media(reduced_motion="reduce")
        yield page.locator("figure.living")
    assert problems == []


DOTS = ".living-plane > :is(.living-vowel, .living-consonant, .living-boundary)"
DOTS += ":not(.living-trail)"


def moved(figure, what):
    """To where the drawing moves the dots or the letters, (V, 2)."""
    settle(figure.page)
    found = figure.locator(what).evaluate_all("all => all.map(m => m.style.transform)")
    return torch.tensor(
        [[float(n) for n in re.findall(r"-?[\d.]+", text)[:2]] for text in found]
    )


def points(figure):
    """Where the characters are in the drawing."""
    return moved(figure, DOTS)


def move(figure, to):
    figure.get_by_role("slider", name="Step").fill(str(to))
    settle(figure.page)


@pytest.mark.parametrize("step", [0, 4, STEPS])
@pytest.mark.parametrize("scale", ["fixed", "fitted"])
def test_the_drawing_is_the_table_moved_and_scaled(figure, data, step, scale):
    move(figure, step)
    figure.get_by_role("radio", name=scale).check()
    wanted = torch.tensor(data["places"][step])
    shown = points(figure) * torch.tensor([1.0, -1.0])
    ratio = torch.pdist(shown) / torch.pdist(wanted)
    assert torch.allclose(
        shown - shown[0], ratio.median() * (wanted - wanted[0]), atol=0.05
    )
    assert points(figure).min() > 0 and points(figure).max() < 520


def test_the_loss_and_the_distances_are_said(figure, data):
    vowels = [data["labels"].index(c) for c in "aeiou"]
    others = [i for i in range(1, 27) if i not in vowels]
    move(figure, 7)
    C = torch.tensor(data["places"][7])
    mixed = torch.cdist(C[vowels], C[others]).mean()
    wanted = [
        data["losses"][7],
        torch.pdist(C[vowels]).mean(),
        torch.pdist(C[others]).mean(),
        mixed,
    ]
    text = figure.locator(".living-status").first.inner_text()
    assert text.startswith("After 7 steps")
    numbers = [float(n) for n in re.findall(r"\d+\.\d+", text)]
    assert numbers == pytest.approx([float(w) for w in wanted], abs=0.0051)
    assert numbers[0] == round(data["losses"][7], 3)
    assert figure.get_by_role("img", name=text[:-1]).count() == 1


@pytest.mark.parametrize("step", [0, STEPS])
def test_letters_do_not_cover_each_other(figure, step):
    """At the start the places are one heap; the letters are apart all the same."""
    move(figure, step)
    letters = moved(figure, ".living-mark")
    assert torch.pdist(letters).min() > 12
    assert torch.cdist(letters, points(figure)).min() > 9


def test_trails_lead_from_the_first_place_to_this_one(figure, data):
    move(figure, 6)
    trails = figure.locator(".living-trail").evaluate_all(
        "all => all.map(trail => trail.getAttribute('d'))"
    )
    ways = torch.tensor(
        [[float(n) for n in re.findall(r"-?[\d.]+", way)] for way in trails]
    ).view(len(trails), -1, 2)
    assert ways.shape == (27, 7, 2)
    for step in (6, 3, 0):
        move(figure, step)
        assert torch.allclose(ways[:, step], points(figure), atol=0.06)


@pytest.mark.parametrize("step", [2, STEPS])
def test_a_tapped_letter_has_its_neighbors(figure, data, step):
    move(figure, step)
    C = torch.tensor(data["places"][step])
    for label in "q.":
        i = data["labels"].index(label)
        figure.locator(".living-target").nth(i).dispatch_event("click")
        settle(figure.page)
        far = (C - C[i]).norm(dim=1)
        near = far.argsort()[1:4].tolist()
        names = [data["labels"][k].replace(".", "the boundary") for k in near]
        shown = [f"{name} ({far[k]:.2f})" for name, k in zip(names, near, strict=True)]
        assert f": {', '.join(shown)}." in figure.inner_text()
        value = figure.get_by_role("combobox", name="Neighbors").input_value()
        assert value == str(i)


def test_keyboard_and_touch(browser, url):
    context = browser.new_context(
        has_touch=True, viewport={"width": 390, "height": 900}
    )
    page = context.new_page()
    page.goto(url)
    draw(page)
    figure = page.locator("figure.living")
    slider = figure.get_by_role("slider", name="Step")
    slider.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    settle(page)
    assert slider.get_attribute("aria-valuetext") == "2"
    assert "After 2 steps" in figure.inner_text()
    box = slider.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] - 4, box["y"] + box["height"] / 2)
    settle(page)
    assert f"After {STEPS} steps" in figure.inner_text()
    figure.get_by_text("fitted").tap()
    assert figure.get_by_role("radio", name="fitted").is_checked()
    figure.locator(".living-mark").nth(17).tap()
    settle(page)
    assert "Nearest to q: " in figure.inner_text()
    context.close()


def test_play_goes_to_the_end_and_can_be_paused(browser, url):
    with opened(browser, url) as (page, problems):
        figure = page.locator("figure.living")
        slider = figure.get_by_role("slider", name="Step")
        page.wait_for_timeout(400)
        assert slider.input_value() == str(STEPS)  # nothing moves by itself
        figure.get_by_role("button", name="Play").click()
        page.wait_for_function(
            "(({ value }) => value > 1 && value < 9)"
            "(document.querySelector('input[type=range]'))"
        )
        figure.get_by_role("button", name="Pause").click()
        paused = slider.input_value()
        page.wait_for_timeout(400)
        assert slider.input_value() == paused
        figure.get_by_role("button", name="Play").click()
        page.get_by_text(f"After {STEPS} steps").wait_for()
        figure.get_by_role("button", name="Play").wait_for()
        assert slider.get_attribute("aria-valuetext") == str(STEPS)
        figure.get_by_role("button", name="Play").click()
        slider.focus()
        page.keyboard.press("End")
        assert figure.get_by_role("button", name="Play").is_visible()
    assert problems == []


def test_reduced_motion_has_no_play(browser, url):
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(url)
    draw(page)
    figure = page.locator("figure.living")
    assert figure.get_by_role("slider", name="Step").is_visible()
    assert figure.get_by_role("button", name="Play").count() == 0
    mark = figure.locator(".living-mark").first
    assert mark.evaluate("m => getComputedStyle(m).transitionDuration") == "0s"
    context.close()


def test_groups_differ_by_shape(figure, data):
    shapes = figure.locator(DOTS).evaluate_all("all => all.map(d => d.tagName)")
    by_label = dict(zip(data["labels"], shapes, strict=True))
    assert [by_label[c] for c in "aeiou"] == ["circle"] * 5
    assert shapes.count("rect") == 21 and by_label["."] == "path"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 390, 1280])
def test_it_fits_and_can_be_read(browser, url, scheme, width):
    with opened(browser, url, scheme=scheme, width=width) as (page, problems):
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        sizes = page.locator(".living-plane text").evaluate_all(
            """texts => texts.map(t => parseFloat(getComputedStyle(t).fontSize)
                * t.getScreenCTM().a)"""
        )
        assert min(sizes) >= (12 if width > 360 else 11)
        controls = ":is(button, label:has(input), input[type=range])"
        for control in page.locator(f"figure.living {controls}").all():
            assert control.bounding_box()["height"] >= 24
        ink = page.locator(".living-plane text").first.evaluate(
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
