"""The figure `deep-net`: what the page computes and learns is what PyTorch does."""

from contextlib import contextmanager

import pytest
import torch
import torch.nn.functional as F
from books import NOTEBOOK, build, write_book
from visits import draw, opened

from charlm.data import load_words, split_words

PAGE = (
    NOTEBOOK
    + """# A

```{code-cell}
:tags: [remove-cell]
from myst_nb import glue
from charlm.book.living import as_json
glue("names", as_json({"names": open("names.txt").read()}), display=False)
```

```{living} deep-net
:data: names
The still picture.
```
"""
)
ACTIVATIONS = {"tanh": torch.tanh, "ReLU": torch.relu, "none": lambda u: u}
PROBE = "deep.draw(deep.examples(data.names), 64, charlm.random(1))"
# A net of these settings and a batch: its parameters, gradients and measurements.
PASS = f"""({{ settings, steps }}) => {{
    const data = JSON.parse(document.querySelector("figure.living script").textContent)
    const [contexts, answers] = {PROBE}
    const model = net.create(settings, charlm.random(7))
    const list = all => Object.fromEntries(
        Object.entries(all).map(([name, a]) => [name, [...a]]))
    const params = list(model.params)
    const {{ loss, grads }} = net.gradients(model, contexts, answers)
    const layers = net.measure(model, contexts, answers, 0.01)
    const losses = Array.from({{ length: steps }},
        () => net.step(model, contexts, answers, 0.01))
    return {{ contexts, answers, params, loss, grads: list(grads), layers, losses }}
}}"""
SHAPES = {"C": (27, 10), "W1": (30, 32), "out": (32, 27)} | {
    f"W{i}": (32, 32) for i in range(2, 6)
}


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folder = write_book(tmp_path_factory.mktemp("net"), {"index": PAGE})
    names = split_words(load_words())[0][:1000]
    (folder / "names.txt").write_text(" ".join(names))
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


def set_to(page, label, step):
    """Move a slider to one of its values, counted from 0."""
    page.get_by_label(label, exact=True).fill(str(step))


def press(page, name):
    page.get_by_role("button", name=name).click()


def steps(page):
    return page.evaluate("document.querySelector('.living-place').run.losses.length")


def trained(page):
    """The losses of the page's net, after it has trained to its end."""
    press(page, "Train")
    page.wait_for_function(
        "() => { const { run } = document.querySelector('.living-place');"
        " return run.lost || run.losses.length === 1000 }",
        timeout=60_000,
    )
    return page.evaluate("document.querySelector('.living-place').run.losses")


def status(page):
    return page.locator("p[role=status]").inner_text()


def by_torch(params, contexts, answers, activation, norm):
    """The loss, and the output of each hidden layer, with their gradients kept."""
    x, outputs = params["C"][contexts].view(-1, 30), []
    for i in range(1, 6):
        x = x @ params[f"W{i}"]
        if norm:
            x = F.batch_norm(x, None, None, params[f"scale{i}"], training=True)
        x = ACTIVATIONS[activation](x + params[f"shift{i}"])
        x.retain_grad()
        outputs.append(x)
    return F.cross_entropy(x @ params["out"] + params["bias"], answers), outputs


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_and_steps_are_those_of_pytorch(browser, url, activation, norm):
    for gain in (0.3, 5 / 3, 3):
        settings = {"gain": gain, "activation": activation, "norm": norm}
        with tried(browser, url) as page:
            ours = page.evaluate(PASS, {"settings": settings, "steps": 5})
        params = {
            name: torch.tensor(numbers, dtype=torch.float64)
            .view(SHAPES.get(name, (-1,)))
            .requires_grad_()
            for name, numbers in ours["params"].items()
        }
        batch = (
            torch.tensor(ours["contexts"]).view(-1, 3),
            torch.tensor(ours["answers"]),
        )
        loss, outputs = by_torch(params, *batch, activation, norm)
        loss.backward()
        assert ours["loss"] == pytest.approx(loss.item())
        assert ours["grads"].keys() == {
            n for n, p in params.items() if p.grad is not None
        }
        for name, grad in ours["grads"].items():
            exact = params[name].grad
            assert exact is not None
            largest = exact.abs().max().item() + 1e-12
            found = torch.tensor(grad, dtype=torch.float64).view_as(exact)
            assert (found - exact).abs().max() < 1e-9 * largest + 1e-15, name
        for i, (layer, h) in enumerate(zip(ours["layers"], outputs, strict=True), 1):
            W = params[f"W{i}"]
            assert layer["activation"] == pytest.approx(h.std().item())
            assert layer["gradient"] == pytest.approx(h.grad.std().item())
            assert W.grad is not None
            ratio = 0.01 * W.grad.std() / W.std()
            assert layer["update"] == pytest.approx(ratio.item())
            saturated = (h.abs() > 0.97).double().mean().item()
            assert layer["saturated"] == pytest.approx(saturated)
            assert layer["dead"] == (h == 0).all(0).sum()
        optimizer = torch.optim.SGD(params.values(), lr=0.01)
        for expected in ours["losses"]:
            loss, _ = by_torch(params, *batch, activation, norm)
            assert expected == pytest.approx(loss.item(), rel=1e-6)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def test_weights_have_the_gain_that_is_asked_for(browser, url):
    settings = {"gain": 2, "activation": "tanh", "norm": False}
    with tried(browser, url) as page:
        params = page.evaluate(PASS, {"settings": settings, "steps": 0})["params"]
    for name, fan_in, gain in [("W1", 30, 1.2), ("W2", 32, 2), ("out", 32, 0.1)]:
        found = torch.tensor(params[name]).std().item() * fan_in**0.5
        assert found == pytest.approx(gain, rel=0.08)


def test_it_opens_sick_and_one_slider_repairs_it(browser, url):
    """The sick net learns how frequent the letters are; the repaired one, far more."""
    with tried(browser, url) as page:
        assert steps(page) == 0 and "gradient fades" in status(page)
        unigram = page.evaluate(
            """deep.unigram(deep.examples(JSON.parse(
                document.querySelector("figure.living script").textContent
            ).names).answers)"""
        )
        sick = trained(page)[-200:]
        assert "loss" in status(page) and not page.get_by_text("Pause").count()
        set_to(page, "Gain", 9)
        assert steps(page) == 0
        page.wait_for_timeout(50)
        assert "keeps its size; on" in status(page)
        repaired = trained(page)[-200:]
    assert sum(sick) / 200 == pytest.approx(unigram, abs=0.05)
    assert sum(repaired) / 200 < unigram - 0.35


def test_ways_to_break_it(browser, url):
    with tried(browser, url) as page:
        set_to(page, "Gain", 0)
        page.wait_for_timeout(50)
        assert "Nothing gets through" in status(page)
        set_to(page, "Gain", 9)
        page.get_by_role("radio", name="none").check()
        set_to(page, "Gain", 15)
        set_to(page, "Learning rate", 7)
        assert len(trained(page)) < 1000
        page.wait_for_timeout(50)
        assert "lost" in status(page)
        press(page, "Start again")
        page.wait_for_timeout(50)
        assert "grows" in status(page)


def test_a_layer_whose_units_are_all_dead_is_named(browser, url):
    with tried(browser, url) as page:
        page.get_by_role("radio", name="ReLU").check()
        set_to(page, "Gain", 15)
        trained(page)
        page.wait_for_timeout(50)
        said = status(page)
        measured = page.evaluate("document.querySelector('.living-place').measured")
    dead = [layer["dead"] for layer in measured]
    assert dead[0] < 32 == dead[1]
    assert "All 32 units of layer 2 are dead. Nothing gets through" in said


def test_dots_lie_at_their_powers_of_ten(browser, url):
    """0.19 and 9e-8 do not look alike: a power of ten is as high everywhere."""
    with tried(browser, url) as page:
        for step in (2, 9):
            set_to(page, "Gain", step)
            page.wait_for_timeout(50)
            measured, heights = page.evaluate(
                """() => [document.querySelector('.living-place').measured,
                    [...document.querySelectorAll('.deep-layers .deep-dots')].map(
                        g => [...g.children].map(c => +c.getAttribute('cy')))]"""
            )
            bands = zip(("activation", "gradient", "update"), heights, (-1, 1, -1))
            for name, ys, sign in bands:
                powers = torch.tensor([layer[name] for layer in measured]).log10()
                decade = torch.tensor(ys).diff() / powers.diff()
                assert (decade.sign() == sign).all() and decade.std() < 0.2


def test_it_trains_only_where_somebody_looks(browser, url):
    with tried(browser, url) as page:
        page.evaluate("document.body.style.paddingBottom = '4000px'")
        press(page, "Train")
        page.wait_for_timeout(200)
        page.evaluate("scrollTo(0, 3000)")
        page.wait_for_timeout(300)
        before = steps(page)
        page.wait_for_timeout(300)
        assert 0 < before == steps(page) < 1000
        assert page.get_by_role("button", name="Train").count() == 1


def test_reduced_motion_takes_a_hundred_steps_and_stops(browser, url):
    with tried(browser, url, reduced_motion="reduce") as page:
        page.wait_for_timeout(200)
        assert steps(page) == 0
        for reached in (100, 200):
            press(page, "Train 100 steps")
            page.get_by_role("button", name="Train 100 steps").wait_for()
            assert steps(page) == reached
        assert page.evaluate("document.getAnimations().length") == 0


def test_one_picture_a_frame(browser, url):
    with tried(browser, url) as page:
        measured = page.evaluate(
            """() => new Promise(done => {
                let count = 0
                const { measure } = net
                net.measure = (...all) => (count++, measure(...all))
                const slider = document.querySelector('figure input[type=range]')
                for (let i = 0; i < 16; i++) {
                    slider.value = i
                    slider.dispatchEvent(new Event('input'))
                }
                setTimeout(() => done(count), 300)
            })"""
        )
    assert measured <= 2  # the last net, and its twin


def test_keyboard_alone_is_enough(browser, url):
    with tried(browser, url) as page:
        page.get_by_role("slider", name="Gain").focus()
        page.keyboard.press("End")
        assert page.get_by_role("slider", name="Gain").get_attribute(
            "aria-valuetext"
        ) == ("10")
        for _ in range(2):
            page.keyboard.press("Tab")
        page.keyboard.press("ArrowRight")
        assert page.get_by_role("radio", name="ReLU").is_checked()
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_timeout(200)
        assert steps(page) > 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_touch_on_a_phone_quiet_and_in_the_page_s_colors(browser, url, scheme):
    with opened(browser, url, scheme=scheme, width=360) as (page, problems):
        heights = page.evaluate(
            """() => [...document.querySelectorAll(
                'figure :is(button, label:has(input))')]
                .map(e => e.getBoundingClientRect().height)"""
        )
        sizes = page.evaluate(
            """() => [...document.querySelectorAll('figure svg text')].map(
                e => e.getBoundingClientRect().height)"""
        )
        root = "document.documentElement"
        assert page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth")
        dot = page.locator(".deep-dot").first.evaluate("e => getComputedStyle(e).fill")
    assert problems == [] and min(heights) >= 24 and min(sizes) >= 12
    assert dot == {"light": "rgb(31, 95, 158)", "dark": "rgb(134, 183, 236)"}[scheme]


def test_without_scripts_the_still_is_there(browser, url):
    with tried(browser, url, java_script_enabled=False) as page:
        assert page.get_by_text("The still picture.").is_visible()
