"""The figure `backward`: the chapter's walk, with autograd's numbers at every node."""

import json
import re
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from bookext.fingerprint import cells
from books import NOTEBOOK, ROOT, build, write_book
from visits import draw, opened, settle

PAGE = (
    NOTEBOOK
    + """# A

```{code-cell}
:tags: [remove-cell]
import json
from myst_nb import glue
from charlm.book.living import as_json
glue("walk", as_json(json.load(open("walk.json"))), display=False)
```

```{living} backward
:data: walk
The still picture.
```
"""
)
CHAPTER = (ROOT / "book" / "04_backprop.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def chapter():
    """What the chapter's cells define, up to the one that publishes the walk."""
    published: dict[str, Any] = {}
    names = {
        "note": published.__setitem__,
        "print": lambda *args: None,
        "expect": lambda *args, **band: None,
    }
    with torch.enable_grad():
        for source in cells(CHAPTER):
            if "matplotlib_inline" in source or "IPython" in source:
                continue
            exec(source, names)
            if "backward" in published:
                break
    return SimpleNamespace(**names, data=json.loads(published["backward"].content))


@pytest.fixture(scope="module")
def url(tmp_path_factory, chapter):
    folder = write_book(tmp_path_factory.mktemp("backward"), {"index": PAGE})
    (folder / "walk.json").write_text(json.dumps(chapter.data))
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


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def step(page):
    """Show the gradient of this node, or go to the next."""
    page.locator(".living-main").click(force=True)


def walk_on(page, steps):
    """Show so many gradients without a guess, and stay at the last of them."""
    for i in range(steps):
        if i:
            step(page)
        step(page)


def status(page):
    return page.locator("p[role=status]").inner_text()


def node(page):
    return page.locator(".living-name strong").inner_text()


def click_node(page, name):
    page.locator(f".node[data-name={name}]").click()


def test_each_node_shows_what_autograd_gives(browser, url, chapter):
    with tried(browser, url, reduced_motion="reduce") as page:
        for number, (name, *_) in enumerate(chapter.ledger, start=1):
            if number > 1:
                step(page)
            tensor = chapter.tensors[name]
            assert node(page) == name and "Norm" not in page.inner_text(".living-node")
            step(page)
            text = page.locator(".living-node").inner_text()
            assert node(page) == f"d{name}"
            assert f"{number} of 26 are known" in status(page)
            assert str(tuple(tensor.shape)) in text
            norm = float(text.split("Norm of the gradient: ")[1].split(". ")[0])
            assert norm == pytest.approx(tensor.grad.norm().item(), rel=0.06, abs=1e-15)
            columns = tensor.shape[-1]
            sizes = page.locator(".walk-map").evaluate_all(
                "maps => maps.map(m => [m.width, m.height])"
            )
            assert sizes == [[columns, tensor.numel() // columns]] * 2


def test_published_pictures_are_the_tensors_own(chapter):
    """A letter for each number: its sign, and the root of its share of the largest."""
    for entry in chapter.data["steps"]:
        tensor = chapter.tensors[entry["name"]]
        for key, exact in (("value", tensor), ("grad", tensor.grad)):
            picture = entry[key]
            top = exact.abs().max().item()
            assert picture["largest"] == pytest.approx(top, rel=6e-3, abs=1e-15)
            found = [
                0 if c == "0" else ord(c) - 96 if c.islower() else 64 - ord(c)
                for c in picture["cells"]
            ]
            sizes = torch.tensor(found, dtype=torch.float64) / 25
            if top > 1e-12:
                expected = exact.detach().flatten() / top
                gaps = sizes.sign() * sizes**2 - expected
                assert gaps.abs().max() < 0.04, entry["name"]
            else:
                assert not sizes.any()
        assert entry["norm"] == pytest.approx(tensor.grad.norm().item(), 1e-3, 1e-15)
        assert entry["shape"] == list(tensor.shape) and entry["gap"] < 1e-12


def test_the_heat_map_has_the_letters_colors(browser, url):
    with tried(browser, url) as page:
        pixels = page.evaluate(
            """() => {
                const data = { columns: 2, largest: 1, cells: "yA0e" }
                const canvas = walk.map(data, "x", charlm.element)
                return [...canvas.getContext("2d").getImageData(0, 0, 2, 2).data]
            }"""
        )
    blue, pale, none, middle = (pixels[i : i + 4] for i in range(0, 16, 4))
    assert blue[3] == 255 and blue[2] > blue[0]
    assert 0 < pale[3] < 20 and none[3] == 0 and middle[3] == 51


def test_rules_are_lines_of_the_chapter(browser, url, chapter):
    lines = {
        line.split("#")[0].strip()
        for source in cells(CHAPTER)
        for line in source.splitlines()
    }
    with tried(browser, url) as page:
        nodes = page.evaluate("walk.nodes")
    del nodes["y"]
    assert nodes.keys() == {"loss"} | chapter.tensors.keys()
    for name, (*_, forward, backward, _words) in nodes.items():
        assert name == "loss" or backward in lines
        assert not forward or forward in lines


def test_edges_are_those_of_the_forward_pass(browser, url):
    """Each arrow is a name on the right-hand side of its target's line, and back."""
    with tried(browser, url) as page:
        nodes, edges = page.evaluate("walk.nodes"), page.evaluate("walk.edges")
    for name, (*_, forward, _rule, _words) in (
        item for item in nodes.items() if len(item[1]) == 6
    ):
        words = re.findall(r"(?<![.\w])[A-Za-z]\w*", forward.partition("=")[2])
        used = {word for word in words if word in nodes}
        assert used == {source for source, target in edges if target == name}


def test_shapes_are_asked_for_and_explained(browser, url, chapter):
    letters = {"B": 32, "V": 27, "H": 64, "T·C": 30, "T": 3, "C": 10, "1": 1}
    with tried(browser, url, reduced_motion="reduce") as page:
        for number, (name, shape, *_) in enumerate(chapter.ledger):
            choices = page.locator(".walk-quiz button").all_inner_texts()
            meant = [
                tuple(letters[c.strip()] for c in choice.strip("()").split(",") if c)
                for choice in choices
            ]
            assert len(set(meant)) == 3 and meant.count(tuple(shape)) == 1
            assert choices == sorted(choices)
            pick = (
                meant.index(tuple(shape))
                if number
                else (meant.index(tuple(shape)) + 1) % 3
            )
            page.locator(".walk-quiz button").nth(pick).click()
            text = page.locator(".living-node").inner_text()
            assert ("Right." if number else "Not yet.") in text
            assert f"{name} is {page.evaluate(f'walk.nodes.{name}[2]')}" in text
            step(page)
        assert "You predicted 25 of 26 shapes" in status(page)


def test_flows_that_were_walked_stay(browser, url):
    with tried(browser, url) as page:
        walk_on(page, 5)
        assert "dcounts arrives from probs and total" in status(page)
        assert page.locator(".edge.back").count() == 2
        assert page.locator(".edge.walked").count() == 4
        label = page.locator(".living-graph svg").get_attribute("aria-label")
        known = "dloss, dlog_probs, dprobs, dinv_total, dtotal, dcounts"
        assert label == f"Computation graph at counts; known so far: {known}"
        for _ in range(2 * 21):
            step(page)
        assert page.locator(".edge.ahead").count() == 1  # from y, which has no gradient
        assert (
            page.locator(".edge.walked").count() == len(page.evaluate("walk.edges")) - 2
        )


def test_nodes_can_be_clicked_in_any_order_that_is_possible(browser, url):
    with tried(browser, url, reduced_motion="reduce") as page:
        click_node(page, "probs")
        assert "needs dlog_probs first" in page.inner_text(".living-node")
        step(page)
        assert node(page) == "log_probs"
        step(page)
        click_node(page, "loss")
        assert node(page) == "dloss"
        click_node(page, "probs")
        step(page)
        click_node(page, "counts")
        assert "needs dtotal first" in page.inner_text(".living-node")
        press(page, "Start again")
        assert node(page) == "log_probs" and page.locator(".known").count() == 1


def test_the_summary_counts_what_the_ledger_counts(browser, url, chapter):
    equal = sum(result.exact for *_, result in chapter.ledger)
    with tried(browser, url) as page:
        walk_on(page, 26)
        assert f"{equal} are equal to autograd's bit by bit" in status(page)
        main = page.locator(".living-main")
        assert main.get_attribute("aria-disabled") == "true"


def test_keyboard_alone_is_enough(browser, url):
    with tried(browser, url) as page:
        page.locator(".node[tabindex='0']").focus()
        assert page.locator(".node[tabindex='0']").count() == 1
        page.keyboard.press("ArrowUp")
        assert node(page) == "probs"
        page.keyboard.press("ArrowDown")
        focused = page.evaluate("document.activeElement.dataset.name")
        assert node(page) == "log_probs" == focused
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert node(page) == "dlog_probs"
        page.keyboard.press("Space")
        assert node(page) == "probs"


def test_touch_on_a_phone(browser, url):
    phone = {"width": 360, "height": 800}
    with tried(browser, url, has_touch=True, viewport=phone) as page:
        button = page.locator(".living-main")
        assert button.bounding_box()["height"] >= 24
        for _ in range(10):
            button.tap()
            text = page.locator(".node.now text")
            size = text.evaluate("t => t.getBoundingClientRect().height")
            assert size >= 12
        page.locator(".walk-quiz button").first.tap()
        assert "A gradient has the shape" in page.inner_text(".living-node")
        root = "document.documentElement"
        assert page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth")


@pytest.mark.parametrize("width", [390, 1280])
def test_the_node_is_in_sight(browser, url, width):
    size = {"width": width, "height": 844}
    with tried(browser, url, reduced_motion="reduce", viewport=size) as page:
        for _ in range(26):
            settle(page)
            seen = page.evaluate(
                """() => {
                    const box = e => document.querySelector(e).getBoundingClientRect()
                    const [node, view] = [box('.node.now rect'), box('.living-graph')]
                    return node.top >= view.top && node.bottom <= view.bottom &&
                        node.left >= view.left && node.right <= view.right
                }"""
            )
            assert seen
            step(page)
            step(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_quiet_and_in_the_page_s_colors(browser, url, scheme):
    with opened(browser, url, scheme=scheme, width=390) as (page, problems):
        color = page.locator(".node.now rect").evaluate(
            "e => getComputedStyle(e).stroke"
        )
    assert problems == []
    orange = {"light": "rgb(212, 96, 26)", "dark": "rgb(240, 138, 62)"}
    assert color == orange[scheme]


def test_reduced_motion_scrolls_at_once(browser, url):
    with tried(browser, url, reduced_motion="reduce") as page:
        top = "document.querySelector('.living-graph').scrollTop"
        before = page.evaluate(top)
        moved = page.evaluate(
            f"""() => {{
                const main = document.querySelector('.living-main')
                for (let i = 0; i < 30; i++) main.click()
                return {top}
            }}"""
        )
    assert moved < before


def test_without_scripts_the_still_is_there(browser, url):
    with tried(browser, url, java_script_enabled=False) as page:
        assert page.get_by_text("The still picture.").is_visible()
