"""The cover: a name to type over, with PyTorch's surprises; the ladder of losses."""

import json
import re

import pytest
import torch
from books import SITE
from page_models import PageModel
from visits import opened

COVER = "book/index.html"
MODELS = ["bigram", "four-gram", "mlp", "wavenet", "gru", "gpt"]
LETTERS = "abcdefghijklmnopqrstuvwxyz"
LOW, HIGH = 1.9, 3.4  # the ends of the ladder's axis

# How far the middle of each bar is from that of its letter, in pixels.
GAPS = """() => {
    const input = document.querySelector('#hero-name')
    const { letterSpacing, fontSize } = getComputedStyle(input)
    const column = parseFloat(letterSpacing) + 0.6 * parseFloat(fontSize)
    const start = input.getBoundingClientRect().left
    return [...document.querySelector('.hero-bars').children].map((bar, i) => {
        const { left, width } = bar.getBoundingClientRect()
        return Math.abs(left + width / 2 - start - column * (i + 0.5))
    })
}"""
# What each line of the ladder says, where its dot is, and half its error bar.
DOTS = """all => all.map(axis => {
    const frame = axis.getBoundingClientRect()
    const dot = axis.querySelector('i').getBoundingClientRect()
    const share = (dot.left + dot.width / 2 - frame.left) / frame.width
    const half = parseFloat(axis.style.getPropertyValue('--half'))
    return [axis.textContent, share, half]
})"""


def model(name):
    return PageModel(SITE / "_static" / "models" / f"{name}.safetensors")


def surprises(name, word):
    """-log P of each letter and of the end, in nats."""
    p = model(name).probs([word[:i] for i in range(len(word) + 1)]).double()
    ids = [1 + LETTERS.index(char) for char in word] + [0]
    return -p[range(len(ids)), ids].log()


def shown(page):
    """For each row: the mean that it says, and its bars in nats."""
    rows = page.locator(".hero-row").all()
    means = [row.locator(".hero-model span").inner_text() for row in rows]
    bars = [
        row.locator(".hero-bars i").evaluate_all(
            "all => all.map(e => Number(e.style.getPropertyValue('--h')))"
        )
        for row in rows
    ]
    return [float(re.findall(r"[\d.]+", text)[0]) for text in means], [
        6.2 * torch.tensor(row) for row in bars
    ]


def assert_rows_are_those_of(page, word):
    means, bars = shown(page)
    for name, mean, row in zip(MODELS, means, bars, strict=True):
        expected = surprises(name, word)
        assert mean == pytest.approx(expected.mean().item(), abs=0.006)
        assert torch.allclose(row.double(), expected.clamp(max=6.2), atol=0.01)


def test_the_example_is_there_without_scripts(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + COVER)
    assert_rows_are_those_of(page, "christopher")
    assert page.locator(".hero-endings span").count() == 3 * len(MODELS)
    context.close()


def test_a_name_that_is_typed_moves_all_rows(browser, address):
    with opened(browser, address + COVER) as (page, problems):
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        field = page.get_by_label("Type your name")
        assert not any("safetensors" in url for url in asked)
        field.fill("Zoë Quin")
        page.wait_for_function(
            "document.querySelectorAll('.hero-bars')[5].children.length === 8"
        )
        assert field.input_value() == "zoequin"
        assert "a to z" in page.locator(".hero-note").inner_text()
        assert_rows_are_those_of(page, "zoequin")
        for half in page.locator(".hero-endings span").all_inner_texts():
            assert half.startswith("zoeq")
        field.fill("")
        page.wait_for_function("document.querySelectorAll('.hero-bars i').length === 6")
        assert_rows_are_those_of(page, "")
        page.wait_for_timeout(900)
        said = page.locator(".hero-report").inner_text()
        assert said.count("per letter") == len(MODELS) and "the end" in said
    assert problems == []


def test_what_a_table_has_never_seen_is_gray(browser, address):
    with opened(browser, address + COVER) as (page, _):
        assert page.locator(".hero-gray").is_hidden()
        page.get_by_label("Type your name").fill("qxzqxz")
        page.locator(".hero-bars i.unseen").first.wait_for()
        assert page.locator("[data-model=four-gram] i.unseen").count()
        assert not page.locator("[data-model=wavenet] i.unseen").count()
        assert page.locator(".hero-gray").is_visible()


@pytest.mark.parametrize("size", [(1440, 900), (1280, 800), (390, 844)])
def test_button_name_and_letters_are_where_they_belong(browser, address, size):
    """In view at once; each letter above its bar; nothing moves when the name lives."""
    width, height = size
    with opened(browser, address + COVER, width=width) as (page, _):
        page.set_viewport_size({"width": width, "height": height})
        for place in (
            page.get_by_text("Start with Part 1"),
            page.locator("#hero-name"),
        ):
            box = place.bounding_box()
            assert box and box["y"] + box["height"] <= height
        gaps = page.evaluate(GAPS)
        assert max(gaps) < 2.5
        before = page.locator(".hero").bounding_box()
        page.get_by_label("Type your name").fill("christophe")
        page.wait_for_function(
            "document.querySelectorAll('.hero-bars')[5].children.length === 11"
        )
        assert page.locator(".hero").bounding_box() == before


def test_the_ladder_shows_the_losses_of_the_models(browser, address):
    """Each dot where its loss says; Parts 3 and 4 no further left than Part 2."""
    seeds = json.loads((SITE.parents[1] / "book" / "losses.json").read_text())
    with opened(browser, address + COVER) as (page, _):
        rows = page.locator(".rung-axis").evaluate_all(DOTS)
        labels = page.locator(".rung b").all_inner_texts()
        links = page.locator(".ladder li > p:first-child > a").all_inner_texts()
    assert len(links) == 7
    names = ["uniform", "bigram", "four-gram", "mlp", "deep", "by-hand"]
    names += ["wavenet", "gru", "gpt"]
    at = {}
    for name, label, (text, share, half) in zip(names, labels, rows, strict=True):
        at[name] = LOW + share * (HIGH - LOW)
        assert float(text) == pytest.approx(at[name], abs=0.006)
        if name != "uniform":
            assert label == model(name).label
            assert at[name] == pytest.approx(model(name).loss, abs=0.003)
        deviation = torch.tensor(seeds.get(name, [0.0, 0.0])).std().item()
        assert half == pytest.approx(200 * deviation / (HIGH - LOW), abs=0.01)
    assert min(at["deep"], at["by-hand"]) > at["mlp"] > at["wavenet"]
    assert at["wavenet"] > max(at["gru"], at["gpt"])


def test_a_name_is_typed_over_and_its_end_is_cut(browser, address):
    """A click selects the example; what is too long loses its end, not its order."""
    with opened(browser, address + COVER) as (page, _):
        field = page.get_by_label("Type your name")
        field.click()
        page.keyboard.type("zoltan")
        assert field.input_value() == "zoltan"
        page.keyboard.press("Home")
        page.keyboard.type("abcdefghijkl")
        assert field.input_value() == "abcdefghijklzo"
